"""The lab's Git server behaves like a hosted one, seen by a real git client."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.git_repository import ENVIRONMENT
from tests.lab.git_server import GitServer
from tools.targethost import Host, Lab
from tools.targethost.seed import make_key

pytestmark = pytest.mark.lab


class Client:
    """A git client with a deploy key of its own, which trusts the server's host key and certificate."""

    def __init__(self, folder: Path, server: GitServer) -> None:
        self.folder = folder
        key, known_hosts, certificate = folder / "key", folder / "known_hosts", folder / "server.crt"
        make_key(key, "ed25519", "deploy key")
        known_hosts.write_text(server.known_hosts)
        certificate.write_text(server.certificate)
        self.public_key = key.with_suffix(".pub").read_text()
        options = f"-F none -i {key} -o BatchMode=yes -o IdentitiesOnly=yes -o UserKnownHostsFile={known_hosts}"
        self._environment = {
            **ENVIRONMENT,
            "HOME": str(folder),
            "GIT_SSH_COMMAND": f"ssh {options} -o StrictHostKeyChecking=yes",
            "GIT_SSL_CAINFO": str(certificate),
            "GIT_TERMINAL_PROMPT": "0",
        }

    def git(self, *argv: str) -> subprocess.CompletedProcess[str]:
        command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.test", *argv]
        return subprocess.run(
            command, env=self._environment, cwd=self.folder, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def server(lab: Lab) -> Iterator[GitServer]:
    with GitServer() as server:
        yield server


@pytest.fixture
def client(tmp_path: Path, server: GitServer) -> Client:
    return Client(tmp_path, server)


def test_a_deploy_key_fetches_what_was_committed(server: GitServer, client: Client) -> None:
    shop = server.create_repository("acme/shop", {"index.html": "hello", "bin/run": "#!/bin/sh\n", "logo": b"\0\n"})
    shop.add_deploy_key(client.public_key)
    sha = shop.commit({"index.html": "hello again"}, "Say it again")

    assert client.git("clone", shop.ssh_url, "shop").returncode == 0

    checkout = client.folder / "shop"
    assert client.git("-C", "shop", "log", "-1", "--format=%H %s").stdout == f"{sha} Say it again\n"
    assert (checkout / "index.html").read_text() == "hello again"
    assert (checkout / "logo").read_bytes() == b"\0\n"
    assert (checkout / "bin/run").stat().st_mode & 0o111
    assert not (checkout / "index.html").stat().st_mode & 0o111


def test_a_deploy_key_opens_one_repository_and_only_for_reading(server: GitServer, client: Client) -> None:
    mine = server.create_repository("mine", {"a": "1"})
    other = server.create_repository("other", {"a": "2"})
    mine.add_deploy_key(client.public_key)

    refused = client.git("clone", other.ssh_url)
    assert refused.returncode != 0
    assert "Repository not found" in refused.stderr

    client.git("clone", mine.ssh_url, "mine")
    client.git("-C", "mine", "commit", "--allow-empty", "-m", "mine")
    assert client.git("-C", "mine", "push", "origin", "main").returncode != 0
    with pytest.raises(ValueError, match="already in use"):
        other.add_deploy_key(client.public_key)


def test_a_stranger_key_is_refused(server: GitServer, client: Client) -> None:
    private = server.create_repository("private", {"a": "1"})

    refused = client.git("clone", private.ssh_url)

    assert "Permission denied" in refused.stderr


def test_a_server_with_another_host_key_is_noticed(server: GitServer, client: Client, tmp_path: Path) -> None:
    repository = server.create_repository("pinned", {"a": "1"})
    repository.add_deploy_key(client.public_key)
    with GitServer() as impostor:
        (tmp_path / "known_hosts").write_text(server.known_hosts.replace(server.host_key, impostor.host_key))

    assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in client.git("clone", repository.ssh_url).stderr


def test_anyone_clones_the_public_url_and_nobody_pushes_to_it(server: GitServer, client: Client) -> None:
    site = server.create_repository("site", {f"page-{n}.html": f"{n}" * 99 for n in range(50)}, branch="trunk")

    assert client.git("clone", site.public_url, "site").returncode == 0
    assert len(list((client.folder / "site").glob("page-*.html"))) == 50

    client.git("-C", "site", "commit", "--allow-empty", "-m", "mine")
    assert "403" in client.git("-C", "site", "push", "origin", "trunk").stderr
    assert "not found" in client.git("clone", site.public_url.replace("site", "missing")).stderr


def test_branches_come_and_go(server: GitServer, client: Client) -> None:
    shop = server.create_repository("branches", {"a": "1"})
    sha = shop.commit({"b": "2"}, "New", branch="feature/b")

    assert f"{sha}\trefs/heads/feature/b" in client.git("ls-remote", shop.public_url).stdout
    shop.delete_branch("feature/b")
    assert "feature/b" not in client.git("ls-remote", shop.public_url).stdout


def test_a_stopped_server_answers_nothing_and_leaves_nothing(lab: Lab, tmp_path: Path) -> None:
    with GitServer() as server:
        client = Client(tmp_path, server)
        shop = server.create_repository("shop", {"a": "1"})
        shop.add_deploy_key(client.public_key)

    assert "Connection refused" in client.git("ls-remote", shop.ssh_url).stderr
    assert client.git("ls-remote", shop.public_url).returncode != 0
    assert not shop.path.exists()


def test_a_target_host_reaches_the_labs_server(git_server: GitServer, target_host: Host) -> None:
    shop = git_server.create_repository("reached", {"a": "1"})
    target_host.run("tee", "/usr/local/share/ca-certificates/git.crt", stdin=git_server.certificate)
    target_host.run("update-ca-certificates")

    answer = target_host.run("curl", "-sS", f"{shop.public_url}/info/refs?service=git-upload-pack")
    banner = target_host.run("ssh-keyscan", "-t", "ed25519", "-p", f"{git_server.ssh_port}", git_server.address)

    assert "refs/heads/main" in answer.stdout
    assert git_server.host_key in banner.stdout
