"""certbot with its RFC 2136 plug-in, and the way of what it gets to a server."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from bench.report import WrongAnswer
from tools.processes import ROOT
from tools.targethost import Host, LabError

if TYPE_CHECKING:
    from tests.lab.authorities import Pebble
    from tests.lab.dns_servers import Bind

PINNED = ("certbot==5.8.0", "certbot-dns-rfc2136==5.8.0")
# The one name server shows what it has taken at once; where there are others, certbot has to be told to wait for them.
PROPAGATION_SECONDS = 0
# On the target host; the name is one that the wildcard is for.
FOLDER, SHOWN_NAME = "/etc/nginx/certbot", "certbot.example.test"
VHOST = f"""server {{
    listen 443 ssl;
    server_name {SHOWN_NAME};
    ssl_certificate {FOLDER}/fullchain.pem;
    ssl_certificate_key {FOLDER}/privkey.pem;
}}
"""
INSTALL = f"umask 077 && tar -C {FOLDER} -xf - && systemctl reload nginx"


class Certbot:
    """In a virtual environment of its own below `folder`; what it shares with Deploynix is of the same versions."""

    def __init__(self, folder: Path, names: tuple[str, ...], bind: "Bind", pebble: "Pebble") -> None:
        self._folder = folder
        self._live = folder / "config" / "live" / "bench"
        self._environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(pebble.bundle)}
        self._command = [
            *(str(folder / "venv" / "bin" / "certbot"), "certonly", "--non-interactive", "--agree-tos"),
            *("--register-unsafely-without-email", "--server", pebble.url, "--cert-name", "bench", "--force-renewal"),
            *("--dns-rfc2136", "--dns-rfc2136-credentials", str(self._credentials(bind))),
            *("--dns-rfc2136-propagation-seconds", str(PROPAGATION_SECONDS)),
            *(f"--{name}-dir={folder / name}" for name in ("config", "work", "logs")),
            *(part for name in names for part in ("-d", name)),
        ]

    def install(self) -> None:
        """Raises LabError."""
        uv, python = str(Path(sys.executable).with_name("uv")), str(self._folder / "venv" / "bin" / "python")
        self._uv(uv, "venv", "--quiet", "--python", sys.executable, str(self._folder / "venv"))
        same = str(ROOT / "requirements" / "base.txt")
        self._uv(uv, "pip", "install", "--quiet", "--python", python, "--constraint", same, *PINNED)

    def prepare(self, host: Host) -> None:
        """Has the host serve what is copied to it. Raises WrongAnswer."""
        self._obtain()
        host.run("mkdir", "-p", FOLDER)
        self._copy(host)
        host.run("tee", "/etc/nginx/conf.d/certbot.conf", stdin=VHOST)

    def run(self, host: Host) -> tuple[float, float]:
        """Seconds until it had the certificate, and until nginx on the host had it, too. Raises WrongAnswer."""
        started = time.perf_counter()
        self._obtain()
        obtained = time.perf_counter() - started
        self._copy(host)
        return obtained, time.perf_counter() - started

    @property
    def fingerprint(self) -> str:
        """That of the certificate it got last."""
        leaf = x509.load_pem_x509_certificate((self._live / "fullchain.pem").read_bytes())
        return leaf.fingerprint(SHA256()).hex()

    def _obtain(self) -> None:
        done = subprocess.run(self._command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise WrongAnswer(f"certbot ended with {done.returncode}: {done.stderr[-1000:]}")

    def _copy(self, host: Host) -> None:
        # In the folder there are only links.
        pack = ["tar", "-C", str(self._live), "--dereference", "-cf", "-", "fullchain.pem", "privkey.pem"]
        with subprocess.Popen(pack, stdout=subprocess.PIPE) as packed:
            done = subprocess.run(host.ssh_command(INSTALL), stdin=packed.stdout, capture_output=True, check=False)
        if packed.returncode or done.returncode:
            raise WrongAnswer(f"certbot's certificate could not be copied: {done.stderr.decode()}")

    def _credentials(self, bind: "Bind") -> Path:
        values = bind.values()
        names = {"server": "server", "port": "port", "name": "key_name", "secret": "key_secret"}
        path = self._folder / "rfc2136.ini"
        path.touch(0o600)
        lines = [f"dns_rfc2136_{theirs} = {values[ours]}\n" for theirs, ours in names.items()]
        path.write_text("".join([*lines, "dns_rfc2136_algorithm = HMAC-SHA256\n"]))
        return path

    @staticmethod
    def _uv(*command: str) -> None:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise LabError(f"certbot could not be installed: {done.stderr.strip()[-500:]}")
