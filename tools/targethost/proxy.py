"""The only way out of a lab: a caching package proxy that serves this machine's own Debian mirror."""

import pwd
import shutil
import socket
from pathlib import Path

from tools.targethost.cgroups import Group
from tools.targethost.mirror import date_policy, own_mirror, seen_by_hosts
from tools.targethost.process import LabError, wait_until

PORT = 3142
USER = "apt-cacher-ng"


class Proxy:
    """One apt-cacher-ng per lab. Packages are kept in `cache`, which two of them cannot share."""

    def __init__(self, group: Group, folder: Path, cache: Path, address: str) -> None:
        self.group = group
        self.folder = folder
        self.cache = cache
        self.address = address

    def up(self) -> None:
        """Starts the proxy unless it runs; returns once it accepts connections."""
        if self.group.is_populated and self._answers():
            return
        self.group.end()
        self._write_configuration()
        as_user = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
        self.group.launch([*as_user, "apt-cacher-ng", "-c", str(self.folder)], self.folder / "output.log")
        if not wait_until(self._answers, 10):
            raise LabError(f"the package proxy does not answer, see {self.folder / 'output.log'}")

    def apt_settings(self) -> str:
        """What a host puts into apt.conf.d to fetch its packages here."""
        return f'Acquire::http::Proxy "http://{self.address}:{PORT}";\n{date_policy()}'

    def _write_configuration(self) -> None:
        try:
            pwd.getpwnam(USER)
        except KeyError:
            raise LabError("apt-cacher-ng is not installed: `build` installs what is missing") from None
        for folder in (self.folder, self.cache):
            folder.mkdir(parents=True, exist_ok=True)
            folder.parent.chmod(0o755)
            shutil.chown(folder, USER, USER)
        (self.folder / "acng.conf").write_text(self._configuration())
        (self.folder / "acng.conf").chmod(0o644)

    def _configuration(self) -> str:
        # ForceManaged: an address that no Remap line covers is refused.
        mirror = own_mirror()
        return f"""\
ForeGround: 1
BindAddress: {self.address}
Port: {PORT}
CacheDir: {self.cache}
LogDir: {self.folder}
SupportDir: /usr/lib/apt-cacher-ng
ReportPage:
ForceManaged: 1
Remap-security: {seen_by_hosts(mirror.security)} ; {mirror.security}
Remap-archive: {seen_by_hosts(mirror.archive)} ; {mirror.archive}
"""

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, PORT), timeout=1).close()
        except OSError:
            return False
        return True
