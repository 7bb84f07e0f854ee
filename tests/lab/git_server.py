"""A Git server for tests: deploy keys over SSH, anyone over HTTPS, both read-only."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lab.git_https import NOBODY, GitHttps
from tests.lab.git_repository import Files, Repository
from tools.ports import free_port, listens
from tools.targethost.process import wait_until
from tools.targethost.seed import make_key

SCRIPTS = Path(__file__).parent / "scripts"


class GitServer:
    """Listens on free ports of `address`, which target hosts reach if it is their lab's gateway. Needs root.

    with GitServer(lab.gateway) as server:
        shop = server.create_repository("acme/shop", {"index.html": "hello"})
        shop.add_deploy_key(public_key)
        # git clone shop.ssh_url, with server.host_key as its known host
        # git clone shop.public_url, with server.certificate trusted
    """

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.ssh_port = free_port(address)
        self._folder = Path(tempfile.mkdtemp(prefix="git-server-"))
        self._repositories = self._folder / "repositories"
        self._keys = self._folder / "authorized_keys"
        self._prepare()
        self._https = GitHttps(address, self._folder, self._repositories)
        self._sshd = self._start_sshd()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def host_key(self) -> str:
        """The public key of its sshd, as `type base64`."""
        return " ".join((self._folder / "host_key.pub").read_text().split()[:2])

    @property
    def known_hosts(self) -> str:
        """The line for a known_hosts file that pins the server."""
        return f"[{self.address}]:{self.ssh_port} {self.host_key}\n"

    @property
    def certificate(self) -> str:
        """What a client must trust to clone a `public_url`, as PEM."""
        return self._https.certificate

    def create_repository(self, name: str, files: Files, branch: str = "main") -> Repository:
        """Makes a repository with one commit; `name` is like `shop` or `acme/shop`."""
        if not re.fullmatch(r"[\w-]+(/[\w-]+)?", name):
            raise ValueError(f"{name!r} is no repository name")
        repository = Repository(
            path=self._repositories / f"{name}.git",
            ssh_url=f"ssh://git@{self.address}:{self.ssh_port}/{name}.git",
            public_url=f"https://{self.address}:{self._https.port}/{name}.git",
            keys=self._keys,
            serve=f"sh {self._folder}/git_serve.sh {self._repositories} {name}",
            branch=branch,
        )
        repository.commit(files, "First version")
        return repository

    def stop(self) -> None:
        """Ends the servers and removes the repositories."""
        self._https.stop()
        self._sshd.terminate()
        self._sshd.wait(10)
        shutil.rmtree(self._folder)

    def _prepare(self) -> None:
        # sshd serves as nobody, who has to get in.
        self._folder.chmod(0o755)
        self._repositories.mkdir()
        self._repositories.chmod(0o755)
        self._keys.touch()
        self._keys.chmod(0o644)
        serve = self._folder / "git_serve.sh"
        shutil.copy(SCRIPTS / serve.name, serve)
        serve.chmod(0o644)
        make_key(self._folder / "host_key", "ed25519", "git server")
        user = f"git:*:{NOBODY}:{NOBODY}:Git:/:/bin/sh\n"
        (self._folder / "passwd").write_text(Path("/etc/passwd").read_text() + user)
        (self._folder / "passwd").chmod(0o644)
        (self._folder / "sshd_config").write_text(self._configuration())

    def _configuration(self) -> str:
        return f"""\
ListenAddress {self.address}
Port {self.ssh_port}
HostKey {self._folder}/host_key
AuthorizedKeysFile {self._keys}
StrictModes no
AllowUsers git
AuthenticationMethods publickey
UsePAM no
PidFile none
"""

    def _start_sshd(self) -> subprocess.Popen[bytes]:
        log = self._folder / "sshd.log"
        script = ["sh", str(SCRIPTS / "git_sshd.sh"), str(self._folder / "passwd")]
        namespace = ["unshare", "--mount", "--propagation", "private", "--"]
        with log.open("wb") as output:
            sshd = subprocess.Popen(
                [*namespace, *script, str(self._folder / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: sshd.poll() is not None or listens(self.address, self.ssh_port), 10)
        if not listens(self.address, self.ssh_port):
            sshd.kill()
            sshd.wait()
            self._https.stop()
            raise RuntimeError(f"the Git server's sshd did not start: {log.read_text()}")
        return sshd
