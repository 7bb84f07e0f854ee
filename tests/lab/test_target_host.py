"""A target host is what tests take it for: a Debian server of one's own, and no way out of the lab."""

import json
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.targethost import Host, Lab, LabError
from tools.targethost.images import ImageStore
from tools.targethost.mirror import own_mirror
from tools.targethost.process import wait_until

pytestmark = pytest.mark.lab


def boot_id(host: Host) -> str:
    return host.run("cat", "/proc/sys/kernel/random/boot_id", check=False, timeout=10).stdout


def run_tool(lab: Lab, *argv: str) -> subprocess.CompletedProcess[str]:
    command = ["python3", "-m", "tools.targethost", f"--lab={lab.name}", f"--net={lab.gateway[:-2]}", *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_host_is_a_healthy_server_with_a_pinned_key(target_host: Host) -> None:
    state = target_host.run("systemctl", "is-system-running", "--wait")
    greeting = target_host.run("printf", "%s|", "two words", "$HOME", "'")

    assert state.stdout == "running\n"
    assert greeting.stdout == "two words|$HOME|'|"
    assert target_host.run("sudo", "id", "-u", user="debian").stdout == "0\n"
    assert target_host.run("nft", "add", "table", "inet", "own").returncode == 0


def test_a_host_with_another_key_is_not_trusted(target_host: Host, tmp_path: Path) -> None:
    known_hosts = target_host.folder / "known_hosts"
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    known_hosts.write_text(f"{target_host.ip} ssh-ed25519 {other}\n")

    with pytest.raises(LabError, match="Host key verification failed"):
        target_host.run("true")


def test_reboot_keeps_the_disk_and_the_host_key(target_host: Host) -> None:
    before = boot_id(target_host)
    target_host.run("touch", "/root/kept")
    target_host.run("systemctl", "reboot", check=False)

    assert wait_until(lambda: boot_id(target_host) not in ("", before), 30)
    target_host.run("test", "-e", "/root/kept")


def test_a_frozen_host_hangs_and_goes_on(target_host: Host) -> None:
    target_host.freeze()
    with pytest.raises(subprocess.TimeoutExpired):
        target_host.run("true", timeout=1)

    target_host.thaw()
    assert target_host.run("echo", "back").stdout == "back\n"


def test_a_frozen_host_can_be_stopped(lab: Lab, target_host: Host) -> None:
    target_host.freeze()
    target_host.stop()

    assert target_host.name not in [host.name for host in lab.hosts()]


def test_nothing_leaves_the_lab(lab: Lab, target_host: Host) -> None:
    mirror = urlsplit(own_mirror().archive)
    outside = (socket.gethostbyname(mirror.hostname or ""), mirror.port or 80)
    connect = f"import socket; socket.create_connection({outside}, timeout=2)"
    socket.create_connection(outside, timeout=5).close()

    assert "Network is unreachable" in target_host.run("python3", "-c", connect, check=False).stderr
    # Not even for root on the host, who can set any route.
    target_host.run("ip", "route", "add", "default", "via", lab.gateway)
    assert "timed out" in target_host.run("python3", "-c", connect, check=False).stderr


def test_packages_come_from_the_machines_mirror_and_from_nowhere_else(lab: Lab, target_host: Host) -> None:
    target_host.run("apt-get", "update", "-qq")
    target_host.run("apt-get", "install", "-qq", "tree")
    assert target_host.run("tree", "--version").stdout.startswith("tree v")

    proxy = f"http://{lab.gateway}:3142"
    refused = target_host.run("curl", "-sS", "-o/dev/null", "-w%{http_code}", "-x", proxy, "http://example.test/")
    assert refused.stdout == "403"


def test_a_snapshot_starts_hosts_with_what_was_installed_and_keys_of_their_own(
    lab: Lab, target_host: Host, addresses: Iterator[str]
) -> None:
    target_host.run("touch", "/etc/provisioned")
    target_host.run("rm", "/etc/debian_version")
    first_key, first_id = target_host.host_key, target_host.run("cat", "/etc/machine-id").stdout
    target_host.snapshot(f"{lab.name}-provisioned")

    copy = lab.start("copy", next(addresses), image=f"{lab.name}-provisioned")
    try:
        copy.run("test", "-e", "/etc/provisioned", "-a", "!", "-e", "/etc/debian_version")
        assert copy.host_key != first_key
        assert copy.run("cat", "/etc/machine-id").stdout != first_id
        # Replaced while a host runs on what it was before.
        copy.snapshot(f"{lab.name}-provisioned")
    finally:
        copy.stop()


def test_hosts_start_side_by_side_and_see_each_other(lab: Lab, addresses: Iterator[str]) -> None:
    with ThreadPoolExecutor() as pool:
        hosts = list(pool.map(lambda n: lab.start(f"side-{n}", next(addresses)), range(4)))
    try:
        assert len({host.host_key for host in hosts}) == 4
        assert hosts[0].run("ping", "-c1", "-W2", hosts[3].ip).returncode == 0
    finally:
        for host in hosts:
            host.stop()


def test_a_name_or_address_in_use_is_refused(lab: Lab, target_host: Host, addresses: Iterator[str]) -> None:
    with pytest.raises(LabError, match="stop it, or choose another"):
        lab.start(target_host.name, next(addresses))
    with pytest.raises(LabError, match="stop it, or choose another"):
        lab.start("other", target_host.ip)
    with pytest.raises(LabError, match="not a host address"):
        lab.start("other", lab.gateway)
    with pytest.raises(LabError, match="there is no image nonsense"):
        lab.start("other", next(addresses), image="nonsense")
    assert target_host.run("echo", "unharmed").stdout == "unharmed\n"


def test_a_dead_host_is_replaced(lab: Lab, target_host: Host) -> None:
    lab.group(f"host-{target_host.name}").end()
    assert run_tool(lab, "list").stdout == f"{target_host.name} {target_host.ip} base dead\n"

    again = lab.start(target_host.name, target_host.ip)

    assert again.run("hostname").stdout == f"{target_host.name}\n"


@pytest.fixture
def second_lab(lab: Lab) -> Iterator[Lab]:
    lab = Lab(f"{lab.name}-two", f"10.90.{lab.gateway.split('.')[2]}")
    yield lab
    lab.destroy()


def test_two_labs_at_once_and_one_goes(lab: Lab, second_lab: Lab, target_host: Host) -> None:
    namesake = second_lab.start(target_host.name, f"{second_lab.gateway}0")
    assert namesake.run("hostname").stdout == target_host.run("hostname").stdout
    assert namesake.run("ping", "-c1", "-W1", target_host.ip, check=False).returncode != 0

    second_lab.destroy()

    assert not second_lab.folder.exists()
    assert target_host.run("echo", "here").stdout == "here\n"
    route = json.loads(subprocess.check_output(["ip", "-json", "route", "show", str(second_lab.network.subnet)]))
    assert [entry["type"] for entry in route] == ["unreachable"]
    with pytest.raises(LabError, match=r"unreachable|No route to host"):
        Host(lab, target_host.name, namesake.ip).run("true")


def test_a_subnet_in_use_is_refused(lab: Lab) -> None:
    thief = Lab("thief", lab.gateway[:-2])
    with pytest.raises(LabError, match="choose another name and subnet"):
        thief.up()
    thief.destroy()
    with pytest.raises(LabError, match="choose another name and subnet"):
        Lab(lab.name, "10.91.0").up()


def test_the_command_line(lab: Lab, addresses: Iterator[str]) -> None:
    ip = next(addresses)
    assert run_tool(lab, "start", "cli", ip).stderr == ""
    assert f"cli {ip} base running\n" in run_tool(lab, "list").stdout
    assert run_tool(lab, "ssh", "cli", "hostname").stdout == "cli\n"
    assert run_tool(lab, "shell", "cli", "hostname").stdout == "cli\n"
    assert run_tool(lab, "stop", "cli").returncode == 0
    missing = run_tool(lab, "ssh", "cli", "true")
    assert missing.returncode == 1
    assert missing.stderr == f"target host: there is no host cli in lab {lab.name}\n"


def test_an_image_that_was_not_finished_is_never_used(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with suppress(KeyboardInterrupt), store.new_layer("base"):
        raise KeyboardInterrupt
    # Killed outright: nobody cleaned up.
    (store.layers / "base.dead").mkdir()

    with pytest.raises(LabError, match="no image base"), store.hold("base"):
        pass
    with store.new_layer("base") as layer:
        layer.root.mkdir()
    assert list(store.layers.iterdir()) == [layer.folder]


def test_an_image_stays_for_as_long_as_a_host_needs_it(tmp_path: Path) -> None:
    store = ImageStore(tmp_path)
    with store.new_layer("base") as old:
        pass
    with store.hold("base") as held:
        with store.new_layer("base") as new:
            pass
        assert [layer.folder for layer in held] == [old.folder]
        assert old.folder.exists()
    with store.new_layer("other", parent=new.folder.name):
        pass
    assert not old.folder.exists()
    with store.hold("other") as layers:
        assert layers[1].folder == new.folder
