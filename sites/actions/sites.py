"""Adding, changing and removing sites."""

import re
import secrets
from typing import Any, TypedDict, Unpack

from django.db import transaction

from audit.log import changed, record
from deploynix.actor import Actor
from deploynix.errors import Conflict
from deploynix.names import ascii_domain
from jobs.actions import enqueue_job
from jobs.models import Job
from organizations.limits import require_room
from servers import ssh
from servers.models import Server
from servers.models import Status as ServerStatus
from sites.actions.projects import name_of
from sites.actions.schedule import call_off_deploy
from sites.checks import require_idle, require_project, require_standing
from sites.models import Site, Status, Type
from sites.validators import ssh_address

USERNAME_LENGTH = 32
USERNAME_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
# What the server's own files are made from: a change of these has to be taken there.
CONFIGURED = {"domain", "aliases", "type", "web_root", "php_version", "is_https_forced"}
NAMES = (
    "domain",
    "aliases",
    "type",
    "repository_url",
    "branch",
    "web_root",
    "shared_folders",
    "build_commands",
    "health_path",
    "php_version",
    "is_https_forced",
)


class SiteFields(TypedDict, total=False):
    domain: str
    aliases: list[str]
    type: str
    repository_url: str
    branch: str
    web_root: str
    shared_folders: list[str]
    build_commands: str
    health_path: str
    php_version: str
    is_https_forced: bool
    is_zero_downtime: bool
    project_id: str | None


@transaction.atomic
def create_site(actor: Actor, *, server: Server, **fields: Unpack[SiteFields]) -> Site:
    """A site with a deploy key of its own; nothing is done on the server before the first deploy. With a project it
    needs project:update, too.

    Raises Denied, Invalid, ValidationError, and LimitReached over the plan's `max_sites`.
    """
    actor.require("site:create")
    server = _locked(server)
    if server.status == ServerStatus.DELETING:
        raise Conflict("This server is being removed.", "Choose another one.")
    require_room(actor.organization, "max_sites")
    if fields.get("project_id"):
        require_project(actor, fields["project_id"])
    key = ssh.generate_key("deploynix")
    site = Site(
        organization=actor.organization,
        server=server,
        deploy_private_key=key.private,
        deploy_public_key=key.public,
        **fields,
    )
    _tidy(site)
    site.username = username_for(site.domain)
    _check(site)
    site.save()
    record(actor, "site.created", site)
    return site


@transaction.atomic
def update_site(actor: Actor, *, site: Site, **fields: Unpack[SiteFields]) -> Job | None:
    """Changes the site; the job, if there is one, takes the change to the server. Raises Denied, Invalid and
    ValidationError."""
    actor.require("site:update")
    _locked(site.server)
    site = Site.objects.select_related("project").get(pk=site.pk)
    require_standing(site)
    before = _values(site)
    if (fields.get("project_id", site.project_id) or None) != site.project_id:
        require_project(actor, fields["project_id"])
    for name, value in fields.items():
        setattr(site, name, value)
    _tidy(site)
    _check(site)
    changes = changed(before, _values(site))
    if not changes:
        return None
    if "is_zero_downtime" in changes:
        actor.require("site:zero-downtime")
    if "repository_url" in changes and ssh_address(before["repository_url"]) != ssh_address(site.repository_url):
        site.repository_host_key = ""
    site.save()
    record(actor, "site.updated", site, changes)
    if site.installed_at and CONFIGURED & changes.keys():
        return configure_job(actor, site)
    return None


@transaction.atomic
def delete_site(actor: Actor, *, site: Site, force: bool = False) -> Job | None:
    """Removes everything of the site from the server by a job, and then the site itself.

    With `force`, for a server that is gone, the site is removed at once, and no job is made. So it is before the
    first deploy. Raises Conflict while a job works on the site that the removal cannot wait for.
    """
    actor.require("site:delete")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if force or not site.installed_at or site.status == Status.DELETING:
        require_idle(site)
    call_off_deploy(actor, site)
    record(actor, "site.deleted", site)
    if force or not site.installed_at:
        site.delete()
        return None
    site.status, site.status_reason = Status.DELETING, ""
    site.save(update_fields=["status", "status_reason", "updated_at"])
    return enqueue_job(actor, kind="delete_site", subject=site, label=f"Remove {site.domain}", lane=site.lane)


