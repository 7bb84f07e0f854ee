"""Every operation of the API, and an organization that has one of everything they can name."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from activity.actions.errors import record_error
from activity.actions.events import record_events
from activity.models import ErrorGroup
from backups.actions import create_schedule
from backups.models import Restore, RestoreKind
from deploynix.actor import Actor
from deploynix.api.operations import Operation, operation_of
from deploynix.api.permissions import PUBLIC
from deploynix.api.views import View
from deploynix.ids import new_id
from domains import contents
from domains.actions import connect_domain, create_application
from domains.api.zone_serializers import RecordOutput, ServerAnswerOutput, ZoneOutput
from domains.contents import Value
from domains.models import Connection, State, Way
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers import catalogue
from providers.actions import create_credential
from providers.api.serializers import RepositoryOutput, SizeOutput
from providers.base import Kind
from providers.models import Credential
from repositories.actions import connect_repository
from repositories.models import GitRepository
from servers.actions import create_database, create_script, run_script
from servers.api.script_serializers import ScriptInput
from servers.models import Database, DatabaseStatus, DatabaseUser
from servers.ssh import generate_key
from sites.actions.environment import create_environment_variable
from sites.actions.projects import create_project
from sites.actions.schedule import schedule_deploy
from sites.models import Release, Site, Status
from tests import factories
from tokens.actions import create_access_token, create_api_key, create_token

PREFIX = "api/v1/"
PLACE = re.compile(r"([^/]+)/<str:\w+>")
# Known to everybody: their keys and names tell nothing.
PUBLIC_PLACES = {"providers", "zones"}


@dataclass(frozen=True, slots=True)
class Call:
    """An operation: `path` as the resolver has it, without its prefix, for example `servers/<str:server>`."""

    method: str
    path: str
    view: type[View]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def operation(self) -> Operation:
        return operation_of(getattr(self.view, self.method.lower()))

    @property
    def is_public(self) -> bool:
        return self.view.abilities[self.method] == PUBLIC

    @property
    def places(self) -> list[str]:
        """The collections whose ids the path holds: `servers`, `sites`."""
        return [place for place in PLACE.findall(self.path) if place not in PUBLIC_PLACES]

    def address(self, ids: dict[str, str]) -> str:
        return "/" + PLACE.sub(lambda found: f"{found[1]}/{ids[found[1]]}", self.path)


def calls() -> list[Call]:
    """All operations of the API."""
    return [
        Call(method, path.removeprefix(PREFIX), view.cls)
        for path, view in _walk(get_resolver().url_patterns)
        if path.startswith(PREFIX) and issubclass(getattr(view, "cls", object), View)
        for method in view.cls.abilities
    ]


def _walk(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            yield path, pattern.callback


class Everything:
    """One of each, so that most operations can be called on them as they are; `prepare` does what the others need.

    `ids` maps the name of a collection, as it stands in paths, to the id of the one that is in it.
    """

    def __init__(self, owner: Actor) -> None:
        self.owner = owner
        self.zone = f"{new_id().lower()}.example"
        self.host_key = " ".join(generate_key("host").public.split()[:2])
        self.server = factories.provisioned_server(
            owner.organization, host_key=self.host_key, php_version="8.3", database_type="mariadb"
        )
        self.project = create_project(owner, name=f"Project {new_id()}")
        self.site = factories.site(
            self.server,
            project=self.project,
            installed_at=timezone.now(),
            is_zero_downtime=False,
            repository_host_key=self.host_key,
        )
        self.releases = [self._release("1"), self._release("2")]
        Site.objects.filter(pk=self.site.pk).update(current_release=self.releases[1])
        self.job = self._job()
        self.script = create_script(owner, **{**ScriptInput.example, "name": f"Script {new_id()}"})
        values = {"CHANNEL": "stable", "API_TOKEN": "mk_4f9a0c7de1b2"}
        self.run = run_script(owner, script=self.script, servers=[self.server.pk], parameters=values)[0]
        self.database = self._database()
        self.variable = create_environment_variable(owner, site=self.site, name="APP_KEY_OLD", value="a value")
        self.error = record_error(owner, message="total is not a function", site_id=self.site.pk)
        record_events(owner, events=[{"kind": "deploy.finished", "site_id": self.site.pk}])
        self.application = create_application(owner, name=f"Application {new_id()}")
        self.connection = self._connection()
        self.cloud = self._credential(Kind.SERVER, "digitalocean", api_token="dop_v1_" + "0" * 64)
        self.git = self._credential(Kind.GIT, "github", access_token="github_pat_" + "0" * 30)
        self.dns = self._credential(Kind.DNS, "cloudflare", api_token="cfut_" + "0" * 35)
        self._remember()
        self.repository = self._repository()
        self.storage = factories.storage(owner.organization)
        self.schedule = create_schedule(owner, database=self.database, credential=self.storage, cron="0 2 * * *")
        self.backup = factories.backup(self.storage, database=self.database, schedule=self.schedule)
        self.restores = {kind: self._restore(kind) for kind in RestoreKind}
        self.certificate = factories.certificate(self.site, names=[f"www.{self.site.domain}"])
        self.ids = self._ids()

    def _ids(self) -> dict[str, str]:
        key, _ = create_api_key(self.owner, name="a key", permissions=["servers:read"])
        access, _ = create_access_token(self.owner, name="an access token", scopes=["all"])
        return {
            "access-tokens": access.pk,
            "api-keys": key.key_id,
            "applications": self.application.pk,
            "connections": self.connection.pk,
            "credentials": self.git.pk,
            "backups": self.backup.pk,
            "certificates": self.certificate.pk,
            "databases": self.database.pk,
            "dns-providers": self.dns.pk,
            "drills": self.restores[RestoreKind.DRILL].pk,
            "environment-variables": self.variable.pk,
            "errors": self.error.pk,
            "git-providers": self.git.pk,
            "git-repositories": self.repository.pk,
            "instances": self.site.pk,
            "jobs": self.job.pk,
            "projects": self.project.pk,
            "providers": self.cloud.provider,
            "records": Value(f"www.{self.zone}", "A", "203.0.113.10").id,
            "restores": self.restores[RestoreKind.RESTORE].pk,
            "schedules": self.schedule.pk,
            "script-runs": self.run.pk,
            "scripts": self.script.pk,
            "servers": self.server.pk,
            "sites": self.site.pk,
            "teams": self.owner.organization.pk,
            "tokens": create_token(self.owner, name="a token")[0].pk,
            "users": DatabaseUser.objects.get(server=self.server).pk,
            "zones": self.zone,
        }

    def _release(self, commit: str) -> Release:
        return Release.objects.create(
            site=self.site, folder=new_id(), commit=commit * 40, is_on_server=True, activated_at=timezone.now()
        )

    def _job(self) -> Job:
        params = {"name": "nginx-error", "lines": 10}
        return enqueue_job(self.owner, kind="read_log", subject=self.server, label="Read a log", params=params)

    def _database(self) -> Database:
        """With a user, as after the job."""
        database, _ = create_database(self.owner, server=self.server, name="shop", user="shop")
        Job.objects.about(database).update(status=JobStatus.SUCCEEDED)
        Database.objects.filter(pk=database.pk).update(status=DatabaseStatus.ACTIVE)
        database.refresh_from_db()
        return database

    def _credential(self, kind: Kind, provider: str, **values: str) -> Credential:
        return create_credential(self.owner, kind=kind, provider=provider, name=new_id(), values=values)

    def _connection(self) -> Connection:
        """That nobody works on."""
        rows = [{"type": "A", "value": "203.0.113.10"}]
        domain = f"{new_id().lower()}.example.net"
        connection = connect_domain(
            self.owner, application=self.application, domain=domain, way=Way.CREDENTIAL, records=rows
        )
        Job.objects.about(connection).update(status=JobStatus.SUCCEEDED)
        return connection

    def _repository(self) -> GitRepository:
        """That of the site, as if it had been read."""
        repository = connect_repository(self.owner, credential=self.git, full_name=f"acme/{new_id()}")
        repository.provider_id, repository.clone_url = repository.full_name, self.site.repository_url
        repository.save()
        return repository

    def _restore(self, kind: RestoreKind) -> Restore:
        """One that has ended."""
        return Restore.objects.create(
            organization=self.owner.organization,
            backup=self.backup,
            kind=kind,
            server=self.server,
            database=self.database,
            name=self.database.name,
            finished_at=timezone.now(),
        )

    def _remember(self) -> None:
        """What the providers would answer."""
        place = {"slug": "fra1", "name": "Frankfurt 1"}
        for what in ("regions", "images:fra1"):
            catalogue.remembered(self.cloud, what, lambda _: [place])
        catalogue.remembered(self.cloud, "sizes:fra1", lambda _: [dict(SizeOutput.example)])
        page = {"repositories": [dict(RepositoryOutput.example)], "next_page": ""}
        catalogue.remembered(self.git, catalogue.page_key("", ""), lambda _: page)
        records_key = contents.records_key(self.dns, self.zone)
        answered = {"zone": self.zone, "servers": [dict(ServerAnswerOutput.example)]}
        catalogue.remembered(self.dns, "zones", lambda _: [dict(ZoneOutput.example)])
        catalogue.remembered(self.dns, records_key, lambda _: [dict(RecordOutput.example)])
        catalogue.remembered(self.dns, contents.propagation_key(self.zone, "A"), lambda _: answered)

    def body(self, call: Call) -> Any:
        """What the operation's example says, about what there is here."""
        if call.operation.input is None:
            return None
        return self._adjusted(dict(call.operation.input.example), self.named_for(call))

    def _adjusted(self, value: Any, named: dict[str, Any]) -> Any:
        if isinstance(value, list):
            return [self._adjusted(item, named) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: named.get(name, self._adjusted(part, named)) for name, part in value.items()}

    def named_for(self, call: Call) -> dict[str, Any]:
        """What stands in the operation's body under a name, wherever that is."""
        credentials = {"Backups": self.storage, "Certificates": self.dns, "Connections": self.dns}
        tomorrow = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {
            "backup_id": self.backup.pk,
            "credential_id": credentials.get(call.view.tag, self.git).pk,
            "database_id": self.database.pk,
            "expires_at": tomorrow,
            "host_key": self.host_key,
            "names": [self.site.domain],
            "project_id": self.project.pk,
            "release_id": self.releases[0].pk,
            "scheduled_at": tomorrow,
            "schedule_id": self.schedule.pk,
            "server_id": self.server.pk,
            "servers": [self.server.pk],
            "site_id": self.site.pk,
            "site_ids": [self.site.pk],
            "sites": [self.site.pk],
        }

    def prepare(self, call: Call) -> None:
        """Brings everything into the state in which the operation can be done."""
        if prepare := PREPARE.get(call.operation.summary):
            prepare(self)

    def no_sites(self) -> None:
        Job.objects.all().delete()
        Site.objects.filter(pk=self.site.pk).delete()

    def no_repositories(self) -> None:
        GitRepository.objects.filter(pk=self.repository.pk).delete()

    def disconnected(self) -> None:
        Connection.objects.filter(pk=self.connection.pk).update(state=State.DISCONNECTED)

    def suspended(self) -> None:
        Site.objects.filter(pk=self.site.pk).update(status=Status.SUSPENDED)

    def scheduled(self) -> None:
        schedule_deploy(self.owner, site=self.site, scheduled_at=timezone.now() + timedelta(hours=1))

    def failed(self) -> None:
        Job.objects.filter(pk=self.job.pk).update(status=JobStatus.FAILED, finished_at=timezone.now())

    def resolved(self) -> None:
        ErrorGroup.objects.filter(pk=self.error.pk).update(resolved_at=timezone.now())


# By the operation's summary.
PREPARE: dict[str, Callable[[Everything], None]] = {
    "Cancel a scheduled deployment": Everything.scheduled,
    "Delete a connection": Everything.disconnected,
    "Delete a credential": Everything.no_repositories,
    "Delete a server": Everything.no_sites,
    "Delete an application": Everything.disconnected,
    "Disconnect a Git provider": Everything.no_repositories,
    "Reopen an error": Everything.resolved,
    "Resume a site": Everything.suspended,
    "Retry a job": Everything.failed,
}
# Reading that does more than read, and does it only when it is asked to.
QUERIES = {
    "Show an environment variable": "?reveal=true",
    "Show a log of a server": "?name=auth",
    "Show the drift of a server": "?fresh=true",
}
