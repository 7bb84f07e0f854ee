"""Providers, by clicking: connected, checked, their secrets replaced, disconnected. Stores and DNS servers are real."""

import re
from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Locator, expect

from tests.browser import vendors
from tests.browser.conftest import Open, peer
from tests.browser.people import Person
from tests.browser.test_tokens import create_token
from tests.browser.window import Window
from tests.browser.work import JOB_SECONDS, connect, fill_credential, is_checked
from tests.lab.dns_servers import PowerDns, Served
from tests.lab.seaweedfs import BUCKET, SeaweedFs, secret
from tools.targethost.process import wait_until


def keys_of(name: str) -> dict[str, str]:
    return {"access_key_id": name, "secret_access_key": secret(name)}


@pytest.fixture(scope="module")
def name_server() -> Iterator[PowerDns]:
    yield from peer(PowerDns)


def verdict_of(window: Window, permission: str) -> Locator:
    """Its row in the checklist."""
    state = window.page.get_by_role("region", name="Permissions")
    label = re.compile(rf"^{re.escape(permission)}( \(optional\))?$")
    return state.get_by_role("listitem").filter(has=window.page.locator("strong").get_by_text(label))


def replace_secret(window: Window, **values: str) -> None:
    """In place, on the page of the credential."""
    fill_credential(window, **values)
    window.click("Replace")
    window.sees("The secret is replaced")
    is_checked(window)


def shows_status(window: Window, status: str) -> None:
    expect(window.page.get_by_role("region", name="Permissions").locator(".card-header .status")).to_have_text(status)


def disconnect(window: Window, name: str) -> None:
    zone = window.page.get_by_role("region", name="Disconnect")
    zone.locator("[name=confirm]").fill(name)
    zone.get_by_role("button", name="Disconnect").click()


def test_a_server_provider_that_may_only_read_gets_a_better_token(window: Window) -> None:
    connect(window, "server", "Hetzner Cloud", "Servers", api_token=vendors.HETZNER_THAT_READS)
    shows_status(window, "Limited")
    expect(verdict_of(window, "Read")).to_contain_text("Granted")
    writing = verdict_of(window, "Read & Write")
    for text in ("Denied", "POST /ssh_keys: 403", "Give the API Token the permission Read & Write, then check"):
        expect(writing).to_contain_text(text)
    window.shot("providers/server-denied")

    replace_secret(window, api_token=vendors.HETZNER)
    shows_status(window, "OK")
    expect(writing).to_contain_text("Granted")
    expect(writing).not_to_contain_text("Give the API Token")
    window.shot("providers/server-granted")


def test_a_store_whose_key_may_only_read_gets_another_key(window: Window, store: SeaweedFs) -> None:
    place = {"bucket": BUCKET, "endpoint": store.url, "path_style": "yes"}
    connect(window, "backup", "Custom S3-compatible", "Backups", **keys_of("reader"), **place)
    shows_status(window, "Limited")
    expect(verdict_of(window, "s3:GetObject")).to_contain_text("Granted")
    for permission in ("s3:PutObject", "s3:DeleteObject"):
        denied = verdict_of(window, permission)
        for text in ("Denied", "403 AccessDenied", f"Allow {permission} in the policy of the user whose key this is"):
            expect(denied).to_contain_text(text)
    window.shot("providers/backup-denied")

    replace_secret(window, **keys_of("writer"))
    shows_status(window, "OK")
    for permission in ("s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"):
        expect(verdict_of(window, permission)).to_contain_text("Granted")
    expect(window.page.get_by_role("region", name="Facts")).to_contain_text("writer")


def test_a_git_provider_whose_token_may_too_much(window: Window) -> None:
    connect(window, "git", "GitLab", "Repositories", access_token=vendors.GITLAB_OF_AN_ADMINISTRATOR)
    shows_status(window, "OK")
    for text in ("More than needed", "Not needed: sudo.", "Make a token with the scopes api and read_user only"):
        expect(verdict_of(window, "api")).to_contain_text(text)
    window.sees("It expires")
    window.shot("providers/git-excess")

    replace_secret(window, access_token=vendors.GITLAB)
    expect(verdict_of(window, "api")).to_contain_text("Granted")
    expect(window.page.get_by_role("main")).not_to_contain_text("It expires")
    window.open("/settings/git-providers")
    expect(window.page.get_by_role("region", name="Repositories")).to_contain_text("octocat")


def test_a_dns_provider_with_a_wrong_key_is_mended_and_disconnected(window: Window, name_server: PowerDns) -> None:
    values = {**name_server.values(), "api_key": "somebody-elses-key"}
    before = Served(name_server).found("example.com")
    path = connect(window, "dns", "PowerDNS", "Zones", **values)
    shows_status(window, "Invalid")
    window.sees("Make a new API key and replace this one with it.")
    window.shot("providers/dns-invalid")

    replace_secret(window, api_key=name_server.api_key)
    shows_status(window, "OK")
    expect(verdict_of(window, "API access").last).to_contain_text("was made, read back and removed")
    assert Served(name_server).found("example.com") == before

    disconnect(window, "Zones")
    window.sees("Zones is disconnected. Revoke its API key, too.")
    with window.expecting(404):
        window.open(path)
        expect(window.page.get_by_role("heading", name="Not found")).to_be_visible()


def test_a_credential_in_use_stays(window: Window, name_server: PowerDns) -> None:
    header, _, token = create_token(window, "For applications").partition(": ")

    def asked(method: str, path: str, body: object = None, status: int = 201) -> dict[str, str]:
        address = f"{window.url}/api/v1{path}"
        response = requests.request(method, address, json=body, headers={header: token}, timeout=10)
        assert response.status_code == status, response.text
        return response.json()["data"] if response.content else {}

    application = asked("POST", "/applications", {"name": "Mail"})
    credential = {"name": "In use", "provider": "powerdns", "values": dict(name_server.values())}
    asked("POST", f"/applications/{application['id']}/credentials", credential)

    window.open("/settings/dns-providers")
    window.click("In use", "link")
    is_checked(window)
    zone = window.page.get_by_role("region", name="Disconnect")
    expect(zone).to_contain_text("In use is used by:")
    expect(zone.get_by_role("listitem")).to_have_text(["The application Mail"])
    expect(zone.get_by_role("button")).to_have_count(0)
    window.shot("providers/in-use")

    asked("DELETE", f"/applications/{application['id']}", status=204)
    window.page.reload()
    disconnect(window, "In use")
    window.sees("In use is disconnected")


def test_without_script(open_window: Open, owner: Person) -> None:
    plain = open_window(owner, java_script_enabled=False)
    plain.open("/settings/git-providers/new/gitlab")
    plain.fill(name="Plain")
    fill_credential(plain, access_token="glpat-of-nobody")
    plain.click("Connect")
    plain.sees("Plain is connected")
    shows_in_time(plain, "Invalid")
    fill_credential(plain, access_token=vendors.GITLAB)
    plain.click("Replace")
    plain.sees("The secret is replaced")
    shows_in_time(plain, "OK")
    disconnect(plain, "Something else")
    plain.sees("Nothing was done. Type Plain to confirm.")
    disconnect(plain, "Plain")
    plain.sees("Plain is disconnected")


def shows_in_time(window: Window, status: str) -> None:
    """Without script, whoever waits loads the page again."""
    state = window.page.get_by_role("region", name="Permissions").locator(".card-header .status")

    def shows() -> bool:
        window.page.reload()
        return state.inner_text().strip() == status

    assert wait_until(shows, JOB_SECONDS), state.inner_text()
