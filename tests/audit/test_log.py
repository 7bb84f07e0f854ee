"""The audit log's page: newest first, filters, pages, and nothing of others."""

import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from audit.events import EVENTS, TARGETS
from audit.log import changed, record
from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.ids import first_id_at, new_id
from tests import factories
from tests.audit.conftest import START, Tell


def shown(client: Client, query: str = "") -> list[str]:
    """The targets on the page, from top to bottom."""
    page = client.get(f"/settings/audit{query}").content.decode()
    return re.findall(r"Server: ([\w-]+)", page)


def test_newest_first(owner_client: Client, owner: Actor, tell: Tell) -> None:
    tell(owner, 3)

    assert shown(owner_client) == ["web-2", "web-1", "web-0"]
    page = owner_client.get("/settings/audit").content.decode()
    assert "Added a server" in page
    assert "owner@acme.test" in page
    assert "192.0.2.1" in page


def test_shows_what_changed(owner_client: Client, owner: Actor) -> None:
    record(owner, "organization.updated", owner.organization, changed({"name": "<b>Old"}, {"name": "New"}))

    assert "name: &lt;b&gt;Old → New" in owner_client.get("/settings/audit").content.decode()


def test_shows_a_list_as_people_write_one(owner_client: Client, owner: Actor) -> None:
    record(owner, "token.created", None, {"abilities": [None, ["site:read", "site:deploy"]]})

    assert "abilities: site:read, site:deploy" in owner_client.get("/settings/audit").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("event=server.deleted", ["gone"]),
        ("target_type=server", ["gone", "web-1", "web-0"]),
        ("target_type=site", []),
        ("since=2026-03-02", ["gone"]),
        ("until=2026-03-01", ["web-1", "web-0"]),
        ("since=2026-03-01&until=2026-03-02", ["gone", "web-1", "web-0"]),
        ("since=2026-03-03", []),
        ("q=WEB-1", ["web-1"]),
        ("q=198.51.100", ["gone"]),
        ("q=deleted", ["gone"]),
        ("q=web&event=server.deleted", []),
        ("q=100%25", []),
    ],
)
def test_filters(owner_client: Client, owner: Actor, tell: Tell, query: str, expected: list[str]) -> None:
    tell(owner, 2)
    later = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)
    [event] = tell(owner, event="server.deleted", target="gone", ip="198.51.100.7", created_at=later)
    AuditEvent.objects.filter(pk=event.pk).update(id=first_id_at(later))

    assert shown(owner_client, f"?{query}") == expected


def test_filters_by_person(owner_client: Client, owner: Actor, member: Actor, tell: Tell) -> None:
    tell(owner, target="by-owner")
    tell(member, target="by-viewer")
    assert member.user

    assert shown(owner_client, f"?person={member.user.pk}") == ["by-viewer"]


@pytest.mark.parametrize("query", ["event=nonsense", "since=yesterday", "person=x", "target_type=x"])
def test_a_filter_that_makes_no_sense_shows_nothing_and_says_so(
    owner_client: Client, owner: Actor, tell: Tell, query: str
) -> None:
    tell(owner)
    response = owner_client.get(f"/settings/audit?{query}")

    assert response.status_code == 200
    assert b"invalid-feedback" in response.content
    assert shown(owner_client, f"?{query}") == []


def test_pages_follow_one_another_without_a_gap(owner_client: Client, owner: Actor, tell: Tell) -> None:
    tell(owner, 120)
    seen, query = [], "?q=web"
    while query:
        seen.append(shown(owner_client, query))
        page = owner_client.get(f"/settings/audit{query}").content.decode()
        older = re.search(r'rel="next" href="([^"]+)"', page)
        query = older[1].replace("&amp;", "&") if older else ""

    assert [len(page) for page in seen] == [50, 50, 20]
    assert [target for page in seen for target in page] == [f"web-{hour}" for hour in reversed(range(120))]


def test_the_page_costs_the_same_for_one_event_and_for_many(
    owner_client: Client, owner: Actor, tell: Tell, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in (1, 200):
        tell(owner, number)
        with django_assert_num_queries(5) as captured:
            owner_client.get("/settings/audit")
        assert not any("COUNT(" in query["sql"] for query in captured.captured_queries)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "audit_by_time"),
        ("?since=2026-03-01&until=2026-03-02", "audit_by_time"),
        ("?event=server.updated", "audit_by_event"),
        ("?target_type=site", "audit_by_target"),
        ("?person={person}", "audit_by_person"),
    ],
)
def test_every_filter_is_answered_by_an_index(
    owner_client: Client, owner: Actor, member: Actor, outsider: Actor, tell: Tell, query: str, index: str
) -> None:
    assert member.user
    for person, number in ((outsider, 2000), (owner, 600)):
        tell(person, number)
    tell(member, 200, event="server.updated", target_type="site")
    with CaptureQueriesContext(connection) as captured:
        owner_client.get("/settings/audit" + query.format(person=member.user.pk))
    sql = next(item["sql"] for item in captured.captured_queries if 'FROM "audit_auditevent"' in item["sql"])

    plan = explained(sql)

    assert index in plan
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan


def explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
        if connection.vendor == "postgresql":
            # A table this small is read whole; what matters is that the index could serve the order.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if connection.vendor == 'sqlite' else ''}{sql}")
        return " ".join(str(cell) for row in cursor.fetchall() for cell in row)


def test_nothing_of_another_organization_is_shown(
    owner_client: Client, owner: Actor, outsider: Actor, tell: Tell
) -> None:
    tell(outsider, target="theirs")
    tell(owner, target="ours")
    assert outsider.user

    assert shown(owner_client) == ["ours"]
    assert shown(owner_client, f"?person={outsider.user.pk}") == []
    assert b"owner@other.test" not in owner_client.get("/settings/audit").content


def test_an_event_that_is_not_listed_cannot_be_recorded(owner: Actor) -> None:
    with pytest.raises(LookupError, match="no such event"):
        record(owner, "server.exploded")


def test_every_event_has_a_noun_and_a_text() -> None:
    assert all(re.fullmatch(r"[a-z-]+\.[a-z-]+", name) and text for name, text in EVENTS.items())
    assert set(TARGETS) >= {"organization", "membership", "invitation", "user"}


def test_the_smallest_id_of_a_moment_stands_before_every_id_made_then() -> None:
    assert len(first_id_at(START)) == 26
    assert first_id_at(START) > first_id_at(START.replace(year=2025))
    before = datetime.now(UTC)
    assert first_id_at(before) <= new_id()


def test_a_person_who_is_gone_still_stands_there(owner_client: Client, owner: Actor, tell: Tell) -> None:
    leaver = factories.actor(owner.organization, "developer", "left@acme.test")
    tell(leaver)
    assert leaver.user
    leaver.user.delete()

    assert b"left@acme.test" in owner_client.get("/settings/audit").content
