"""Webhooks that others sign: GitHub's by its own library, on its own examples, and GitLab's by that of the Standard
Webhooks. Both are npm packages, installed into a folder of the test."""

import json
import os
import shutil
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from providers.git.bitbucket import Bitbucket
from providers.git.github import GitHub
from providers.git.gitlab import GitLab
from tests.contract.git import gitlab as fixture
from tests.contract.git_state import GitState
from tests.contract.vendor import standing_in

pytestmark = pytest.mark.lab

PACKAGES = ("@octokit/webhooks-methods@5.1.1", "@octokit/webhooks-examples@7.6.1", "standardwebhooks@1.1.1")
SCRIPT = Path(__file__).with_name("sign.mjs")
SECRET, URL = "a secret that only two know", "https://deploynix.example.com/webhooks/git-repository/7"
BODIES = ['{"ref":"refs/heads/main"}', "{}", '{"message":"Größe → 7"}']


@dataclass(frozen=True)
class Signature:
    github: str
    gitlab: str


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that they are installed in; nothing of theirs runs while it is."""
    if shutil.which("npm") is None:
        (pytest.fail if os.environ.get("DEPLOYNIX_REQUIRE_ALL") else pytest.skip)("npm is not installed")
    folder = tmp_path_factory.mktemp("npm")
    options = ("--silent", "--ignore-scripts", "--no-audit", "--no-fund", "--no-save")
    subprocess.run(["npm", "install", *options, *PACKAGES], cwd=folder, check=True, capture_output=True, timeout=300)
    shutil.copy(SCRIPT, folder)
    return folder


@pytest.fixture
def sign(packages: Path) -> Callable[..., list[Signature]]:
    def sign(bodies: list[str], **options: Any) -> list[Signature]:
        encoded = [b64encode(body.encode()).decode() for body in bodies]
        asked = {"secret": SECRET, "signing_token": f"whsec_{b64encode(b'7' * 32).decode()}", "id": "msg_1"}
        sent = json.dumps({"sent_at": 0, **asked, **options, "bodies": encoded})
        command = ["node", SCRIPT.name]
        made = subprocess.run(command, cwd=packages, input=sent, check=True, capture_output=True, text=True, timeout=60)
        return [Signature(**each) for each in json.loads(made.stdout)]

    return sign


def test_what_github_signs_is_known(sign: Callable[..., list[Signature]]) -> None:
    for body, signature in zip(BODIES, sign(BODIES), strict=True):
        headers = {"x-hub-signature-256": signature.github}
        assert GitHub.verify_signature(headers, body.encode(), SECRET)
        assert not GitHub.verify_signature(headers, body.encode() + b" ", SECRET)
        assert not GitHub.verify_signature(headers, body.encode(), f"{SECRET}!")
        # Bitbucket signs alike, under another name.
        assert Bitbucket.verify_signature({"X-Hub-Signature": signature.github}, body.encode(), SECRET)


def test_what_gitlab_signs_with_the_token_that_we_gave_it_is_known(sign: Callable[..., list[Signature]]) -> None:
    state = GitState()
    with standing_in(*fixture.vendors(state)):
        GitLab(fixture.VALUES).ensure_webhook(fixture.SHOP, URL, SECRET)
    sent_at = int(time.time())
    signatures = sign(BODIES, signing_token=state.shop.hooks[0].secret, id="f5e5f430", sent_at=sent_at)
    for body, signature in zip(BODIES, signatures, strict=True):
        headers = {"webhook-id": "f5e5f430", "webhook-timestamp": str(sent_at), "webhook-signature": signature.gitlab}
        assert GitLab.verify_signature(headers, body.encode(), SECRET)
        assert not GitLab.verify_signature(headers, body.encode(), f"{SECRET}!")
        assert not GitLab.verify_signature({**headers, "webhook-id": "another"}, body.encode(), SECRET)


def test_the_payloads_that_github_publishes_are_read(packages: Path) -> None:
    text = (packages / "node_modules/@octokit/webhooks-examples/api.github.com/index.json").read_text()
    events = {event["name"]: event["examples"] for event in json.loads(text)}
    branches = 0
    for name, examples in events.items():
        for example in examples:
            pushes = GitHub.parse_push({"X-GitHub-Event": name}, json.dumps(example).encode())
            is_branch = name == "push" and example["ref"].startswith("refs/heads/")
            assert len(pushes) == is_branch
            for push in pushes:
                assert (push.repository, push.branch) == ("Codertocat/Hello-World", "master")
                assert (push.commit, push.author) == (example["head_commit"]["id"], "Codertocat")
                branches += 1
    assert branches >= 2
    assert len(events) > 50
