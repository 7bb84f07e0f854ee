"""A DNS provider that offers Domain Connect: its two addresses, and the work that an independent program does behind.

`domainconnectzone` pins an old dnspython, so it lives in an environment of its own, made once per machine.
"""

import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.peers import Missing
from tools.targethost.images import locked

REQUIREMENT = "domainconnectzone==4.0.0"
FOLDER = Path(tempfile.gettempdir()) / "deploynix-domainconnectzone-4.0.0"
PROGRAM = Path(__file__).with_name("scripts") / "apply_template.py"


class DnsProvider:
    """Knows one template, for the zones that name its `host` at _domainconnect."""

    def __init__(self, template: Mapping[str, Any], zone: str, resolver: str) -> None:
        self.template, self.zone, self.resolver = template, zone, resolver
        self.host = ""

    def answer(self, path: str) -> Any:
        """The body of an answer; None for what is not there."""
        root = f"http://{self.host}"
        own = f"providers/{self.template['providerId']}/services/{self.template['serviceId']}"
        return {
            f"/dc/v2/{self.zone}/settings": {
                "providerId": "virtucon.example",
                "providerName": "Virtucon",
                "providerDisplayName": "Virtucon Domains",
                "urlSyncUX": f"{root}/ux",
                "urlAPI": f"{root}/api",
            },
            f"/api/v2/domainTemplates/{own}": {"version": self.template["version"]},
        }.get(path)

    def consent(self, address: str, records: list[dict[str, Any]]) -> dict[str, Any]:
        """What becomes of the zone's records when its owner says yes: `new` and `deleted` ones; or the `error`."""
        query = urlsplit(address).query
        given = {"template": self.template, "query": query, "records": records, "resolver": self.resolver}
        program: list[str | Path] = [interpreter(), PROGRAM]
        done = subprocess.run(program, input=json.dumps(given), capture_output=True, text=True, check=True)
        # The library prints while it looks at a template.
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def back(self, address: str) -> dict[str, str]:
        """What the person brings back."""
        return {"state": dict(parse_qsl(urlsplit(address).query))["state"]}


@contextmanager
def serving(provider: DnsProvider) -> Iterator[DnsProvider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = provider.answer(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(b"" if body is None else json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        provider.host = f"127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()


def interpreter() -> Path:
    """The Python that has the library. Raises Missing where it cannot be installed."""
    python = FOLDER / "bin" / "python"
    with locked(FOLDER.with_suffix(".lock"), fcntl.LOCK_EX):
        if not (FOLDER / "ready").exists():
            try:
                subprocess.run([sys.executable, "-m", "venv", "--clear", FOLDER], check=True, capture_output=True)
                install: list[str | Path] = [python, "-m", "pip", "install", "--quiet", REQUIREMENT]
                subprocess.run(install, check=True, capture_output=True)
            except subprocess.CalledProcessError as error:
                raise Missing(f"{REQUIREMENT} cannot be installed: {error.stderr.decode()[-500:]}") from error
            (FOLDER / "ready").touch()
    return python
