"""Questions that the actions ask before anything is written."""

from backups import keys
from backups.models import Backup, Encryption, Type
from deploynix.actor import Actor
from deploynix.errors import Conflict, Invalid
from jobs.models import OPEN_STATUSES, Job
from providers.base import Kind
from providers.models import Credential
from servers.models import Database, DatabaseStatus, DatabaseType, Server
from sites.models import Site
from sites.models import Status as SiteStatus

# They read each other's dumps; PostgreSQL's are read by itself alone.
MYSQL_FAMILY = frozenset({DatabaseType.MYSQL, DatabaseType.MARIADB})


def storage(actor: Actor, credential: Credential) -> None:
    """Raises Invalid for a credential that is no storage, or another organization's."""
    if credential.kind != Kind.STORAGE or credential.organization_id != actor.organization.pk:
        raise Invalid({"credential_id": ["The selected credential id is invalid."]})


def one_target(database: Database | None, site: Site | None) -> Type:
    """Raises Invalid where it is not exactly one."""
    if database and site:
        raise Invalid({"site_id": ["Choose a database or a site, not both."]})
    if not database and not site:
        raise Invalid({"database_id": ["The database id field is required."]})
    return Type.DATABASE if database else Type.APPLICATION


def server_of(actor: Actor, database: Database | None, site: Site | None) -> Server:
    """Where it is. Raises Invalid for what belongs to another organization."""
    target = database or site
    assert target is not None  # noqa: S101 -- `one_target` was asked before
    if target.server.organization_id != actor.organization.pk:
        name = "database" if database else "site"
        raise Invalid({f"{name}_id": [f"The selected {name} id is invalid."]})
    return target.server


def ready(database: Database | None, site: Site | None) -> None:
    """Raises Conflict where it cannot be reached or is not whole."""
    if database:
        ready_server(database.server)
        if database.status != DatabaseStatus.ACTIVE:
            raise Conflict(f"The database {database} is {database.status}.", "It can be dumped once it is active.")
    if site:
        ready_server(site.server)
        if site.status == SiteStatus.DELETING:
            raise Conflict(f"{site} is being removed.", "See its job for how far that is.")
        if site.installed_at is None:
            raise Conflict(f"{site} has no files yet.", "Deploy it first.")


def ready_server(server: Server) -> None:
    if not server.is_ready:
        raise Conflict(f"The server {server} is not ready.", "It has to be provisioned first.")


def engine(server: Server, wanted: str) -> None:
    """Raises Conflict where the server's databases are of another kind."""
    has = server.database_type
    if has != wanted and not {has, wanted} <= MYSQL_FAMILY:
        raise Conflict(
            f"The backup is of {label_of(wanted)}, and the server {server} has {label_of(has)}.",
            "Choose a server with the same kind of databases.",
        )


def label_of(database_type: str) -> str:
    known = {choice.value: choice.label for choice in DatabaseType if choice != DatabaseType.NONE}
    return known.get(database_type, "no databases")


def stored(backup: Backup) -> None:
    """Raises Conflict where there is no object to read."""
    if backup.is_stored:
        return
    if backup.removed_at or backup.removing_at:
        raise Conflict("This backup has been removed.", "Choose another one.")
    if backup.is_open:
        raise Conflict("This backup is not complete yet.", "Wait for its job to end.")
    raise Conflict("This backup has failed: there is nothing that could be read.", "Make another one.")


def good(backup: Backup) -> None:
    """Raises Conflict where the backup could not be restored."""
    stored(backup)
    if backup.fault:
        raise Conflict(f"This backup is faulty: {backup.fault}", "Verify it again, or choose another one.")
    if backup.verified_at is None:
        raise Conflict("This backup was never verified.", "Verify it first.")


def identity(backup: Backup, text: str) -> None:
    """Raises Invalid where the private key is missing, or is none that could open the backup."""
    if backup.encryption == Encryption.NONE:
        fault = "The backup is not encrypted: it needs no key." if text else ""
    elif not text:
        fault = "The identity field is required: the backup is encrypted."
    else:
        fault = keys.identity_fault(backup.encryption, text)
    if fault:
        raise Invalid({"identity": [fault]})


def reader_of(backup: Backup) -> Job | None:
    """A job that reads the object of the backup, or is about to."""
    restore = backup.restores.filter(job__status__in=OPEN_STATUSES).select_related("job").first()
    return restore.job if restore else Job.objects.open().about(backup).filter(kind="verify_backup").first()