@transaction.atomic
def suspend_site(actor: Actor, *, site: Site) -> Job:
    """Answers every visitor with a page that says so (503), until the site is resumed. Cancels the deployment that is
    scheduled. Raises Conflict."""
    actor.require("site:suspend")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if site.status != Status.ACTIVE:
        raise Conflict(f"This site is {site.status}.", "Only an active site can be suspended.")
    call_off_deploy(actor, site)
    return _change_status(actor, site, Status.SUSPENDED, "site.suspended", f"Suspend {site.domain}")


@transaction.atomic
def resume_site(actor: Actor, *, site: Site) -> Job:
    """Serves a suspended site again. Raises Conflict."""
    actor.require("site:suspend")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if site.status != Status.SUSPENDED:
        raise Conflict(f"This site is {site.status}.", "Only a suspended site can be resumed.")
    return _change_status(actor, site, Status.ACTIVE, "site.resumed", f"Resume {site.domain}")


@transaction.atomic
def enable_zero_downtime(actor: Actor, *, site: Site) -> Site:
    """From the next deploy on, each release gets a folder of its own and goes live in one step."""
    actor.require("site:zero-downtime")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if not site.is_zero_downtime:
        site.is_zero_downtime = True
        site.save(update_fields=["is_zero_downtime", "updated_at"])
        record(actor, "site.zero-downtime-enabled", site)
    return site


@transaction.atomic
def forget_repository_host_key(actor: Actor, *, site: Site) -> Site:
    """Lets the next fetch pin whatever host key the repository's server shows then."""
    actor.require("site:update")
    site = Site.objects.select_for_update().get(pk=site.pk)
    if site.repository_host_key:
        record(actor, "site.host-key-forgotten", site, {"host_key": [ssh.fingerprint(site.repository_host_key), ""]})
        site.repository_host_key = ""
        site.save(update_fields=["repository_host_key", "updated_at"])
    return site


def configure_job(actor: Actor, site: Site) -> Job:
    return enqueue_job(actor, kind="configure_site", subject=site, label=f"Configure {site.domain}", lane=site.lane)


def username_for(domain: str) -> str:
    """A Linux user name, for example `s-example-com-x4kd`; its random end keeps it unique on the server."""
    suffix = "".join(secrets.choice(USERNAME_LETTERS) for _ in range(4))
    room = USERNAME_LENGTH - len("s--") - len(suffix)
    middle = re.sub(r"[^a-z0-9]+", "-", domain)[:room].strip("-")
    return f"s-{middle}-{suffix}"


def _change_status(actor: Actor, site: Site, status: Status, event: str, label: str) -> Job:
    record(actor, event, site)
    return enqueue_job(
        actor,
        kind="change_site_status",
        subject=site,
        label=label,
        lane=site.lane,
        params={"status": status, "before": site.status},
    )


def _locked(server: Server) -> Server:
    """Two sites that want the same name on one server are made one after the other."""
    return Server.objects.select_for_update().get(pk=server.pk)


def _values(site: Site) -> dict[str, Any]:
    return {name: getattr(site, name) for name in (*NAMES, "is_zero_downtime")} | {"project": name_of(site.project)}


def _tidy(site: Site) -> None:
    site.domain = ascii_domain(site.domain)
    site.aliases = [ascii_domain(alias) for alias in site.aliases]
    site.web_root = site.web_root.strip().strip("/")
    site.shared_folders = [folder.strip().strip("/") for folder in site.shared_folders]
    if not site.project_id:
        site.project = None
    site.build_commands = site.build_commands.replace("\r\n", "\n").strip()
    site.php_version = (site.php_version or site.server.php_version or "") if site.type == Type.PHP else ""


def _check(site: Site) -> None:
    # Before the rules that span fields: those may rely on each field's own.
    site.clean_fields()
    site.full_clean()
