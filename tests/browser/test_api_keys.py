"""API keys: made, used, rotated and ended by clicking."""

import re

import requests
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.install import Install
from tests.browser.people import Person
from tests.browser.survey import LOOKS, problems_of
from tests.browser.test_keyboard import tab_to
from tests.browser.test_tokens import choose
from tests.browser.window import Window
from tests.browser.work import ReadyServer

# Keys whose time has come are looked for once a minute.
ROTATION_SECONDS = 90
ITS_TIME_HAS_COME = """
from django.utils import timezone
from tokens.models import ApiKey
ApiKey.objects.filter(name="{name}").update(rotates_at=timezone.now())
"""


def create_key(window: Window, name: str, permission: str = "servers:read") -> str:
    """By clicking; returns the header line that the page shows."""
    window.open("/settings/api-keys")
    window.page.get_by_role("link", name="Create API key").first.click()
    window.fill(name=name)
    window.page.locator(f"[name=permissions][value='{permission}']").check()
    window.click("Create API key")
    return shown_header(window)


def shown_header(window: Window) -> str:
    return window.page.get_by_role("status", name="Your new API key").locator("pre").first.inner_text()


def asked_with(window: Window, header: str, path: str = "auth/test") -> int:
    """The status of an API request that carries this header line."""
    name, _, value = header.partition(": ")
    return requests.get(f"{window.url}/api/v1/{path}", headers={name: value}, timeout=10).status_code


def test_a_key_is_made_rotated_and_its_old_secret_ended(window: Window) -> None:
    old = create_key(window, "Monitoring")
    window.shot("settings/api-key-shown-once")
    assert re.fullmatch(r"Authorization: Bearer dep_live_\w+", old)
    assert asked_with(window, old, "servers") == 200
    assert asked_with(window, old, "sites") == 403

    choose(window, "Monitoring", "Rotate")
    window.click("Rotate")
    new = shown_header(window)
    window.shot("settings/api-key-rotated")
    assert new != old
    assert [asked_with(window, header) for header in (old, new)] == [200, 200]

    window.page.reload()
    assert new.rpartition("_")[2] not in window.page.content()
    window.click("End it now")
    window.sees("The old secret of Monitoring is ended.")
    assert [asked_with(window, header) for header in (old, new)] == [401, 200]


def test_a_key_that_is_rotated_on_schedule_is_handed_over_once(
    window: Window, open_window: Open, install: Install, owner: Person
) -> None:
    window.open("/settings/api-keys/new")
    window.fill(name="Nightly", rotation_period="90d", notification_email="ops@acme.test")
    window.page.locator("[name=permissions][value='servers:read']").check()
    window.page.get_by_label("Rotate it on schedule").check()
    window.click("Create API key")
    old = shown_header(window)
    install.manage("shell", "-c", ITS_TIME_HAS_COME.format(name="Nightly"))
    link = install.mailed_link("ops@acme.test", "/settings/api-keys/handover/", ROTATION_SECONDS)
    for look, options in LOOKS.items():
        assert problems_of(open_window(owner, **options), look, {"settings/api-key-handover": link}) == []

    reader = open_window()
    reader.open(link)
    expect(reader.page).to_have_url(re.compile("/accounts/login"))
    reader.fill(login=owner.email, password=owner.password)
    reader.click("Sign in")
    reader.sees("Its new secret is shown once")
    reader.click("Show the new secret")
    new = shown_header(reader)
    reader.shot("settings/api-key-handed-over")
    assert new != old
    assert [asked_with(window, header, "servers") for header in (old, new)] == [200, 200]

    with window.expecting(404):
        window.open(link)
        window.sees("This link was used on")
    assert new.rpartition("_")[2] not in window.page.content()


def test_several_keys_are_ended_at_once(window: Window) -> None:
    first, second, third = (create_key(window, name) for name in ("First", "Second", "Third"))
    window.open("/settings/api-keys")
    for name in ("First", "Third"):
        window.page.get_by_label(f"Choose {name}").check()
    window.click("Delete chosen")
    window.shot("settings/api-keys-to-delete")
    expect(window.page.get_by_role("main")).not_to_contain_text("Second")
    window.click("Delete all of these")
    window.sees("2 API keys are revoked.")
    assert [asked_with(window, header) for header in (first, second, third)] == [401, 200, 401]


def test_changing_a_key_with_the_keyboard(window: Window) -> None:
    header = create_key(window, "By keyboard")
    window.open("/settings/api-keys?q=By+keyboard")
    keyboard = window.page.keyboard
    tab_to(window, window.page.get_by_role("button", name="Actions for By keyboard"))
    keyboard.press("Enter")
    keyboard.press("Escape")
    expect(window.page.get_by_role("link", name="Edit")).to_be_hidden()
    keyboard.press("Enter")
    tab_to(window, window.page.get_by_role("link", name="Edit"))
    keyboard.press("Enter")
    window.fill(description="Changed without a mouse")
    keyboard.press("Enter")
    window.click("Save")
    window.sees("Changed without a mouse")
    assert asked_with(window, header) == 200


def test_without_script(open_window: Open, owner: Person) -> None:
    plain = open_window(owner, java_script_enabled=False)
    header = create_key(plain, "Plain", "deploy")
    assert header.startswith("Authorization: Bearer dp_")
    choose(plain, "Plain", "Switch off")
    plain.sees("The API key Plain is switched off.")
    assert asked_with(plain, header) == 401
    choose(plain, "Plain", "Switch on")
    assert asked_with(plain, header) == 200


def test_a_key_is_limited_to_a_server_found_by_searching(window: Window, server: ReadyServer) -> None:
    window.open("/settings/api-keys/new")
    window.fill(name="Limited")
    window.page.locator("[name=permissions][value='servers:read']").check()
    window.page.get_by_label("Only the servers and sites chosen here").check()
    search, box = window.page.get_by_label("Search servers"), window.page.get_by_label("web-1")
    search.fill("no such name")
    expect(box).to_be_hidden()
    search.fill("WEB")
    box.check()
    window.click("Create API key")
    header = shown_header(window)
    assert asked_with(window, header, server.path.strip("/")) == 200
    window.click("Limited", "link")
    window.sees("Servers: web-1")


def test_refused_input_is_named_at_its_field(window: Window) -> None:
    window.open("/settings/api-keys/new")
    window.fill(name="Refused", ip_whitelist="10.0.0.1\nnowhere")
    window.page.locator("[name=permissions][value=read]").check()
    with window.expecting(422):
        window.click("Create API key")
        window.sees("nowhere: This is no address")
    expect(window.page.locator("[name=permissions][value=read]")).to_be_checked()
