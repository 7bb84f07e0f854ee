"""Where a backup is restored to, and what that means for what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backups.checks import MYSQL_FAMILY
from backups.models import Backup
from deploynix.actor import Actor
from servers.models import Database, DatabaseStatus, DatabaseType, Server
from sites.models import Site


@dataclass(frozen=True, slots=True)
class Place:
    """`name` is that of a database or site on `server`; `is_taken` says that something is there, and is replaced."""

    name: str
    server: Server
    is_taken: bool
    is_site: bool = False

    @property
    def confirmation(self) -> str:
        """What has to be typed before it is replaced; empty where nothing is."""
        return " ".join(self.name.split()) if self.is_taken else ""


def place_of(values: Mapping[str, Any]) -> Place:
    """The place that the action's values `server` and `name`, or `site`, mean."""
    site: Site | None = values.get("site")
    if site:
        return Place(str(site), site.server, is_taken=True, is_site=True)
    server, name = values["server"], values["name"]
    known = Database.objects.filter(server=server, name=name).exclude(status=DatabaseStatus.MISSING)
    return Place(name, server, is_taken=known.exists())


def servers_for(actor: Actor, backup: Backup) -> list[Server]:
    """Those that could take a backup of a database."""
    engines = MYSQL_FAMILY if backup.engine in MYSQL_FAMILY else {DatabaseType(backup.engine)}
    rows = Server.objects.visible_to(actor).filter(database_type__in=engines).order_by("name")
    return [server for server in rows.defer("private_key", "login_key") if server.is_ready]


def sites_for(actor: Actor) -> list[Site]:
    rows = Site.objects.visible_to(actor).exclude(installed_at=None).select_related("server").order_by("domain")
    return list(rows.defer("deploy_private_key", "server__private_key", "server__login_key"))
