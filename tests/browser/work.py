"""The main job, by clicking: a server, a site on it, its releases."""

import re
from dataclasses import dataclass

import requests
from playwright.sync_api import expect

from tests.browser.vendors import CLOUDFLARE
from tests.browser.window import Window
from tests.lab.dns_servers import Bind
from tests.lab.git_repository import Repository
from tests.lab.seaweedfs import BUCKET, SeaweedFs, secret
from tools.targethost import Host

DOMAIN = "shop.example.test"
PROVISION_SECONDS = 300
JOB_SECONDS = 60
BACKUP_SECONDS = 180
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


@dataclass(frozen=True)
class AgeKey:
    public: str
    private: str


def page(text: str) -> dict[str, str]:
    """The files of a site that says this."""
    return {"index.html": f"<!doctype html>\n<title>Shop</title>\n<p>{text}</p>\n"}


def add_server(window: Window, host: Host) -> str:
    """Returns the path of the server's page, where it is being provisioned."""
    window.open("/servers")
    window.click("Add server", "link")
    window.fill(name="web-1", ip_address=host.ip, private_key=host.private_key_path.read_text())
    window.page.locator("main [name=database_type]").select_option("mariadb")
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


def add_database(window: Window, server: str, name: str) -> str:
    """With a user of the same name; the path of its page. Where it is there already, nothing is done."""
    window.open(f"{server}/databases")
    if window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        window.click(name, "link")
        window.sees("All jobs of this database")
        return window.path
    window.page.get_by_role("link", name="Create database").first.click()
    window.fill(name=name, user=name)
    window.click("Create database")
    window.sees(f"The password of {name}")
    expect(window.page.locator("#users .status").first).to_have_text("Active", timeout=JOB_SECONDS * 1000)
    return window.path


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


def fill_credential(window: Window, **values: str) -> None:
    """Types into the fields of a credential, or chooses where there is a choice."""
    for name, value in values.items():
        field = window.page.locator(f'main [name="values.{name}"]')
        if field.evaluate("field => field.localName") == "select":
            field.select_option(value)
        else:
            field.fill(value)


def connect(window: Window, section: str, provider: str, name: str, **values: str) -> str:
    """Connects a provider, and waits for what its permissions are; the path of its page."""
    window.open(f"/settings/{section}-providers")
    window.page.get_by_role("link", name="Connect provider").first.click()
    window.click(provider, "link")
    window.fill(name=name)
    fill_credential(window, **values)
    window.click("Connect")
    window.sees(f"{name} is connected")
    is_checked(window)
    return window.path


def is_checked(window: Window) -> None:
    """Waits, on the page of a credential, until the check has ended."""
    state = window.page.get_by_role("region", name="Permissions")
    expect(state.get_by_role("status")).to_contain_text("Checked", timeout=JOB_SECONDS * 1000)


def connect_provider(window: Window, name: str) -> str:
    return connect_once(window, "dns", "Cloudflare", name, api_token=CLOUDFLARE)


def connect_once(window: Window, section: str, provider: str, name: str, **values: str) -> str:
    """Connects a provider, unless it is there already, and leads to its page; its id."""
    window.open(f"/settings/{section}-providers")
    if window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        window.click(name, "link")
        window.sees("Replace the secret")
        return window.path.rpartition("/")[2]
    return connect(window, section, provider, name, **values).rpartition("/")[2]


def connect_store(window: Window, store: SeaweedFs, name: str) -> str:
    """Its id."""
    keys = {"access_key_id": "writer", "secret_access_key": secret("writer")}
    place = {"bucket": BUCKET, "endpoint": store.url, "path_style": "yes"}
    return connect_once(window, "backup", "Custom S3-compatible", name, **keys, **place)


def add_schedule(window: Window, database: str) -> str:
    """Of the database with this page, every day; the path of its page. Where it has one already, nothing is done."""
    window.open(database)
    name = window.page.locator("#users .card-title").inner_text()
    window.open("/backups/schedules")
    if window.page.locator("main").get_by_role("link", name=name, exact=True).count():
        window.click(name, "link")
    else:
        window.open(database)
        window.click("Back it up by a schedule", "link")
        window.page.locator("main [name=drill_preset]").select_option("0 5 * * 0")
        window.fill(drill_query="SELECT 1")
        window.click("Add schedule")
    window.sees("How many are kept")
    return window.path


