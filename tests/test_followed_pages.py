"""Pages that ask for themselves again while a job is open: the last of them shows how it ended."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from backups.models import Backup
from certificates.models import Certificate
from deploynix.actor import Actor
from domains.actions import create_application
from domains.models import Connection, State, Way
from jobs.actions import enqueue_job
from jobs.models import Job, Status
from providers.models import Credential
from servers.models import Comparison, Database, Server
from servers.models import Status as ServerStatus
from sites.models import Site
from tests import factories

pytestmark = pytest.mark.django_db
NEWS = "So it came to an end."
SUBJECTS: dict[str, Callable[[Actor], Any]] = {}


def subject(make: Callable[[Actor], Any]) -> Callable[[Actor], Any]:
    SUBJECTS[make.__name__] = make
    return make


@subject
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, provisioned_at=timezone.now(), database_type="mariadb")


@subject
def configuration(owner: Actor) -> Comparison:
    return Comparison.objects.create(server=server(owner), compared_at=timezone.now())


@subject
def database(owner: Actor) -> Database:
    return factories.database(server(owner))


@subject
def site(owner: Actor) -> Site:
    return factories.site(server(owner), installed_at=timezone.now())


@subject
def certificate(owner: Actor) -> Certificate:
    return factories.certificate(site(owner))


@subject
def backup(owner: Actor) -> Backup:
    return factories.backup(credential(owner), database=database(owner))


@subject
def credential(owner: Actor) -> Credential:
    return factories.storage(owner.organization)


@subject
def domain(owner: Actor) -> Connection:
    application = create_application(owner, name="Shop")
    fields = {"domain": "shop.example", "apex": "shop.example", "way": Way.MANUAL, "state": State.ACTIVE}
    return Connection.objects.create(organization=owner.organization, application=application, **fields)


def followed(owner: Actor, row: Any) -> tuple[Job, str]:
    """An open job of the kind that the row's page follows, and the address of the page."""
    about, address, kind, lane = row, "", "restart_server", ""
    if isinstance(row, Comparison):
        about, address, kind = row.server, f"{row.server.get_absolute_url()}/configuration", "check_configuration"
    elif isinstance(row, Credential):
        kind = "verify_credential"
    elif isinstance(row, Site):
        lane = row.lane
    job = enqueue_job(owner, kind=kind, subject=about, label="Work", lane=lane)
    return job, address or about.get_absolute_url()


def tell(row: Model) -> None:
    """As the job does before it ends."""
    if isinstance(row, Comparison):
        Comparison.objects.filter(pk=row.pk).update(differences=[{"path": NEWS, "action": "update", "secret": False}])
        return
    names = {field.name for field in row._meta.get_fields()}
    name = next(name for name in ("status_reason", "error", "reason") if name in names)
    failed: dict[str, Any] = {"status": ServerStatus.FAILED} if name != "reason" else {}
    type(row)._default_manager.filter(pk=row.pk).update(**{name: NEWS}, **failed)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_job_that_ends_while_its_page_is_read_leaves_no_page_behind(
    owner: Actor, owner_client: Client, name: str
) -> None:
    row = SUBJECTS[name](owner)
    job, address = followed(owner, row)
    table = re.compile(rf'FROM "({row._meta.db_table}|jobs_job)"')
    ended: list[str] = []

    def end_after_the_first(execute: Any, sql: str, *given: Any) -> Any:
        answer = execute(sql, *given)
        if not ended and table.search(sql):
            ended.append(sql)
            tell(row)
            Job.objects.filter(pk=job.pk).update(status=Status.FAILED)
        return answer

    with connection.execute_wrapper(end_after_the_first):
        page = owner_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert ended
    assert NEWS in page or 'hx-trigger="every' in page
    assert NEWS in owner_client.get(address, headers={"HX-Request": "true"}).content.decode()
