"""Long commands: they outlive their watchers, are never started twice, and say how they ended."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from servers import ssh, units
from servers.ssh import Target
from tests.lab.reach import script, started, target_of
from tests.lab.test_ssh import HOSTILE, LONG, freeze, lose
from tools.targethost import Host, Lab
from tools.targethost.process import wait_until

pytestmark = pytest.mark.lab

# Counts its starts, then says a line every tenth of a second.
COUNTING = """set -euo pipefail
main() {
    echo start >>/root/starts
    for ((n = 0; n < ROUNDS; n++)); do echo "line $n"; sleep 0.1; done
}
main
"""


@pytest.fixture(scope="module")
def host(lab: Lab, addresses: Iterator[str]) -> Iterator[Host]:
    yield from started(lab, addresses)


@pytest.fixture
def target(host: Host) -> Iterator[Target]:
    yield target_of(host)
    names = host.run("ls", "/var/lib/deploynix/units", check=False).stdout.split()
    for name in names:
        units.clean(target_of(host), name)
    host.run("rm", "-f", "/root/starts")


@dataclass
class Watch:
    """One watcher of a unit."""

    target: Target
    script: Path
    name: str = "dnx-job-step-1"
    output: bytes = b""
    should_stop: Callable[[Any], bool] = lambda watch: False
    options: dict[str, Any] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def hear(self, chunk: bytes) -> None:
        self.output += chunk

    def run(self) -> int:
        return units.start_or_follow(
            self.target,
            self.name,
            self.script,
            values=self.values,
            on_output=self.hear,
            should_stop=lambda: self.should_stop(self),
            **{"timeout": 60, **self.options},
        )


@pytest.fixture
def counting(target: Target, tmp_path: Path) -> Watch:
    return Watch(target, script(tmp_path, "counting.sh", COUNTING), values={"ROUNDS": "30"})


def lines(count: int) -> bytes:
    return b"".join(b"line %d\n" % n for n in range(count))


def starts(host: Host) -> int:
    return host.run("cat", "/root/starts", check=False).stdout.count("start")


def test_output_and_exit_code(target: Target, tmp_path: Path) -> None:
    watch = Watch(
        target, script(tmp_path, "fails.sh", "set -eu\nmain() { echo out; echo err >&2; cat; exit 7; }\nmain\n")
    )
    assert (watch.run(), watch.output) == (7, b"out\nerr\n")
    # Once more: it has ended, so it is only told.
    again = Watch(target, watch.script)
    assert (again.run(), again.output) == (7, b"out\nerr\n")


def test_a_daemon_reload_does_not_make_it_run_twice(host: Host, target: Target, tmp_path: Path) -> None:
    """As installing a package does it, more than once."""
    reloading = "main() {\n  echo start >>/root/starts\n  systemctl daemon-reload\n  echo reloaded\n}\nmain\n"
    for user in ("root", "debian"):
        text = reloading if user == "root" else "sudo systemctl daemon-reload; echo reloaded\n"
        watch = Watch(target, script(tmp_path, "reload.sh", text), f"dnx-{user}", options={"user": user})
        assert (watch.run(), watch.output) == (0, b"reloaded\n")
    assert starts(host) == 1
    assert host.run("ls", "/run/systemd/system").stdout == ""


def test_a_unit_killed_by_a_signal(target: Target, tmp_path: Path) -> None:
    assert Watch(target, script(tmp_path, "dies.sh", "kill -9 $$\n")).run() == 128 + 9


SHELL = """set -euo pipefail
main() {
    printf '%s\\0' "$HOSTILE" "$LONG" "$(cat)" "$(id -un) $HOME $PWD $(umask)"
    ps axww -o args
}
main
"""
PYTHON = """import json, os, pwd, subprocess, sys
values = json.loads(sys.stdin.buffer.readline())
who = f"{pwd.getpwuid(os.getuid()).pw_name} {os.environ['HOME']} {os.getcwd()} {os.umask(0):04o}"
print(values["HOSTILE"], values["LONG"], sys.stdin.read(), who, "", sep="\\0", end="", flush=True)
subprocess.run(["ps", "axww", "-o", "args"], check=True)
"""


@pytest.mark.parametrize(("name", "text"), [("values.sh", SHELL), ("values.py", PYTHON)])
@pytest.mark.parametrize(("login", "user", "home"), [("root", "debian", "/home/debian"), ("debian", "root", "/root")])
def test_any_text_reaches_a_unit_of_any_user_unseen(
    host: Host, target: Target, tmp_path: Path, name: str, text: str, login: str, user: str, home: str
) -> None:
    values = {"HOSTILE": HOSTILE + "canary-7391", "LONG": LONG}
    watch = Watch(target_of(host, login), script(tmp_path, name, text), values=values, options={"user": user})
    code = watch.run()
    *received, processes = watch.output.decode().split("\0")

    assert code == 0
    assert received == [HOSTILE + "canary-7391", LONG, "", f"{user} {home} {home} 0022"]
    assert name in processes
    assert "canary-7391" not in processes
    left = "grep -rl canary-7391 /run/deploynix /run/systemd /var/lib/deploynix/units --exclude log"
    assert host.run("sh", "-c", left, check=False).stdout == ""
    assert "canary-7391" not in host.run("journalctl", "--no-pager").stdout


def test_the_values_lie_open_to_root_only_while_it_runs(host: Host, counting: Watch) -> None:
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(counting.run)
        assert wait_until(lambda: starts(host) == 1, 10)
        listed = host.run("stat", "-c", "%a %U", "/run/deploynix", f"/run/deploynix/{counting.name}").stdout
        assert listed == "700 root\n600 root\n"
        assert ending.result(20) == 0
    assert host.run("ls", "/run/deploynix").stdout == ""


def test_cancelling_ends_every_process(host: Host, target: Target, tmp_path: Path) -> None:
    tree = "sleep 4711 &\nsetsid sleep 4711 &\n(trap '' TERM; nohup sleep 4711) &\necho began\nwait\n"
    watch = Watch(target, script(tmp_path, "tree.sh", tree), should_stop=lambda watch: b"began" in watch.output)

    assert watch.run() == 128 + signal.SIGTERM
    assert host.run("pgrep", "-f", "sleep 4711", check=False).stdout == ""


def test_a_unit_that_takes_too_long_is_ended(host: Host, counting: Watch) -> None:
    counting.options = {"timeout": 1}
    counting.values = {"ROUNDS": "1000"}
    with pytest.raises(ssh.TimedOut, match=r"counting.sh did not finish within 1 seconds"):
        counting.run()
    assert host.run("systemctl", "is-active", counting.name, check=False).stdout == "inactive\n"


@pytest.mark.parametrize("break_connection", [lose, freeze])
def test_a_lost_connection_loses_no_line(host: Host, counting: Watch, break_connection: Callable[[Host], None]) -> None:
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(counting.run)
        assert wait_until(lambda: b"line 3" in counting.output, 10)
        break_connection(host)
        # Longer than it takes to notice that nobody answers: three keepalives of two seconds.
        assert break_connection is lose or not wait_until(ending.done, 9)
        host.thaw()
        assert ending.result(40) == 0

    assert counting.output == lines(30)
    assert starts(host) == 1


CLIENT = """import sys
from pathlib import Path
import django
django.setup()
from servers import units
from servers.ssh import Target
host, key, host_key, script = sys.argv[1:]
target = Target(host, 22, "root", Path(key).read_text(), host_key)
def hear(chunk):
    sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()
