"""What a cloud writes on a new server's disk: name, address, host keys and who may log in."""

import os
from dataclasses import dataclass
from pathlib import Path

from tools.targethost.process import run

# No RSA: making one takes seconds.
HOST_KEY_TYPES = ("ed25519", "ecdsa")
DEBIAN_UID = 1000


@dataclass(frozen=True)
class Seed:
    name: str
    ip: str
    gateway: str
    authorized_key: str
    apt_settings: str

    def write(self, disk: Path) -> None:
        """Writes into the folder that lies on top of the host's image."""
        for path, text in self._system_files().items():
            write_file(disk, path, text)
        for home, owner in {"root": 0, "home/debian": DEBIAN_UID}.items():
            for folder in (home, f"{home}/.ssh"):
                make_folder(disk, folder, 0o700, owner)
            write_file(disk, f"{home}/.ssh/authorized_keys", self.authorized_key, 0o600, owner)
        make_folder(disk, "etc/ssh")
        for kind in HOST_KEY_TYPES:
            make_key(disk / f"etc/ssh/ssh_host_{kind}_key", kind, f"root@{self.name}")

    def _system_files(self) -> dict[str, str]:
        return {
            "etc/hostname": f"{self.name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n127.0.1.1 {self.name}\n::1 localhost ip6-localhost\n",
            # Nobody answers there, so a look-up fails at once.
            "etc/resolv.conf": f"nameserver {self.gateway}\n",
            "etc/network/interfaces": (
                f"auto lo host0\niface lo inet loopback\niface host0 inet static\n    address {self.ip}/24\n"
            ),
            "etc/apt/apt.conf.d/90lab": self.apt_settings,
        }


def make_key(path: Path, kind: str, comment: str) -> None:
    """Makes an SSH key pair without a passphrase: `path` and `path`.pub."""
    run("ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(path))


def make_folder(disk: Path, path: str, mode: int = 0o755, owner: int = 0) -> None:
    """Makes a folder and those above it; the caller's umask has no say in what a server's disk looks like."""
    folder = disk / path
    if not folder.parent.is_dir():
        make_folder(disk, os.path.dirname(path))
    folder.mkdir(exist_ok=True)
    folder.chmod(mode)
    os.chown(folder, owner, owner)


def write_file(disk: Path, path: str, text: str, mode: int = 0o644, owner: int = 0) -> None:
    if not (disk / path).parent.is_dir():
        make_folder(disk, os.path.dirname(path))
    file = disk / path
    file.write_text(text)
    file.chmod(mode)
    os.chown(file, owner, owner)
