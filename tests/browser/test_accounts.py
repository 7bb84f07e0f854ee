"""Coming in: signing in, invitations, a forgotten password, the second factor."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.install import Install
from tests.browser.people import Person, accept_invitation, code_of, invite, sign_in
from tests.browser.window import Window


def test_signing_out_and_in(stranger: Window, owner: Person) -> None:
    sign_in(stranger, owner)
    expect(stranger.page).to_have_url(f"{stranger.url}/")

    stranger.click(f"Account: {owner.name}")
    stranger.click("Sign out")

    expect(stranger.page).to_have_url(re.compile("/accounts/login"))
    stranger.open("/servers")
    expect(stranger.page).to_have_url(re.compile("/accounts/login"))


def test_a_wrong_password_says_so_and_keeps_the_address(stranger: Window, owner: Person) -> None:
    stranger.open("/accounts/login")
    stranger.fill(login=owner.email, password="wrong")
    stranger.click("Sign in")

    expect(stranger.page.get_by_role("alert")).to_contain_text("not correct")
    expect(stranger.page.locator("[name=login]")).to_have_value(owner.email)


def test_an_invitation_by_mail(window: Window, open_window: Open, install: Install) -> None:
    invited = Person("dev@acme.test", "Dana Developer")
    invite(window, invited.email, "Developer")

    new = open_window()
    accept_invitation(new, install, invited)

    new.click(f"Account: {invited.name}")
    expect(new.page.get_by_text("Developer of Acme")).to_be_visible()
    with new.expecting(403):
        new.open("/settings/members/invite")
    new.sees("member:create")


def test_a_forgotten_password(window: Window, open_window: Open, install: Install) -> None:
    forgetful = Person("forgetful@acme.test", "Frank")
    invite(window, forgetful.email, "Viewer")
    accept_invitation(open_window(), install, forgetful)

    reset = open_window()
    reset.open("/accounts/login")
    reset.page.get_by_role("link", name=re.compile("forgot", re.IGNORECASE)).click()
    reset.fill(email=forgetful.email)
    reset.click("Send the link")
    reset.sees("Look into your mail")
    reset.open(install.mailed_link(forgetful.email, "/accounts/password/reset/"))
    reset.fill(password1="another long horse", password2="another long horse")
    reset.click("Save the password")
    reset.sees("The password is changed")

    sign_in(reset, Person(forgetful.email, forgetful.name, "another long horse"))
    expect(reset.page.get_by_role("heading", name="Dashboard")).to_be_visible()


def test_the_second_factor(window: Window, open_window: Open, install: Install) -> None:
    careful = Person("careful@acme.test", "Carla")
    invite(window, careful.email, "Admin")
    hers = open_window()
    accept_invitation(hers, install, careful)

    secret = turn_second_factor_on(hers, careful)
    later = open_window()
    sign_in(later, careful)
    later.sees("Enter the code that your authenticator app shows")
    later.shot("accounts/second-factor")
    later.fill(code=code_of(secret))
    later.click("Sign in")

    expect(later.page.get_by_role("heading", name="Dashboard")).to_be_visible()


def turn_second_factor_on(window: Window, person: Person) -> str:
    """Returns the secret, which the authenticator app would keep."""
    window.open("/settings/profile")
    window.click("Manage", "link")
    window.click("Set up", "link")
    if window.page.url.find("reauthenticate") > 0:
        window.fill(password=person.password)
        window.page.locator("main [type=submit]").click()
    secret = window.page.locator("main pre").inner_text().strip()
    window.shot("accounts/second-factor-setup")
    window.fill(code=code_of(secret))
    window.click("Turn on")
    window.sees("Keep these codes")
    window.shot("accounts/recovery-codes")
    window.click("I have kept them", "link")
    return secret