def back_up(window: Window, schedule: str) -> str:
    """Now; the path of the backup's page. Where the schedule has a good one already, nothing is made."""
    window.open(schedule)
    made = window.page.get_by_role("region", name="Backups").get_by_role("row").filter(has_text="Completed")
    if made.count():
        made.get_by_role("link").first.click()
    else:
        window.click("Back up now")
    window.sees("Where it is stored")
    becomes(window, "Completed")
    return window.path


def share_folders(window: Window, site: str, *folders: str) -> None:
    """Between the releases of the site, from the next one on, which is made."""
    window.open(f"{site}/settings")
    window.fill(shared_folders="\n".join(folders))
    window.click("Save")
    window.sees("The site is saved.")
    deploy(window, site)
    succeeds(window)


def age_key(host: Host) -> AgeKey:
    """A new one."""
    private = host.run("age-keygen").stdout
    return AgeKey(host.run("age-keygen", "-y", stdin=private).stdout.strip(), private)


def prove(window: Window, backup: str) -> str:
    """By a drill; the path of its page."""
    window.open(f"{backup}/drill")
    window.click("Prove it")
    becomes(window, "Succeeded")
    return window.path


def connect_name_server(window: Window, server: Bind, name: str) -> str:
    """As a DNS provider; its id."""
    return connect_once(window, "dns", "DNS server (RFC 2136)", name, **server.values())


def issue_certificate(window: Window, site: str, directory_url: str, *, wildcard: bool = False) -> str:
    """For the names of the site, proven by DNS; the path of its page, where it is under way."""
    window.open(site)
    window.page.locator("main").get_by_role("link", name="Certificates", exact=True).click()
    window.click("Issue a certificate", "link")
    if wildcard:
        window.page.locator("main [name=wildcard]").check()
    else:
        window.page.locator("main [name=challenge]").select_option("dns-01")
    window.page.locator("main [name=directory]").select_option("other")
    window.fill(directory_url=directory_url)
    window.click("Issue")
    expect(window.page).to_have_url(re.compile(r"/certificates/[0-9A-Z]{26}$"))
    return window.path


def add_certificate(window: Window, site: str) -> str:
    """One that nobody issues; the path of its page. Where the site has one already, nothing is done."""
    window.open(f"{site}/certificates")
    known = window.page.locator("main table").get_by_role("link")
    if known.count():
        known.first.click()
        window.sees("All jobs of this certificate")
        return window.path
    return issue_certificate(window, site, "https://127.0.0.1:9/directory")


def add_application(window: Window, name: str) -> str:
    """The path of its page. Where it is there already, nothing is done."""
    window.open("/applications")
    known = window.page.locator("main").get_by_role("link", name=name, exact=True)
    if known.count():
        known.click()
    else:
        window.page.get_by_role("link", name="Add application").first.click()
        window.fill(name=name)
        window.click("Add application")
    window.sees("A domain's zone is looked for with these first.")
    return window.path


def connect_domain(window: Window, application: str, domain: str, way: str, value: str) -> str:
    """To an address, in the way of this name; the path of its page. Where it is there already, nothing is done."""
    window.open(application)
    known = window.page.locator("main").get_by_role("link", name=domain, exact=True)
    if known.count():
        known.click()
    else:
        window.page.get_by_role("link", name="Connect a domain").first.click()
        window.fill(domain=domain)
        window.click("Go on")
        window.page.get_by_role("radio", name=re.compile(f"^{way}")).check()
        window.page.get_by_role("group", name="Record 1").get_by_label("Value").fill(value)
        window.click(f"Connect {domain}")
    expect(window.page).to_have_url(re.compile(r"/connections/[0-9A-Z]{26}$"))
    return window.path


def becomes(window: Window, status: str) -> None:
    """Waits on the page of a backup or a restore; fails where it becomes something else."""
    state = window.page.get_by_role("region", name="State").locator(".status")
    expect(state).to_have_text(
        re.compile("Completed|Restored|Succeeded|Failed|Cancelled"), timeout=BACKUP_SECONDS * 1000
    )
    assert state.inner_text().strip() == status, window.page.locator("main").inner_text()
