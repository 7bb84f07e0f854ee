"""Where providers are asked: at their own address, or where the operator says."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import responses
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from providers.git.github import GitHub
from providers.git.gitlab import GitLab
from providers.registry import require_addressed
from providers.servers.hetzner import HetznerServers

ROOT = Path(__file__).resolve().parents[2]
PROXY = "http://proxy.example.com:8080/hetzner"


def test_a_provider_is_asked_where_the_operator_says(settings: Settings) -> None:
    settings.PROVIDER_URLS = {"server:hetzner": PROXY}
    with responses.RequestsMock() as door:
        door.get(f"{PROXY}/locations", json={"locations": [], "meta": {"pagination": {"next_page": None}}})
        assert HetznerServers({"api_token": "t"}).regions() == []


def test_its_pages_are_followed_there_and_nowhere_else(settings: Settings) -> None:
    settings.PROVIDER_URLS = {"git:github": PROXY}
    links = [f'<{PROXY}/user/repos?page=2>; rel="next"', f'<{GitHub.base_url}/user/repos?page=3>; rel="next"']
    with responses.RequestsMock() as door:
        first, second = (door.get(f"{PROXY}/user/repos", json=[], headers={"Link": link}) for link in links)
        assert list(GitHub({"access_token": "t"}).linked_pages("/user/repos")) == [[], []]
    assert (first.call_count, second.call_count) == (1, 1)


@pytest.mark.parametrize(
    ("values", "address"),
    [
        ({}, f"{PROXY}/api/v4"),
        ({"base_url": "https://gitlab.com/"}, f"{PROXY}/api/v4"),
        ({"base_url": "https://git.acme.test"}, "https://git.acme.test/api/v4"),
    ],
)
def test_a_base_url_that_a_user_gives_is_kept(values: dict[str, Any], address: str, settings: Settings) -> None:
    settings.PROVIDER_URLS = {"git:gitlab": PROXY}
    assert GitLab({"access_token": "t", **values}).address == address


@pytest.mark.parametrize("name", ["server:nowhere", "mail:hetzner", "hetzner", "dns:powerdns", "server:aws"])
def test_what_has_no_address_of_its_own_is_refused_by_name(name: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"PROVIDER_URLS names {name}, which is no provider"):
        require_addressed(["server:hetzner", name])


def test_an_unknown_provider_stops_the_start(tmp_path: Path) -> None:
    given = {"PATH": os.environ["PATH"], "DATA": str(tmp_path), "PROVIDER_URLS": "server:nowhere=https://a.example.com"}
    done = subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 1
    complaint = "PROVIDER_URLS names server:nowhere, which is no provider with an address of its own."
    assert done.stderr.strip().endswith(complaint)
