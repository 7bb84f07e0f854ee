"""The main job, by clicking: a server, a site on it, its releases."""

import re
from dataclasses import dataclass

import requests
from playwright.sync_api import expect

from tests.browser.window import Window
from tests.lab.git_repository import Repository
from tools.targethost import Host

DOMAIN = "shop.example.test"
PROVISION_SECONDS = 300
JOB_SECONDS = 60
# Slow enough to be watched.
BUILD = "for n in 1 2 3 4; do echo building $n; sleep 0.7; done"


@dataclass(frozen=True)
class ReadyServer:
    path: str
    host: Host


@dataclass(frozen=True)
class DeployedSite:
    path: str
    host: Host
    repository: Repository

    def text(self) -> str:
        """What a visitor reads now; there is no DNS for the domain, so the server is asked by its address."""
        answer = requests.get(f"http://{self.host.ip}/", headers={"Host": DOMAIN}, timeout=10)
        return f"{answer.status_code} {answer.text}"


def page(text: str) -> dict[str, str]:
    """The files of a site that says this."""
    return {"index.html": f"<!doctype html>\n<title>Shop</title>\n<p>{text}</p>\n"}


def add_server(window: Window, host: Host) -> str:
    """Returns the path of the server's page, where it is being provisioned."""
    window.open("/servers")
    window.click("Add server", "link")
    window.fill(name="web-1", ip_address=host.ip, private_key=host.private_key_path.read_text())
    window.shot("main-job/03-add-server")
    window.click("Add server")
    expect(window.page).to_have_url(re.compile(r"/servers/[0-9A-Z]{26}$"))
    window.shot("main-job/04-provisioning-begins")
    return window.path


def add_site(window: Window, server: str, repository: Repository, domain: str = DOMAIN) -> str:
    """Returns the path of the site's page; its deploy key is let in to the repository."""
    window.open(server)
    window.page.get_by_role("link", name="Add site").first.click()
    window.fill(domain=domain, repository_url=repository.ssh_url, build_commands=BUILD)
    window.click("Add site")
    window.sees("Not deployed yet")
    repository.add_deploy_key(window.page.get_by_role("region", name="Deploy key").locator("pre").inner_text())
    return window.path


def deploy(window: Window, site: str) -> None:
    """Leads to the page of the job."""
    window.open(site)
    window.click("Deploy")
    expect(window.page).to_have_url(re.compile("/jobs/"))


def succeeds(window: Window, seconds: float = JOB_SECONDS) -> None:
    """Waits, on the page of a job, until it says how the job ended."""
    state = window.page.get_by_role("region", name="State").locator(".status")
    expect(state).to_have_text(re.compile("Succeeded|Failed|Cancelled"), timeout=seconds * 1000)
    assert state.inner_text().strip() == "Succeeded", window.page.locator("main").inner_text()


def open_job(window: Window, name: str) -> None:
    """From the page of its server or site to its own."""
    window.page.get_by_role("link", name=re.compile(re.escape(name))).first.click()
    expect(window.page).to_have_url(re.compile("/jobs/"))


def add_variable(window: Window, site: str, name: str, value: str) -> None:
    """To the environment of a site; does nothing for one that is there."""
    window.open(f"{site}/environment")
    if window.page.get_by_role("link", name=name).count():
        return
    window.fill(name=name, value=value)
    window.click("Add")
    window.sees(f"{name} is added")


def server_of(site: str) -> str:
    """The path of the server that this site is on."""
    return site.partition("/sites/")[0]


def add_project(window: Window, name: str) -> None:
    """Where it is there already, nothing is done."""
    window.open("/projects")
    if not window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        window.page.get_by_role("link", name="Add project").first.click()
        window.fill(name=name)
        window.click("Add project")
        window.sees("No sites yet")


def add_script(window: Window, name: str) -> None:
    """With a plain and a secret parameter. Where it is there already, nothing is done."""
    window.open("/scripts")
    if window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        return
    window.page.get_by_role("link", name="Add script").first.click()
    window.fill(name=name, body='echo "hello $WHO"\n')
    window.page.get_by_label("Name of parameter 1").fill("WHO")
    window.page.get_by_label("Default of parameter 1").fill("world")
    window.page.get_by_label("Name of parameter 2").fill("API_TOKEN")
    window.page.get_by_label("Secret of parameter 2").check()
    window.click("Add script")
    window.sees("Not run yet")


def connect_provider(window: Window, name: str) -> str:
    """Connects a DNS provider, unless it is there already, and leads to its page; its id."""
    window.open("/settings/dns-providers")
    if not window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        window.page.get_by_role("link", name="Connect provider").first.click()
        window.click("Cloudflare", "link")
        window.page.locator("main [name=name]").fill(name)
        window.page.locator('main [name="values.api_token"]').fill("made-up-for-a-test")
        window.click("Connect")
        window.sees("is connected")
        return window.path.rpartition("/")[2]
    window.click(name, "link")
    window.sees("Replace the secret")
    return window.path.rpartition("/")[2]
