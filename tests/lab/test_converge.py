"""A server's configuration: what differs is told, what is applied works or is put back, and nobody is locked out."""

import difflib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from servers import converge as client
from servers import ssh
from servers.converge import Change, ChangeNotConfirmed, ConvergeFailed, compare, converge
from servers.managed import Managed, ManagedDirectory, ManagedFile, ManagedLink
from servers.ssh import Target
from tests.lab.reach import started, target_of
from tools.targethost import Host, Lab
from tools.targethost.process import wait_until

pytestmark = pytest.mark.lab

# Counts its reloads, takes half a second for each or as long as /root/hold is there, and refuses what says "bad".
SERVICE = b"""[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo begin >>/root/reloads; sleep 0.5; while [ -e /root/hold ]; do sleep 0.02; done; \\
    echo end >>/root/reloads; ! grep -rqs bad /etc/dnx'
"""


@pytest.fixture(scope="module")
def host(lab: Lab, addresses: Iterator[str]) -> Iterator[Host]:
    for host in started(lab, addresses):
        host.run("tee", "/etc/systemd/system/counted.service", stdin=SERVICE.decode())
        host.run("systemctl", "start", "counted")
        yield host


@pytest.fixture
def target(host: Host) -> Iterator[Target]:
    host.run("rm", "-f", "/root/reloads")
    host.run("install", "-d", "/etc/dnx")
    yield target_of(host)
    converge(target_of(host), [])


def text(host: Host, path: str) -> str:
    return host.run("cat", path).stdout


def exists(host: Host, path: str) -> bool:
    return host.run("test", "-e", path, "-o", "-L", path, check=False).returncode == 0


def rights(host: Host, path: str) -> str:
    return host.run("stat", "-c", "%a %U:%G", path).stdout.strip()


def reloads(host: Host) -> list[str]:
    return host.run("cat", "/root/reloads", check=False).stdout.split()


def actions(changes: tuple[Change, ...]) -> dict[str, str]:
    return {change.path: change.action for change in changes}


def file(path: str, content: str, **options: Any) -> ManagedFile:
    return ManagedFile(path=path, content=content.encode(), **options)


def test_create_update_mode_and_delete(host: Host, target: Target) -> None:
    wanted: list[Managed] = [
        ManagedDirectory(path="/etc/dnx/sub", mode=0o750, group="www-data"),
        file("/etc/dnx/sub/a", "one\ntwo\n", reload="counted"),
        file("/etc/dnx/b", "b\n", mode=0o640, owner="debian", group="debian"),
        ManagedLink(path="/etc/dnx/link", target="/etc/dnx/b"),
    ]
    first = converge(target, wanted)
    assert actions(first.changed) == {item.path: "create" for item in wanted}
    assert first.reloaded == ("counted",)
    assert text(host, "/etc/dnx/link") == "b\n"
    assert rights(host, "/etc/dnx/sub") == "750 root:www-data"
    assert rights(host, "/etc/dnx/b") == "640 debian:debian"

    again = converge(target, wanted)
    assert (again.changed, again.reloaded, reloads(host)) == ((), (), ["begin", "end"])

    host.run("chmod", "666", "/etc/dnx/b")
    wanted[1] = file("/etc/dnx/sub/a", "one\n2\n", reload="counted")
    changed = {change.path: change for change in converge(target, wanted).changed}
    assert changed["/etc/dnx/sub/a"].action == "update"
    assert changed["/etc/dnx/sub/a"].diff == "".join(
        difflib.unified_diff(["one\n", "two\n"], ["one\n", "2\n"], "/etc/dnx/sub/a", "/etc/dnx/sub/a")
    )
    assert changed["/etc/dnx/b"].action == "mode"
    assert "-file 0666 1000:1000\n+file 0640 1000:1000" in (changed["/etc/dnx/b"].diff or "")
    assert rights(host, "/etc/dnx/b") == "640 debian:debian"

    host.run("touch", "/etc/dnx/not-ours")
    last = converge(target, [])
    assert actions(last.changed) == {item.path: "delete" for item in wanted}
    assert last.reloaded == ("counted",)
    assert host.run("ls", "/etc/dnx").stdout == "not-ours\n"


