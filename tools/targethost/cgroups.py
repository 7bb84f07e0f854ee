"""Control groups: what a lab starts can be found, frozen and ended by membership.

A name may belong to somebody else's process and a process id may have been reused; a group holds exactly what
was started in it, and everything those processes started in turn.
"""

import functools
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tools.targethost.process import LabError, Unsupported, wait_until

TOP = "deploynix-labs"
JOIN = Path(__file__).parent / "scripts" / "join.sh"


@functools.cache
def hierarchies() -> tuple[Path, ...]:
    """Where a group needs a folder: the unified hierarchy, then systemd's own where there are both."""
    unified, named = [], []
    for line in Path("/proc/mounts").read_text().splitlines():
        _, mount_point, kind, options, *_ = line.split()
        if kind == "cgroup2":
            unified.append(Path(mount_point))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            named.append(Path(mount_point))
    if not unified:
        raise Unsupported("this machine has no cgroup2 hierarchy mounted, which target hosts need")
    return (unified[0], *named[:1])


class Group:
    """One control group; its parts are a path below the folder that all labs of the machine share."""

    def __init__(self, *parts: str) -> None:
        self.folders = [top.joinpath(TOP, *parts) for top in hierarchies()]
        self.folder = self.folders[0]

    @property
    def is_populated(self) -> bool:
        return self._event("populated")

    def command(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` as a member of this group."""
        for folder in self.folders:
            folder.mkdir(parents=True, exist_ok=True)
        return ["sh", str(JOIN), *map(str, self.folders), "--", *argv]

    def launch(
        self,
        argv: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Starts a background process in this group, which outlives the caller; its output goes to `log`."""
        with log.open("wb") as output:
            subprocess.run(
                ["setsid", "--fork", *self.command(argv)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"PATH": os.environ["PATH"], **(env or {})},
                pass_fds=pass_fds,
                check=True,
            )
        if not wait_until(lambda: self.is_populated, 5):
            raise LabError(f"{argv[0]} ended at once: {log.read_text(errors='replace').strip()}")

    def freeze(self) -> None:
        """Stops the clock for every process of the group; returns once all of them stand still."""
        self._write("cgroup.freeze", "1")
        if not wait_until(lambda: self._event("frozen"), 10):
            raise LabError(f"the processes of {self.folder.name} cannot be frozen")

    def thaw(self) -> None:
        self._write("cgroup.freeze", "0")

    def end(self) -> None:
        """Kills every process of the group, if any, and removes it."""
        if self.is_populated:
            self._write("cgroup.kill", "1")
            if not wait_until(lambda: not self.is_populated, 10):
                raise LabError(f"the processes of {self.folder.name} do not end")
        for folder in self.folders:
            for path, _, _ in os.walk(folder, topdown=False):
                # One that the kernel has not quite let go of stays as an empty folder, and is used again.
                with suppress(OSError):
                    os.rmdir(path)

    def _event(self, name: str) -> bool:
        try:
            return f"{name} 1" in (self.folder / "cgroup.events").read_text().splitlines()
        except OSError:
            return False

    def _write(self, file: str, value: str) -> None:
        try:
            (self.folder / file).write_text(value)
        except FileNotFoundError:
            raise LabError(f"{self.folder.name} does not run") from None
