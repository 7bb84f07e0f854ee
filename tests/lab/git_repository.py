"""A repository on the lab's Git server, and what its owner does to it."""

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | bytes]

AUTHOR = "Lab <lab@example.test>"
# What the person running the tests has configured for git is none of the server's business.
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}


def git(*argv: str, stdin: bytes = b"") -> str:
    """Runs git and returns what it prints; raises CalledProcessError."""
    result = subprocess.run(["git", *argv], input=stdin, capture_output=True, env=ENVIRONMENT, check=True)
    return result.stdout.decode().strip()


class Repository:
    """A bare repository; `git_server.create_repository` makes one."""

    def __init__(self, path: Path, ssh_url: str, public_url: str, keys: Path, serve: str, branch: str) -> None:
        self.path = path
        self.ssh_url = ssh_url
        self.public_url = public_url
        self.branch = branch
        self._keys = keys
        self._serve = serve
        # The servers run as nobody, who must be able to read whatever umask the tests run under.
        path.parent.mkdir(exist_ok=True)
        path.parent.chmod(0o755)
        git("init", "--quiet", "--bare", "--shared=all", f"--initial-branch={branch}", str(path))

    def commit(self, files: Files, message: str, branch: str | None = None) -> str:
        """Adds or replaces files on a branch, which starts from the default one if it is new; returns the SHA.

        A file that starts with `#!` is executable.
        """
        ref = f"refs/heads/{branch or self.branch}"
        parent = self._head(ref) or self._head(f"refs/heads/{self.branch}")
        stream = [f"commit {ref}\ncommitter {AUTHOR} {int(time.time())} +0000\n".encode(), data(message.encode())]
        if parent:
            stream.append(f"from {parent}\n".encode())
        stream += [change(path, content) for path, content in files.items()]
        self._git("fast-import", "--quiet", stdin=b"".join(stream))
        return self._git("rev-parse", ref)

    def delete_branch(self, name: str) -> None:
        self._git("update-ref", "-d", f"refs/heads/{name}")

    def add_deploy_key(self, public_key: str) -> None:
        """Lets the owner of the key fetch this repository over SSH, and nothing else.

        Raises ValueError for a key that is in use already: like at the hosted services, a key is good for one.
        """
        kind, key, *_ = public_key.split()
        if key in self._keys.read_text().split():
            raise ValueError("the key is already in use")
        with self._keys.open("a") as file:
            file.write(f'restrict,command="{self._serve}" {kind} {key}\n')

    def _head(self, ref: str) -> str:
        return self._git("for-each-ref", "--format=%(objectname)", ref)

    def _git(self, *argv: str, stdin: bytes = b"") -> str:
        return git(f"--git-dir={self.path}", *argv, stdin=stdin)


def change(path: str, content: str | bytes) -> bytes:
    """One file of a commit, in the format of git-fast-import(1)."""
    raw = content.encode() if isinstance(content, str) else content
    mode = "100755" if raw.startswith(b"#!") else "100644"
    return f"M {mode} inline {path}\n".encode() + data(raw)


def data(raw: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(raw), raw)
