"""One target host: booting it, talking to it, keeping or throwing away its disk."""

import json
import os
import shlex
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tools.targethost.cgroups import Group
from tools.targethost.images import Layer, remove_tree
from tools.targethost.network import machine_of, remove_device
from tools.targethost.process import LabError, wait_until
from tools.targethost.seed import HOST_KEY_TYPES, Seed

if TYPE_CHECKING:
    from tools.targethost.lab import Lab

BOOT = Path(__file__).parent / "scripts" / "boot.sh"
# systemd's own word for "power off", see systemd(1), "Signals".
POWER_OFF = signal.SIGRTMIN + 4


class Host:
    """A server that boots Debian, at `ip`; `lab.start` makes one."""

    def __init__(self, lab: "Lab", name: str, ip: str) -> None:
        self.lab = lab
        self.name = name
        self.ip = ip
        self.folder = lab.hosts_folder / name
        self._group: Group = lab.group(f"host-{name}")

    @property
    def is_running(self) -> bool:
        return self._group.is_populated

    @property
    def host_key(self) -> str:
        """The public ed25519 key of its sshd, as `type base64`."""
        return self._host_keys()[0]

    @property
    def private_key_path(self) -> Path:
        """The private key that logs in as root and as debian (who may sudo)."""
        return self.lab.private_key_path

    @property
    def image(self) -> str:
        """The name of the image that it was started from."""
        return str(self._record()["image"])

    def ssh_command(self, *argv: str, user: str = "root") -> list[str]:
        """The ssh command line that runs `argv` on the host, or opens a shell; the host key is checked."""
        options = {
            "BatchMode": "yes",
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.folder / "known_hosts",
            "GlobalKnownHostsFile": "/dev/null",
        }
        settings = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        return ["ssh", "-F", "none", "-i", str(self.private_key_path), *settings, f"{user}@{self.ip}", *argv]

    def run(
        self, *argv: str, user: str = "root", stdin: str = "", check: bool = True, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        """Runs a program over SSH, each argument arriving as it is given here.

        Raises LabError when it fails, unless `check` is off, and TimeoutExpired after `timeout` seconds.
        """
        command = self.ssh_command(shlex.join(argv), user=user)
        result = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False)
        if check and result.returncode != 0:
            code, complaint = result.returncode, result.stderr.strip()
            raise LabError(f"{shlex.join(argv)} on {self.name} ended with {code}: {complaint}")
        return result

    def shell_command(self, *argv: str) -> list[str]:
        """The command line that enters the host from below, for when its sshd does not answer."""
        target = f"--target={self._first_process()}"
        return ["nsenter", target, "--all", "--wdns=/", "--", *(argv or ("/bin/bash",))]

    def boot(self, image: str) -> None:
        """Gives the host a fresh disk on top of the image and powers it on; does not wait for sshd."""
        self.stop()
        with self.lab.images.hold(image) as layers:
            self._prepare_disk(image, layers)
            environment = {
                "LAYERS": ":".join(str(layer.root) for layer in layers),
                "UPPER": str(self.folder / "upper"),
                "WORK": str(self.folder / "work"),
                "ROOT": str(self.folder / "root"),
                "HOST_NAME": self.name,
                "MACHINE": machine_of(self.ip),
                "BRIDGE": self.lab.network.bridge,
            }
            argv = ["unshare", "--mount", "--propagation", "private", "--", "sh", str(BOOT)]
            locks = [layer.lock for layer in layers]
            self._group.launch(argv, self.folder / "console.log", environment, locks)

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Returns once sshd greets, which is later than its port is open; raises LabError if it does not."""
        wait_until(lambda: self._greets() or not self.is_running, seconds)
        if not self._greets():
            console = (self.folder / "console.log").read_text(errors="replace")
            raise LabError(f"{self.name} does not answer at {self.ip}:22; its console:\n{console[-2000:]}")

    def freeze(self) -> None:
        """Makes the host hang: its connections stay open, and nothing answers until `thaw`."""
        self._group.freeze()

    def thaw(self) -> None:
        self._group.thaw()

    def snapshot(self, image: str) -> None:
        """Powers the host off in good order and keeps its disk as an image."""
        with self.lab.images.new_layer(image, parent=str(self._record()["layer"])) as layer:
            self._power_off()
            (self.folder / "upper").rename(layer.root)
            # Hosts made from the image get an identity each.
            (layer.root / "etc/machine-id").write_text("")
        self.stop()

    def stop(self) -> None:
        """Powers the host off at once, if it runs, and throws its disk away."""
        self._group.end()
        remove_device(f"vb-{machine_of(self.ip)}")
        if self.folder.exists():
            remove_tree(self.folder)

    def _prepare_disk(self, image: str, layers: list[Layer]) -> None:
        for name in ("upper", "work", "root"):
            (self.folder / name).mkdir(parents=True)
            (self.folder / name).chmod(0o755)
        seed = Seed(self.name, self.ip, self.lab.gateway, self.lab.public_key, self.lab.proxy.apt_settings())
        seed.write(self.folder / "upper")
        record = {"ip": self.ip, "image": image, "layer": layers[0].folder.name}
        (self.folder / "known_hosts").write_text("".join(f"{self.ip} {key}\n" for key in self._host_keys()))
        # Renamed into place: `lab.hosts()` may be reading in another process.
        (self.folder / "new.json").write_text(json.dumps(record))
        (self.folder / "new.json").rename(self.folder / "host.json")

    def _host_keys(self) -> list[str]:
        files = [self.folder / f"upper/etc/ssh/ssh_host_{kind}_key.pub" for kind in HOST_KEY_TYPES]
        return [" ".join(file.read_text().split()[:2]) for file in files]

    def _record(self) -> dict[str, str]:
        record: dict[str, str] = json.loads((self.folder / "host.json").read_text())
        return record

    def _greets(self) -> bool:
        with suppress(OSError), socket.create_connection((self.ip, 22), timeout=2) as connection:
            return connection.recv(8).startswith(b"SSH-2.0-")
        return False

    def _first_process(self) -> int:
        """The process id, on this machine, of the host's PID 1."""
        with suppress(OSError, IndexError):
            return int((self._group.folder / "payload/init.scope/cgroup.procs").read_text().split()[0])
        raise LabError(f"{self.name} does not run, or has not booted yet")

    def _power_off(self) -> None:
        self.thaw()
        os.kill(self._first_process(), POWER_OFF)
        if not wait_until(lambda: not self.is_running, 60):
            raise LabError(f"{self.name} does not power off, so its disk cannot be kept; it runs on")
