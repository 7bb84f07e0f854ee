"""Chromium, Deploynix started for real, and the people who use it."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any, TypeVar

import boto3
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser import people, work
from tests.browser.install import Install
from tests.browser.people import Person
from tests.browser.vendors import services
from tests.browser.window import Window
from tests.browser.work import DeployedSite, ReadyServer
from tests.contract.served import serving
from tests.lab.authorities import Pebble
from tests.lab.conftest import addresses, git_server, lab
from tests.lab.git_server import GitServer
from tests.lab.names import Names, unused_network
from tests.lab.reach import started
from tests.lab.seaweedfs import BUCKET, SeaweedFs, secret
from tests.peers import Missing, Peer
from tools.targethost import Lab

__all__ = ["addresses", "git_server", "lab"]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]

Open = Callable[..., Window]
P = TypeVar("P", bound=Peer)
R = TypeVar("R", bound=AbstractContextManager[Any])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


# Playwright keeps an event loop in this thread, where Django refuses to use the database: it ends with this folder.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def names() -> Iterator[Names | None]:
    """The domain names that the install finds; None where no name servers can be run."""
    with ExitStack() as running:
        yield started_peer(running, lambda: Names(unused_network(running))) if os.geteuid() == 0 else None


@pytest.fixture(scope="package")
def authority(names: Names | None) -> Iterator[Pebble | None]:
    """A certificate authority that finds them, too, and that the install trusts."""
    with ExitStack() as running:
        yield started_peer(running, lambda: Pebble(f"{names.public.address}:53")) if names else None


def started_peer(running: ExitStack, make: Callable[[], R]) -> R | None:
    """None for one that is not installed here."""
    try:
        made = make()
    except Missing:
        return None
    running.enter_context(made)
    return made


@pytest.fixture(scope="package")
def install(
    tmp_path_factory: pytest.TempPathFactory, names: Names | None, authority: Pebble | None
) -> Iterator[Install]:
    found = {"DNS_RESOLVERS": names.resolver.address} if names else {}
    trusted = {"OUTBOUND_CA_BUNDLE": str(authority.bundle)} if authority else {}
    folder = tmp_path_factory.mktemp("install")
    with serving(*services()) as settings, Install(folder, {**settings, **found, **trusted}) as install:
        yield install


@pytest.fixture(scope="package")
def owner(chromium: Browser, install: Install) -> Person:
    """The first visitor, who becomes the owner of Acme."""
    with Window(chromium, install.url) as window:
        return people.become_owner(window)


@pytest.fixture(scope="package")
def newcomer(chromium: Browser, install: Install, owner: Person) -> Person:
    """The owner, in another organization that has nothing yet."""
    # Not with the owner's cookies: which organization one looks at belongs to the session.
    with Window(chromium, install.url) as window:
        return people.create_organization(window, owner)


@pytest.fixture(scope="package")
def server(
    chromium: Browser, install: Install, owner: Person, lab: Lab, addresses: Iterator[str]
) -> Iterator[ReadyServer]:
    """A fresh Debian server, added and provisioned by clicking."""
    for host in started(lab, addresses):
        with Window(chromium, install.url, owner.state) as window:
            path = work.add_server(window, host)
            work.open_job(window, "Provision")
            work.succeeds(window, work.PROVISION_SECONDS)
            window.shot("main-job/05-provisioned")
        yield ReadyServer(path, host)


@pytest.fixture(scope="package")
def site(
    chromium: Browser, install: Install, owner: Person, server: ReadyServer, git_server: GitServer
) -> DeployedSite:
    """A site of a private repository on that server, added and deployed by clicking."""
    repository = git_server.create_repository("acme/shop", work.page("First version"))
    with Window(chromium, install.url, owner.state) as window:
        path = work.add_site(window, server.path, repository)
        window.shot("main-job/07-site-with-deploy-key")
        work.deploy(window, path)
        work.succeeds(window)
        window.shot("main-job/08-deployed")
    return DeployedSite(path, server.host, repository)


def peer(kind: type[P]) -> Iterator[P]:
    """One that is installed here, while it runs."""
    try:
        made = kind()
    except Missing as reason:
        pytest.skip(str(reason))
    with made:
        yield made


@pytest.fixture(scope="package")
def store() -> Iterator[SeaweedFs]:
    """With its bucket. Only this machine reaches it: what comes from a server comes by way of a worker."""
    for server in peer(SeaweedFs):
        client = boto3.client(
            "s3",
            "us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="admin",
            aws_secret_access_key=secret("admin"),
        )
        client.create_bucket(Bucket=BUCKET)
        yield server


@pytest.fixture
def open_window(chromium: Browser, install: Install) -> Iterator[Open]:
    """Opens windows: `open_window(person, java_script_enabled=False)`; without a person, nobody is signed in."""
    windows: list[Window] = []

    def open_one(person: Person | None = None, **options: Any) -> Window:
        windows.append(Window(chromium, install.url, person and person.state, **options))
        return windows[-1]

    yield open_one
    for window in windows:
        window.__exit__(None, None, None)


@pytest.fixture
def window(open_window: Open, owner: Person) -> Window:
    """The owner's window."""
    return open_window(owner)


@pytest.fixture
def stranger(open_window: Open, owner: Person) -> Window:
    """A window of somebody who is not signed in, where the owner has an account."""
    return open_window()
