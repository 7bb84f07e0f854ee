"""What a server's owner sees when a command runs over SSH, and when it cannot."""

import multiprocessing
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from servers import ssh
from servers.ssh import Target, loop
from servers.ssh.commands import feed
from servers.ssh.connecting import connect
from tests.lab.reach import script, started, target_of
from tools.targethost import Host, Lab
from tools.targethost.process import wait_until

pytestmark = pytest.mark.lab

HOSTILE = "two\nlines, 'single' \"double\" $HOME `id` %n %% \\ ünïcödé \N{SNOWMAN}\n\n"
LONG = "x'\n" * 40000


@pytest.fixture(scope="module")
def host(lab: Lab, addresses: Iterator[str]) -> Iterator[Host]:
    yield from started(lab, addresses)


@pytest.fixture
def target(host: Host) -> Iterator[Target]:
    target = target_of(host)
    yield target
    ssh.close_connections(target)


def test_output_error_and_exit_status(target: Target) -> None:
    result = ssh.run(target, "echo out; echo err >&2; cat; exit 3", stdin=b"in\0\xff", check=False)

    assert (result.exit_status, result.output) == (3, b"out\nerr\nin\0\xff")
    with pytest.raises(ssh.CommandFailed, match="exit status 3") as failure:
        ssh.run(target, "echo it broke; exit 3")
    assert failure.value.tail == "it broke\n"


def test_a_command_may_end_before_its_input_was_sent(target: Target) -> None:
    async def late() -> int | None:
        connection = await connect(target)
        process = await connection.create_process("exit 4", encoding=None)
        await process.wait_closed()
        feed(process, b"too late")
        connection.close()
        return process.exit_status

    assert loop.wait(late()) == 4


def test_a_command_that_a_signal_ends_did_not_succeed(target: Target) -> None:
    assert ssh.run(target, ["sh", "-c", "kill -9 $$"], check=False).exit_status == 128 + 9


def test_words_arrive_as_they_are(target: Target) -> None:
    words = ["printf", "%s|", "two words", "$HOME", "'", "", "a;b"]
    assert ssh.run(target, words).output == b"two words|$HOME|'||a;b|"


def test_another_login_becomes_root(host: Host) -> None:
    assert ssh.run(target_of(host, "debian"), "id -un; id -un >&2").output == b"root\nroot\n"


