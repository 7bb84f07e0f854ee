"""Domains connected by real name servers: PowerDNS by its API, BIND by dynamic updates, and by hand."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail

from deploynix.actor import Actor
from deploynix.errors import Conflict
from domains import actions
from domains.actions.connections import open_job
from domains.kinds import applying, checking
from domains.models import Connection, State, Way
from domains.models.connections import OWNERSHIP_PREFIX
from jobs.models import Job, Status
from jobs.runner import run_job
from organizations.models import Role
from providers.actions import create_credential
from providers.base import Kind
from providers.contracts.dns import DnsProvider
from providers.models import Credential
from tests import factories
from tests.lab.dns_servers import DnsServer, Served
from tests.lab.names import Names

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
ADDRESS, OTHER_ADDRESS = "198.51.100.7", "198.51.100.99"


@pytest.fixture
def owner() -> Actor:
    return factories.actor(factories.organization("Acme"), Role.OWNER, "owner@acme.test")


@pytest.fixture
def rival() -> Actor:
    return factories.actor(factories.organization("Other"), Role.OWNER, "owner@other.test")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "SEEN_SECONDS", 10.0)
    monkeypatch.setattr(checking, "FRESH_SECONDS", 0.5)
    monkeypatch.setattr(checking, "SECOND_LOOK_SECONDS", 0.5)


class Zone:
    """A zone of the lab, what it holds, and a credential that opens it."""

    def __init__(self, name: str, server: DnsServer, provider: str, values: Any) -> None:
        self.name, self.server, self.provider, self.values = name, server, provider, values
        self.served = Served(server)

    def credential(self, actor: Actor) -> Credential:
        given = {"kind": Kind.DNS, "provider": self.provider, "name": f"Of {self.name}"}
        return create_credential(actor, **given, values=self.values)

    def at(self, name: str, type: str = "A") -> list[str]:  # noqa: A002 -- its name in DNS
        return sorted(row.value.rstrip(".") for row in self.served.found(self.name, name, type))

    def add(self, name: str, type: str, value: str) -> None:  # noqa: A002
        self.served.add(self.name, name, type, value)


@pytest.fixture(params=["powerdns", "rfc2136"])
def zone(request: pytest.FixtureRequest, names: Names) -> Iterator[Zone]:
    if request.param == "powerdns":
        yield Zone("pdns.test", names.pdns, "powerdns", names.pdns.values())
    else:
        yield Zone("example.test", names.bind, "rfc2136", names.bind.values(zone="example.test"))


def connect(actor: Actor, domain: str, way: Way = Way.CREDENTIAL, **records: str) -> Connection:
    """`records` are values by type, at the domain itself."""
    application = actions.create_application(actor, name="Shop")
    rows = [{"type": kind, "value": value} for kind, value in (records or {"A": ADDRESS}).items()]
    return actions.connect_domain(actor, application=application, domain=domain, way=way, records=rows)


def work(connection: Connection) -> Job:
    """Runs what is queued about it."""
    job = open_job(connection)
    assert job is not None
    run_job(job.pk)
    connection.refresh_from_db()
    job.refresh_from_db()
    return job


def test_a_domain_is_connected_and_disconnected(owner: Actor, zone: Zone) -> None:
    credential = zone.credential(owner)
    domain = f"shop.{zone.name}"
    connection = connect(owner, domain, A=ADDRESS, TXT='say "hi"; ok')
    job = work(connection)
    assert job.status == Status.SUCCEEDED, job.error
    assert (connection.state, connection.apex, connection.credential) == (State.ACTIVE, zone.name, credential)
    assert zone.at(domain) == [ADDRESS]
    assert zone.at(domain, "TXT") == ['say "hi"; ok']
    assert zone.at(f"_deploynix.{domain}", "TXT") == [OWNERSHIP_PREFIX + connection.token]

    zone.add(f"_deploynix.{domain}", "TXT", "of others")
    job_of_end = actions.disconnect_connection(owner, connection=connection)
    assert job_of_end is not None
    assert work(connection).status == Status.SUCCEEDED
    assert (connection.state, connection.credential) == (State.DISCONNECTED, None)
    assert zone.at(domain) == zone.at(domain, "TXT") == []
    assert zone.at(f"_deploynix.{domain}", "TXT") == ["of others"]


def test_what_was_there_before_stays_when_it_ends(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    domain = f"shop.{zone.name}"
    zone.add(domain, "A", ADDRESS)
    connection = connect(owner, domain)
    work(connection)
    assert connection.state == State.ACTIVE
    actions.disconnect_connection(owner, connection=connection)
    work(connection)
    assert zone.at(domain) == [ADDRESS]
    assert zone.at(f"_deploynix.{domain}", "TXT") == []


def test_nothing_of_others_is_overwritten_before_somebody_confirms_it(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    domain = f"shop.{zone.name}"
    zone.add(domain, "A", "192.0.2.1")
    zone.add(domain, "A", "192.0.2.2")
    zone.add(domain, "TXT", "of others")
    connection = connect(owner, domain)
    assert work(connection).status == Status.SUCCEEDED
    assert connection.state == State.PENDING
    found = list(connection.conflicts.all())
    assert [(row.name, row.type, row.value) for row in found] == [(domain, "A", f"192.0.2.{n}") for n in (1, 2)]

    # One that is not confirmed keeps all of it as it was.
    actions.apply_connection(owner, connection=connection, conflicts=[found[0].pk])
    work(connection)
    assert connection.state == State.PENDING
    assert zone.at(domain) == ["192.0.2.1", "192.0.2.2"]
    assert zone.at(f"_deploynix.{domain}", "TXT") == []

    actions.apply_connection(owner, connection=connection, conflicts=[found[1].pk])
    work(connection)
    assert connection.state == State.ACTIVE
    assert zone.at(domain) == [ADDRESS]
    assert zone.at(domain, "TXT") == ["of others"]
    assert all(row.removed_at for row in connection.conflicts.all())


def test_an_alias_takes_the_place_of_what_was_confirmed(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    domain = f"www.{zone.name}"
    zone.add(domain, "A", "192.0.2.1")
    zone.add(domain, "TXT", "of others")
    connection = connect(owner, domain, CNAME="shop.example.net")
    work(connection)
    ids = [row.pk for row in connection.conflicts.all()]
    assert len(ids) == 2
    actions.apply_connection(owner, connection=connection, conflicts=ids)
    assert work(connection).status == Status.SUCCEEDED
    assert connection.state == State.ACTIVE
    assert zone.at(domain, "CNAME") == ["shop.example.net"]
    assert zone.at(domain) == zone.at(domain, "TXT") == []


def test_an_alias_is_overwritten_by_an_address(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    domain = f"www.{zone.name}"
    zone.add(domain, "CNAME", "old.example.net.")
    connection = connect(owner, domain)
    work(connection)
    [conflict] = connection.conflicts.all()
    assert (conflict.type, conflict.value) == ("CNAME", "old.example.net")
    actions.apply_connection(owner, connection=connection, conflicts=[conflict.pk])
    work(connection)
    assert connection.state == State.ACTIVE
    assert zone.at(domain) == [ADDRESS]


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
def test_a_whole_zone_is_no_alias(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    connection = connect(owner, zone.name, CNAME="shop.example.net")
    job = work(connection)
    assert job.status == Status.FAILED
    assert "cannot be an alias" in job.error
    assert connection.state == State.FAILING
    assert "cannot be an alias" in connection.reason


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
def test_an_alias_beside_mail_servers_is_refused(owner: Actor, zone: Zone) -> None:
    zone.credential(owner)
    domain = f"www.{zone.name}"
    zone.add(domain, "MX", "10 mail.example.net.")
    connection = connect(owner, domain, CNAME="shop.example.net")
    assert "has MX records" in work(connection).error
    zone.served.drop(zone.name, domain)


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
@pytest.mark.parametrize("dies_at", range(4))
def test_a_job_that_dies_half_way_is_resumed_and_loses_nothing(
    owner: Actor, zone: Zone, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It dies before or after a value is put up; what it put up is known, and goes with the connection."""
    zone.credential(owner)
    domain = f"shop.{zone.name}"
    zone.add(domain, "A", "192.0.2.1")
    connection = connect(owner, domain)
    work(connection)
    put, calls = DnsProvider.ensure_record, []

    def dying(*given: Any, **options: Any) -> None:
        calls.append(given)
        if dies_at % 2:
            put(*given, **options)
        if len(calls) > dies_at // 2:
            raise SystemExit

    monkeypatch.setattr(DnsProvider, "ensure_record", dying)
    actions.apply_connection(owner, connection=connection, conflicts=[row.pk for row in connection.conflicts.all()])
    job = open_job(connection)
    assert job is not None
    with pytest.raises(SystemExit):
        run_job(job.pk)
    monkeypatch.undo()
    monkeypatch.setattr(applying, "SEEN_SECONDS", 10.0)
    # As the reaper does with a worker that has no pulse any more.
    Job.objects.filter(pk=job.pk).update(status=Status.QUEUED)
    assert work(connection).status == Status.SUCCEEDED
    assert connection.state == State.ACTIVE
    assert zone.at(domain) == [ADDRESS]
    actions.disconnect_connection(owner, connection=connection)
    work(connection)
    assert zone.served.found(zone.name) == []


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
def test_a_domain_by_hand_becomes_active_fails_and_recovers(owner: Actor, zone: Zone) -> None:
    domain = f"shop.{zone.name}"
    zone.add(domain, "A", OTHER_ADDRESS)
    connection = connect(owner, domain, Way.MANUAL)
    work(connection)
    assert connection.state == State.PENDING
    assert [row.value for row in connection.conflicts.all()] == [OTHER_ADDRESS]

    zone.served.drop(zone.name, domain)
    zone.add(domain, "A", ADDRESS)
    zone.add(f"_deploynix.{domain}", "TXT", OWNERSHIP_PREFIX + connection.token)
    actions.check_connection(owner, connection=connection)
    work(connection)
    assert connection.state == State.ACTIVE
    assert not connection.conflicts.exists()

    zone.served.drop(zone.name, domain)
    actions.check_connection(owner, connection=connection)
    work(connection)
    assert connection.state == State.FAILING
    assert f"{domain} A: ns1.{zone.name} has no such record." in connection.reason
    run_warnings()
    assert f"The domain {domain} is not connected as it should be" in mail.outbox[0].subject
    # It is told once.
    actions.check_connection(owner, connection=connection)
    work(connection)
    run_warnings()
    assert len(mail.outbox) == 1

    zone.add(domain, "A", ADDRESS)
    actions.check_connection(owner, connection=connection)
    work(connection)
    assert connection.state == State.ACTIVE
    run_warnings()
    assert "connected again" in mail.outbox[1].subject


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
def test_a_domain_is_of_one_organization_at_a_time(owner: Actor, rival: Actor, zone: Zone) -> None:
    domain = f"shop.{zone.name}"
    zone.add(domain, "A", ADDRESS)
    mine, theirs = connect(owner, domain, Way.MANUAL), connect(rival, domain, Way.MANUAL)
    name = f"_deploynix.{domain}"
    zone.add(name, "TXT", OWNERSHIP_PREFIX + mine.token)
    work(mine)
    work(theirs)
    assert (mine.state, theirs.state) == (State.ACTIVE, State.PENDING)

    # Both tokens: who was first keeps it.
    zone.add(name, "TXT", OWNERSHIP_PREFIX + theirs.token)
    actions.check_connection(rival, connection=theirs)
    work(theirs)
    assert theirs.state == State.PENDING
    assert "Another organization" in theirs.reason

    # The zone's owner lets go of the first.
    zone.served.drop(zone.name, name)
    zone.add(name, "TXT", OWNERSHIP_PREFIX + theirs.token)
    actions.check_connection(rival, connection=theirs)
    work(theirs)
    mine.refresh_from_db()
    assert (mine.state, theirs.state) == (State.FAILING, State.ACTIVE)


@pytest.mark.parametrize("zone", ["powerdns"], indirect=True)
def test_a_credential_that_no_longer_works(owner: Actor, zone: Zone) -> None:
    credential = zone.credential(owner)
    connection = connect(owner, f"shop.{zone.name}")
    work(connection)
    credential.seal({"api_key": "another"})
    credential.save()
    actions.disconnect_connection(owner, connection=connection)
    assert work(connection).status == Status.FAILED
    assert (connection.state, connection.leaving_at) == (State.ACTIVE, None)
    assert connection.reason
    with pytest.raises(Conflict):
        actions.delete_connection(owner, connection=connection)
    assert actions.disconnect_connection(owner, connection=connection, keep_records=True) is None
    connection.refresh_from_db()
    assert connection.state == State.DISCONNECTED
    actions.delete_connection(owner, connection=connection)
    assert zone.at(f"shop.{zone.name}") == [ADDRESS]


def run_warnings() -> None:
    for job in Job.objects.open().filter(kind="warn_of_connection"):
        run_job(job.pk)
