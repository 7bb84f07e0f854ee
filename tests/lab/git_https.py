"""Anonymous, read-only access to the lab's repositories over HTTPS, by git's own CGI program."""

import ssl
import subprocess
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

from tests.lab.git_repository import ENVIRONMENT

NOBODY = 65534


class GitHttps:
    """Serves from a thread of the caller's process, on a free port of `address`."""

    def __init__(self, address: str, folder: Path, repositories: Path) -> None:
        certificate, key = folder / "https.crt", folder / "https.key"
        make_certificate(address, certificate, key)
        self.certificate = certificate.read_text()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server = ThreadingHTTPServer((address, 0), handler_for(repositories))
        # The handshake is left to the request's own thread: a client that keeps silent keeps nobody waiting.
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def make_certificate(address: str, certificate: Path, key: Path) -> None:
    """Makes a certificate for the IP address, and its key, which says itself that it is to be trusted."""
    algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", "/CN=Lab Git server", "-addext", f"subjectAltName=IP:{address}", "-days", "30"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(["openssl", "req", "-x509", *algorithm, *subject, *files], capture_output=True, check=True)


def handler_for(repositories: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # Persistent connections: the client learns an answer's end from its length, and closes first.
        protocol_version = "HTTP/1.1"
        timeout = 30

        def answer(self) -> None:
            output = subprocess.run(
                ["git", "http-backend"],
                input=self.rfile.read(int(self.headers.get("Content-Length", 0))),
                env=self._environment(),
                user=NOBODY,
                group=NOBODY,
                extra_groups=[],
                capture_output=True,
                check=True,
            ).stdout
            head, _, body = output.partition(b"\r\n\r\n")
            headers = message_from_bytes(head)
            del headers["Content-Length"]
            self.send_response(int(headers.get("Status", "200").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815  (the names that http.server looks for)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its name in http.server)
            """A test has no use for a line per request."""

        def _environment(self) -> dict[str, str]:
            """See git-http-backend(1) and RFC 3875."""
            path, _, query = self.path.partition("?")
            return {
                **ENVIRONMENT,
                "GIT_PROJECT_ROOT": str(repositories),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REQUEST_METHOD": self.command,
                "PATH_INFO": unquote(path),
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }

    return Handler