def test_first_contact_shows_the_key_that_the_server_has(host: Host, tmp_path: Path) -> None:
    presented = ssh.fetch_host_key(host.ip)
    (tmp_path / "key.pub").write_text(presented)
    listed = subprocess.run(
        ["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True
    )

    assert presented == host.host_key
    assert ssh.fingerprint(presented) == listed.stdout.split()[1]


def test_a_changed_host_key_is_refused_with_both_fingerprints(host: Host, target: Target) -> None:
    expected = ssh.generate_key("other").public
    with pytest.raises(ssh.HostKeyChanged) as refusal:
        ssh.run(replace(target, host_key=expected), ["touch", "/root/entered"])

    assert ssh.fingerprint(expected) in refusal.value.message
    assert ssh.fingerprint(host.host_key) in refusal.value.message
    assert not refusal.value.retryable
    assert host.run("test", "-e", "/root/entered", check=False).returncode == 1


def test_a_host_key_of_another_kind_is_shown_too(target: Target, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-qt", "rsa", "-b", "2048", "-N", "", "-f", tmp_path / "rsa"], check=True)
    with pytest.raises(ssh.HostKeyChanged):
        ssh.run(replace(target, host_key=(tmp_path / "rsa.pub").read_text()), ["true"])


def test_without_a_pinned_key_nothing_is_sent(target: Target) -> None:
    with pytest.raises(ssh.SSHError, match="not known yet"):
        ssh.run(replace(target, host_key=None), ["true"])


def test_a_key_that_the_server_does_not_know(target: Target) -> None:
    with pytest.raises(ssh.LoginRefused, match="refuses the login of root") as refusal:
        ssh.run(replace(target, private_key=ssh.generate_key("stranger").private), ["true"])
    assert "authorized_keys" in refusal.value.hint


def test_a_port_where_nothing_listens(target: Target) -> None:
    with pytest.raises(ssh.Unreachable, match="port 2200: nothing listens there") as failure:
        ssh.run(replace(target, port=2200), ["true"])
    assert failure.value.retryable


def lose(host: Host) -> None:
    host.run("pkill", "-9", "-f", "^sshd: root", check=False)


def freeze(host: Host) -> None:
    host.freeze()


@pytest.mark.parametrize("break_connection", [lose, freeze])
def test_a_connection_lost_in_the_middle_is_no_success(
    host: Host, target: Target, break_connection: Callable[[Host], None]
) -> None:
    with ThreadPoolExecutor() as pool:
        command = pool.submit(ssh.run, target, "touch /root/began; exec sleep 60")
        assert wait_until(lambda: host.run("rm", "/root/began", check=False).returncode == 0, 10)
        break_connection(host)
        try:
            with pytest.raises(ssh.ConnectionLost):
                command.result(20)
        finally:
            host.thaw()

    assert ssh.run(target, ["echo", "again"]).output == b"again\n"


def test_a_command_that_takes_too_long(target: Target) -> None:
    with pytest.raises(ssh.TimedOut, match=r"sleep did not finish within 0.2 seconds"):
        ssh.run(target, ["sleep", "60"], timeout=0.2)


def test_many_at_once_share_connections_without_passing_the_limit_of_sshd(host: Host, target: Target) -> None:
    with ThreadPoolExecutor(30) as pool:
        results = list(pool.map(lambda n: ssh.run(target, f"sleep 0.5; echo {n} $PPID"), range(30)))

    words = [result.output.split() for result in results]
    assert [int(number) for number, _ in words] == list(range(30))
    logins = {session for _, session in words}
    # 30 channels at 8 each need at least 4 connections; each command has an sshd of its own above its shell.
    assert len(logins) == 30
    peers = host.run("sh", "-c", f"ss -Htn state established sport = :22 dst {host.lab.gateway} | wc -l").stdout
    assert 4 <= int(peers) <= 6


def test_a_connection_is_kept(target: Target) -> None:
    ports = {ssh.run(target, "echo $SSH_CONNECTION").output for _ in range(3)}
    ssh.close_connections(target)
    after = ssh.run(target, "echo $SSH_CONNECTION").output

    assert len(ports) == 1
    assert after not in ports


def test_a_forked_process_makes_its_own_connection(target: Target) -> None:
    def child() -> None:
        results.put(ssh.run(target, "echo $SSH_CONNECTION").output)

    context = multiprocessing.get_context("fork")
    results: multiprocessing.Queue[bytes] = context.Queue()
    before = ssh.run(target, "echo $SSH_CONNECTION").output
    process = context.Process(target=child)
    process.start()

    assert results.get(timeout=10) != before
    process.join(10)
    assert ssh.run(target, "echo $SSH_CONNECTION").output == before


def test_a_fresh_login_is_no_kept_one(host: Host, target: Target) -> None:
    ssh.open_fresh_login(target)
    ssh.run(target, ["mv", "/root/.ssh/authorized_keys", "/root/.ssh/away"])
    try:
        with pytest.raises(ssh.LoginRefused):
            ssh.open_fresh_login(target)
    finally:
        ssh.run(target, ["mv", "/root/.ssh/away", "/root/.ssh/authorized_keys"])


SHELL = """set -euo pipefail
main() { printf '%s\\0' "$HOSTILE" "$LONG" "$lower" "$(cat)"; ps axww -o args; }
main
"""
PYTHON = """import json, subprocess, sys
values = json.loads(sys.stdin.buffer.readline())
stdin = sys.stdin.buffer.read().decode()
print(values["HOSTILE"], values["LONG"], values["lower"], stdin, "", sep="\\0", end="", flush=True)
subprocess.run(["ps", "axww", "-o", "args"], check=True)
"""


@pytest.mark.parametrize(("name", "text"), [("values.sh", SHELL), ("values.py", PYTHON)])
@pytest.mark.parametrize("username", ["root", "debian"])
def test_any_text_reaches_a_script_unseen(host: Host, tmp_path: Path, name: str, text: str, username: str) -> None:
    values = {"HOSTILE": HOSTILE, "LONG": LONG, "lower": "canary-7391"}
    path = script(tmp_path, name, text)
    output = ssh.run_script(target_of(host, username), path, values=values, stdin=b"input").output.decode()

    *received, processes = output.split("\0")
    assert received == [HOSTILE, LONG, "canary-7391", "input"]
    assert name in processes
    assert "canary-7391" not in processes


def test_a_script_that_fails_says_so(target: Target, tmp_path: Path) -> None:
    broken = script(tmp_path, "broken.sh", "set -euo pipefail\nmain() { echo before; false; echo after; }\nmain\n")
    with pytest.raises(ssh.CommandFailed, match=r"broken.sh failed") as failure:
        ssh.run_script(target, broken)
    assert failure.value.tail == "before\n"


def test_commands_share_a_kept_connection(target: Target) -> None:
    assert len({ssh.run(target, ["printenv", "SSH_CONNECTION"]).output for _ in range(10)}) == 1


def test_what_a_stream_says_comes_as_it_is_said(target: Target) -> None:
    with ssh.stream(target, ["sh", "-c", "echo first; echo aside >&2; read line; echo $line"], b"last\n") as stream:
        output = b"".join(stream.chunks(idle=1))
        assert (output, stream.finish().output) == (b"first\nlast\n", b"aside\n")