units.start_or_follow(target, "dnx-job-step-1", Path(script), values={"ROUNDS": "30"}, on_output=hear,
                      should_stop=lambda: False, timeout=60)
"""


def test_a_unit_outlives_a_killed_worker_and_the_next_one_follows_it(host: Host, counting: Watch) -> None:
    argv = [sys.executable, "-c", CLIENT, host.ip, str(host.private_key_path), host.host_key, str(counting.script)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}) as first:
        assert first.stdout
        heard = b"".join(first.stdout.readline() for _ in range(5))
        first.kill()

    counting.options = {"offset": len(heard)}
    assert counting.run() == 0
    assert heard + counting.output == lines(30)
    assert starts(host) == 1


def test_two_watchers_start_it_once(host: Host, counting: Watch) -> None:
    counting.values = {"ROUNDS": "5"}
    watches = [Watch(counting.target, counting.script, values=counting.values) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        codes = list(pool.map(Watch.run, watches))

    assert codes == [0] * 6
    assert {watch.output for watch in watches} == {lines(5)}
    assert starts(host) == 1


def test_after_a_restart_of_the_server_it_runs_again(target_host: Host, tmp_path: Path) -> None:
    text = "[[ -e /root/second ]] && { echo again; exit; }\ntouch /root/second\necho once\nsleep 600\n"
    watch = Watch(target_of(target_host), script(tmp_path, "twice.sh", text))
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(watch.run)
        assert wait_until(lambda: b"once" in watch.output, 10)
        target_host.run("systemctl", "reboot", check=False)
        assert ending.result(60) == 0

    assert watch.output == b"once\nagain\n"


def test_a_log_of_20_mb_needs_no_memory(target: Target, tmp_path: Path) -> None:
    size = 20 * 1024 * 1024
    noisy = script(tmp_path, "noisy.sh", f"head -c {size} <(yes 0123456789abcde)\n")
    digest, heard = hashlib.sha256(), 0

    def hear(chunk: bytes) -> None:
        nonlocal heard
        heard += len(chunk)
        digest.update(chunk)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    options: dict[str, Any] = {"values": {}, "on_output": hear, "should_stop": lambda: False, "timeout": 60}
    assert units.start_or_follow(target, "dnx-noisy", noisy, **options) == 0

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 12 * 1024
    assert heard == size
    assert digest.digest() == hashlib.sha256(b"0123456789abcde\n" * (size // 16)).digest()


def test_a_user_that_does_not_exist(counting: Watch) -> None:
    counting.options = {"user": "nobody-at-all"}
    with pytest.raises(ssh.CommandFailed, match="as nobody-at-all") as failure:
        counting.run()
    assert "Failed at step USER" in failure.value.tail


def test_a_name_that_was_cleaned_is_new(host: Host, counting: Watch) -> None:
    counting.values = {"ROUNDS": "1"}
    counting.run()
    units.clean(counting.target, counting.name)
    counting.run()

    assert starts(host) == 2
    units.clean(counting.target, counting.name)
    assert host.run("ls", "/var/lib/deploynix/units", "/run/deploynix").stdout.split() == [
        "/run/deploynix:",
        "/var/lib/deploynix/units:",
    ]
