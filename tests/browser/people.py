"""Who uses the install, and how they come in."""

import re
import time
from dataclasses import dataclass, replace

from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import expect

from tests.browser.install import Install
from tests.browser.window import State, Window
from tools.targethost.process import wait_until

PASSWORD = "correct horse battery"
ORGANIZATION = "Acme"
# Seconds that a code of an authenticator app is good for.
PERIOD = 30


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    password: str = PASSWORD
    # Signed in: cookies for another window.
    state: State = None


OWNER = Person("owner@acme.test", "Olivia Owner")


def become_owner(window: Window) -> Person:
    """The first visit leads to the form that makes the owner."""
    window.open("/")
    expect(window.page).to_have_url(re.compile("/accounts/signup$"))
    window.shot("main-job/01-first-visit")
    window.fill(name=OWNER.name, email=OWNER.email, password=OWNER.password, organization=ORGANIZATION)
    window.click("Create the account")
    window.sees("Add your first server")
    window.shot("main-job/02-empty-dashboard")
    return replace(OWNER, state=window.state)


def create_organization(window: Window, person: Person, name: str = "Empty") -> Person:
    """The same person, who now looks at a new organization."""
    sign_in(window, person)
    window.click(f"Organization: {ORGANIZATION}")
    window.click("New organization", "link")
    window.fill(name=name)
    window.click("Create")
    window.sees("Add your first server")
    return replace(person, state=window.state)


def sign_in(window: Window, person: Person) -> None:
    """With the password; whoever has a second factor is asked for it next."""
    window.open("/accounts/login")
    window.fill(login=person.email, password=person.password)
    window.click("Sign in")


def invite(window: Window, email: str, role: str) -> None:
    """As owner or admin, from the page of members."""
    window.open("/settings/members")
    window.click("Invite", "link")
    window.fill(email=email)
    window.page.get_by_label("Role").select_option(label=role)
    window.click("Send the invitation")
    window.sees(f"{email} is invited")


def accept_invitation(window: Window, install: Install, person: Person) -> Person:
    """As somebody without an account, by the link in the mail."""
    window.open(install.mailed_link(person.email, "/invitations/"))
    window.fill(name=person.name, password=person.password)
    window.click("Create the account and join")
    expect(window.page).to_have_url(f"{install.url}/")
    return replace(person, state=window.state)


def code_of(secret: str) -> str:
    """What an authenticator app shows, good for some seconds still: RFC 6238."""
    wait_until(lambda: time.time() % PERIOD < PERIOD - 4, 5)
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD)))