def test_comparing_tells_the_same_and_changes_nothing(host: Host, target: Target) -> None:
    wanted = [file("/etc/dnx/a", "kept\n", reload="counted")]
    converge(target, wanted)
    host.run("sh", "-c", "echo by hand >>/etc/dnx/a")

    (change,) = compare(target, wanted)
    assert (change.path, change.action) == ("/etc/dnx/a", "update")
    assert "-by hand\n" in (change.diff or "")
    assert text(host, "/etc/dnx/a") == "kept\nby hand\n"
    assert converge(target, wanted).changed == (change,)
    assert compare(target, wanted) == ()


def test_a_server_with_nothing_to_change_takes_one_round_trip(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = [file(f"/etc/dnx/{number}", f"{number}\n" * 100) for number in range(50)]
    converge(target, wanted)
    real, trips = ssh.run_script, []

    def counted(*given: Any, **options: Any) -> ssh.Result:
        trips.append(given)
        return real(*given, **options)

    monkeypatch.setattr(ssh, "run_script", counted)
    assert converge(target, wanted).changed == ()
    assert len(trips) == 1


def test_a_login_that_becomes_root(host: Host, target: Target) -> None:
    converge(target_of(host, "debian"), [file("/etc/dnx/a", "by sudo\n")])
    assert rights(host, "/etc/dnx/a") == "644 root:root"


BROKEN = [
    pytest.param(file("/etc/ssh/sshd_config.d/90-dnx.conf", "Nonsense yes\n", validate="sshd"), "Nonsense", id="sshd"),
    pytest.param(
        file("/etc/sudoers.d/90-dnx", "this is wrong\n", mode=0o440, validate="visudo"), "visudo", id="visudo"
    ),
    pytest.param(file("/etc/nftables.conf", "table inet x { wrong }\n", validate="nftables"), "wrong", id="nftables"),
    pytest.param(file("/etc/dnx/reloaded", "bad\n", reload="counted"), "counted", id="reload"),
    pytest.param(file("/etc/dnx/missing/folder", "x\n"), "folder does not exist", id="folder"),
    pytest.param(file("/etc/dnx/owned", "x\n", owner="nobody-at-all"), "nobody-at-all", id="owner"),
    pytest.param(file("/etc/dnx/judged", "x\n", validate="nothing"), "no validator", id="validator"),
    pytest.param(file("/etc/dnx/away", "x\n", reload="no-such-service"), "no-such-service", id="service"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_failure_puts_all_of_it_back(host: Host, target: Target, broken: ManagedFile, reason: str) -> None:
    before = [
        file("/etc/dnx/a", "a\n", reload="counted"),
        file("/etc/dnx/gone", "gone\n", mode=0o600),
        ManagedLink(path="/etc/dnx/link", target="a"),
    ]
    converge(target, before)
    original = host.run("cat", broken.path, check=False).stdout
    manifest = text(host, "/var/lib/deploynix/manifest.json")

    with pytest.raises(ConvergeFailed) as failure:
        converge(target, [file("/etc/dnx/a", "other\n", reload="counted"), broken])

    assert reason in failure.value.command + failure.value.output
    assert text(host, "/etc/dnx/link") == "a\n"
    assert text(host, "/etc/dnx/gone") == "gone\n"
    assert rights(host, "/etc/dnx/gone") == "600 root:root"
    assert host.run("cat", broken.path, check=False).stdout == original
    assert exists(host, broken.path) == bool(original)
    assert text(host, "/var/lib/deploynix/manifest.json") == manifest
    assert host.run("find", "/etc", "-name", ".*.dnx").stdout == ""
    assert compare(target, before) == ()
    host.run("sshd", "-t")


def test_services_take_back_what_was_put_back(host: Host, target: Target) -> None:
    host.run("sh", "-c", "apt-get update -qq && apt-get install -qqy --no-install-recommends nginx-light")
    site = "/etc/nginx/conf.d/dnx.conf"
    serve = "server {{ listen 8099; return 200 {}; }}\n"

    def served() -> str:
        return host.run("curl", "-s", "http://127.0.0.1:8099/", check=False).stdout

    converge(target, [file(site, serve.format("one"), validate="nginx", reload="nginx")])
    assert wait_until(lambda: served() == "one", 5)
    with pytest.raises(ConvergeFailed, match="`nginx -t` failed"):
        converge(target, [file(site, serve.format("one two three"), validate="nginx", reload="nginx")])
    with pytest.raises(ConvergeFailed, match="counted"):
        converge(
            target,
            [
                file(site, serve.format("two"), validate="nginx", reload="nginx"),
                file("/etc/dnx/z", "bad\n", reload="counted"),
            ],
        )
    assert wait_until(lambda: served() == "one", 5)


def test_what_a_killed_run_left_is_finished_by_the_next(host: Host, target: Target) -> None:
    host.run("touch", "/root/hold")
    with ThreadPoolExecutor() as pool:
        doomed = pool.submit(converge, target, [file("/etc/dnx/a", "new\n", reload="counted")])
        assert wait_until(lambda: reloads(host) == ["begin"], 20)
        host.run("pkill", "-9", "-f", "converge$")
        with pytest.raises(ssh.CommandFailed):
            doomed.result(10)
    host.run("rm", "/root/hold")

    outcome = converge(target, [file("/etc/dnx/a", "new\n", reload="counted")])
    assert (outcome.changed, outcome.reloaded) == ((), ("counted",))
    assert converge(target, [file("/etc/dnx/a", "new\n", reload="counted")]).reloaded == ()


def test_two_at_once_follow_each_other(host: Host, target: Target) -> None:
    def apply(number: int) -> None:
        converge(target, [file("/etc/dnx/a", f"{number}\n", reload="counted")])

    with ThreadPoolExecutor() as pool:
        list(pool.map(apply, range(4)))
    assert reloads(host) == ["begin", "end"] * 4


# --- secrets ----------------------------------------------------------------


def test_the_text_of_a_secret_file_never_leaves_the_server(
    host: Host, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: list[bytes] = []
    run_script = ssh.run_script

    def listening(*arguments: Any, **options: Any) -> ssh.Result:
        answers.append((result := run_script(*arguments, **options)).output)
        return result

    monkeypatch.setattr(ssh, "run_script", listening)
    path = "/etc/sudoers.d/91-dnx"

    def secret(content: str) -> list[Managed]:
        return [file(path, content, mode=0o440, validate="visudo", secret=True)]

    (created,) = converge(target, secret("# canary-1111\n")).changed
    host.run("sh", "-c", f"echo '# canary-2222' >>{path}")
    (drifted,) = compare(target, secret("# canary-1111\n"))
    (updated,) = converge(target, secret("# canary-3333\n")).changed
    with pytest.raises(ConvergeFailed, match="visudo") as failure:
        converge(target, secret("canary-4444 is wrong canary-5555\n"))
    (deleted,) = converge(target, []).changed

    changes = (created, drifted, updated, deleted)
    assert [change.action for change in changes] == ["create", "update", "update", "delete"]
    assert {(change.diff, change.secret) for change in changes} == {(None, True)}
    assert failure.value.path == path
    assert len(answers) == 5
    assert not any(b"canary" in answer for answer in answers)


def test_a_file_that_was_secret_stays_so_in_the_diff(target: Target) -> None:
    converge(target, [file("/etc/dnx/a", "canary\n", secret=True)])
    (change,) = converge(target, [file("/etc/dnx/a", "open\n")]).changed
    assert change.diff is None


# --- users who would lead us elsewhere ----------------------------------------


def in_the_home_of_debian(path: str) -> list[Managed]:
    return [file(f"/home/debian/{path}", "ours\n", owner="debian", group="debian")]


def test_a_folder_replaced_by_a_link_is_refused(host: Host, target: Target) -> None:
    host.run("sh", "-c", "cd; rm -rf app; ln -s /etc app", user="debian")
    before = text(host, "/etc/passwd")
    with pytest.raises(ConvergeFailed, match="/home/debian/app/passwd") as refusal:
        converge(target, in_the_home_of_debian("app/passwd"))

    assert "app is a link" in refusal.value.output
    assert text(host, "/etc/passwd") == before
    host.run("rm", "/home/debian/app")


def test_a_file_replaced_by_a_link_is_replaced_and_its_target_left(host: Host, target: Target) -> None:
    shadow = text(host, "/etc/shadow")
    host.run("sh", "-c", "cd; ln -sf /etc/shadow dotenv; ln -sf /etc/shadow .dotenv.dnx", user="debian")
    (change,) = converge(target, in_the_home_of_debian("dotenv")).changed

    assert change.diff
    assert "root:" not in change.diff
    assert text(host, "/etc/shadow") == shadow
    assert text(host, "/home/debian/dotenv") == "ours\n"
    assert rights(host, "/home/debian/dotenv") == "644 debian:debian"
    assert rights(host, "/etc/shadow") == "640 root:shadow"


def test_a_hard_link_to_what_the_user_cannot_read_shows_nothing_of_it(host: Host, target: Target) -> None:
    host.run("sh", "-c", "cp /etc/shadow /home/debian/original; chmod 600 /home/debian/original")
    host.run("ln", "/home/debian/original", "/home/debian/linked")
    (change,) = compare(target, in_the_home_of_debian("linked"))
    assert change.diff is None


@pytest.mark.parametrize("path", ["/home/debian/a", "/tmp/a"])
def test_a_file_of_root_in_a_folder_of_somebody_else_is_refused(host: Host, target: Target, path: str) -> None:
    with pytest.raises(ConvergeFailed, match=path) as refusal:
        converge(target, [file(path, "ours\n")])
    assert "another user can write" in refusal.value.output
    assert not exists(host, path)


# --- changes that could lock us out -------------------------------------------

PORT = "/etc/ssh/sshd_config.d/10-dnx.conf"


def sshd(content: str) -> ManagedFile:
    return file(PORT, content, validate="sshd", reload="sshd", guarded=True)


def is_guarded(host: Host) -> bool:
    units = host.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "dnx-guard-*").stdout
    return bool(units) or exists(host, "/var/lib/deploynix/guard")


def entered(host: Host) -> bool:
    return host.run("true", check=False, timeout=5).returncode == 0


def test_a_change_under_which_a_new_login_works_stays(host: Host, target: Target) -> None:
    outcome = converge(target, [sshd("PermitEmptyPasswords no\n")], guard_seconds=2)

    assert outcome.confirmed
    assert outcome.reloaded == ("sshd",)
    assert not is_guarded(host)
    # Past the moment at which it would have been put back.
    time.sleep(2.5)
    assert text(host, PORT) == "PermitEmptyPasswords no\n"
    assert not converge(target, [sshd("PermitEmptyPasswords no\n")]).confirmed


def test_a_change_that_locks_us_out_puts_itself_back(host: Host, target: Target) -> None:
    unguarded = file("/etc/dnx/a", "stays\n")
    with pytest.raises(ChangeNotConfirmed, match="back within 3 seconds"):
        converge(target, [sshd("Port 2222\n"), unguarded], guard_seconds=3)

    assert wait_until(lambda: entered(host), 15)
    assert not exists(host, PORT)
    assert wait_until(lambda: not is_guarded(host), 5)
    assert text(host, "/etc/dnx/a") == "stays\n"
    assert actions(compare(target, [sshd("Port 2222\n"), unguarded])) == {PORT: "create"}


RULES = """flush ruleset
table inet filter {
    chain input {
        type filter hook input priority 0; policy POLICY;
        ct state established,related accept
    }
}
"""


def test_a_packet_filter_that_locks_us_out_puts_itself_back(target_host: Host) -> None:
    def rules(policy: str) -> list[Managed]:
        content = RULES.replace("POLICY", policy)
        return [file("/etc/nftables.conf", content, validate="nftables", reload="nftables", guarded=True)]

    target = target_of(target_host)
    converge(target, rules("accept"))
    with pytest.raises(ChangeNotConfirmed, match=r"does not answer|too late"):
        converge(target, rules("drop"), guard_seconds=3)

    assert wait_until(lambda: entered(target_host), 15)
    assert compare(target, rules("accept")) == ()


def test_a_worker_killed_before_it_confirmed(host: Host, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run confirms, with nothing left to change; or a further change keeps the first state to go back to."""

    def die(*arguments: Any) -> None:
        raise SystemExit

    def converge_and_die() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(client, "_confirm", die)
            converge(target, [sshd("MaxAuthTries 5\n")], guard_seconds=30)

    with pytest.raises(SystemExit):
        converge_and_die()
    assert is_guarded(host)
    with pytest.raises(ChangeNotConfirmed):
        converge(target, [sshd("Port 2222\n")], guard_seconds=2)
    assert wait_until(lambda: entered(host), 15)
    assert wait_until(lambda: not exists(host, PORT), 5)

    with pytest.raises(SystemExit):
        converge_and_die()
    outcome = converge(target, [sshd("MaxAuthTries 5\n")])
    assert (outcome.changed, outcome.confirmed) == ((), True)
    assert not is_guarded(host)


def test_a_failure_beside_a_guarded_change_leaves_no_guard(host: Host, target: Target) -> None:
    with pytest.raises(ConvergeFailed, match="counted"):
        converge(target, [sshd("MaxAuthTries 5\n"), file("/etc/dnx/a", "bad\n", reload="counted")])
    assert not exists(host, PORT)
    assert not is_guarded(host)
