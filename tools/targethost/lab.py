"""A lab: a network, a package proxy and the hosts in it, apart from every other lab of the machine."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tools.targethost.builder import build_image, install_tools
from tools.targethost.cgroups import Group, hierarchies
from tools.targethost.hosts import Host
from tools.targethost.images import ImageStore, locked, remove_tree
from tools.targethost.network import Network
from tools.targethost.process import LabError, Unsupported, run
from tools.targethost.proxy import Proxy
from tools.targethost.seed import make_key

NAME = "lab"
NET = "10.88.0"
SUITE = "bookworm"


def default_cache() -> Path:
    """Where images, packages and the disks of running hosts are kept; several gigabytes."""
    return Path(os.environ.get("DEPLOYNIX_TARGET_HOSTS", "/var/cache/deploynix-target-hosts"))


class Lab:
    """Hosts `net`.2 to `net`.254 on a network of their own.

    Labs with different names and subnets can be up at once; they share images. Two objects of the same name
    are the same lab, also in different processes. Whatever an interrupted run left behind is cleaned up by
    `start` and `destroy`. Every method raises LabError, which says what to do.
    """

    def __init__(self, name: str = NAME, net: str = NET, cache: Path | None = None) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,10}", name):
            raise LabError(f"{name!r} is no lab name: a letter, then at most ten letters, digits or '-'")
        check_machine()
        self.name = name
        self.cache = cache or default_cache()
        self.folder = self.cache / "labs" / name
        self.hosts_folder = self.folder / "hosts"
        self.private_key_path = self.folder / "id_ed25519"
        self.images = ImageStore(self.cache)
        self.network = Network(name, net)
        packages = self.cache / "apt" / name
        self.proxy = Proxy(self.group("proxy"), self.folder / "proxy", packages, self.gateway)

    @property
    def gateway(self) -> str:
        """This machine's address in the lab: where hosts reach what a test serves."""
        return self.network.gateway

    @property
    def public_key(self) -> str:
        return self.private_key_path.with_suffix(".pub").read_text()

    def group(self, name: str) -> Group:
        return Group(self.name, name)

    def build(self, image: str = "base", suite: str = SUITE) -> bool:
        """Makes a base image if it is missing or out of date, about 40 s; tells whether it had to be made."""
        with locked(self.cache / "tools.lock"):
            install_tools()
        self.up()
        return build_image(self.images, self.group("build"), image, suite, self.proxy.apt_settings())

    def up(self) -> None:
        """Brings up the network and the package proxy, which `build` and `start` do by themselves."""
        with self._locked():
            self._up()

    def start(self, name: str, ip: str, image: str = "base") -> Host:
        """Boots a fresh host, in place of a dead one of that name; returns once sshd answers, about 1.2 s."""
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
            raise LabError(f"{name!r} is no host name: a letter, then letters, digits or '-'")
        host = Host(self, name, self.network.check_address(ip))
        with self._locked():
            self._up()
            self._check_free(host)
            host.boot(image)
        try:
            host.wait_until_ready()
        except BaseException:
            host.stop()
            raise
        return host

    def hosts(self) -> list[Host]:
        """Every host that was started and not stopped; `is_running` is false for those that died."""
        hosts = []
        for record in sorted(self.hosts_folder.glob("*/host.json")):
            # Stopped by somebody else since the folder was listed.
            with suppress(FileNotFoundError):
                hosts.append(Host(self, record.parent.name, json.loads(record.read_text())["ip"]))
        return hosts

    def host(self, name: str) -> Host:
        for host in self.hosts():
            if host.name == name:
                return host
        raise LabError(f"there is no host {name} in lab {self.name}")

    def destroy(self) -> None:
        """Ends all hosts, the proxy and the network. Images stay, and the subnet stays unreachable."""
        with self._locked():
            for host in self.hosts():
                host.stop()
            Group(self.name).end()
            self.network.down()
            if self.folder.exists():
                remove_tree(self.folder)

    def destroy_cache(self) -> None:
        """Removes all images and packages; refused while another lab on them is up."""
        self.destroy()
        others = [lab.name for lab in (self.cache / "labs").iterdir() if Group(lab.name).is_populated]
        if others:
            raise LabError(f"lab {', '.join(others)} is up and uses {self.cache}: destroy it first")
        remove_tree(self.cache)

    def _check_free(self, host: Host) -> None:
        for other in self.hosts():
            if other.is_running and (other.name == host.name or other.ip == host.ip):
                raise LabError(f"{other.name} runs at {other.ip}: stop it, or choose another name and address")

    def _up(self) -> None:
        self.hosts_folder.mkdir(parents=True, exist_ok=True)
        # The proxy runs as a user of its own, who has to get in whatever the caller's umask.
        for folder in (self.cache, self.folder.parent):
            folder.chmod(0o755)
        if not self.private_key_path.exists():
            make_key(self.private_key_path, "ed25519", f"lab {self.name}")
        self.network.up()
        self.proxy.up()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One change of a lab at a time, whichever process makes it."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(self.folder.with_suffix(".lock")):
            yield


def check_machine() -> None:
    """Raises Unsupported where target hosts cannot run, LabError where they could if it were root who asks."""
    if not Path("/etc/debian_version").exists():
        raise Unsupported("target hosts need a Debian machine, for its packages and its mirror")
    hierarchies()
    if os.geteuid() != 0:
        raise LabError("target hosts need root: they make namespaces, control groups and a network bridge")
    try:
        run("unshare", "--mount", "--net", "true")
    except LabError as error:
        raise Unsupported(f"this machine does not let root make namespaces: {error}") from error
