"""The log as CSV."""

import csv
import io
import tracemalloc

import pytest
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client

from audit.actions import COLUMNS, export_events
from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Denied
from tests.audit.conftest import Tell


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response: HttpResponseBase = client.get(f"/settings/audit/export{query}")
    assert isinstance(response, StreamingHttpResponse)
    return list(csv.DictReader(io.StringIO(response.getvalue().decode())))


def test_exports_every_column(owner_client: Client, owner: Actor, tell: Tell) -> None:
    tell(owner, changes={"name": ["a", "b"]})

    rows = [row for row in exported(owner_client) if row["event"] == "server.created"]

    assert rows == [
        {
            "time": "2026-03-01T00:00:00Z",
            "event": "server.created",
            "actor": "owner@acme.test",
            "token": "",
            "ip": "192.0.2.1",
            "target_type": "server",
            "target_id": "",
            "target": "web-0",
            "changes": '{"name": ["a", "b"]}',
        }
    ]
    assert tuple(rows[0]) == COLUMNS


def test_exports_what_the_same_filters_show_however_many(owner_client: Client, owner: Actor, tell: Tell) -> None:
    tell(owner, 120)
    tell(owner, event="server.deleted")

    rows = exported(owner_client, "?event=server.created&before=0")

    assert [row["target"] for row in rows] == [f"web-{hour}" for hour in reversed(range(120))]


def test_the_file_has_a_name_and_a_type(owner_client: Client) -> None:
    response = owner_client.get("/settings/audit/export")

    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-20')


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(owner_client: Client, owner: Actor, tell: Tell, start: str) -> None:
    formula = f"{start}HYPERLINK(1)"
    tell(owner, target=formula, actor=formula)

    row = exported(owner_client, "?event=server.created")[0]

    assert row["target"].startswith("'")
    assert row["actor"].startswith("'")


def test_quotes_commas_and_lines_survive(owner_client: Client, owner: Actor, tell: Tell) -> None:
    tell(owner, target='a "b", c\nd é')

    assert exported(owner_client, "?event=server.created")[0]["target"] == 'a "b", c\nd é'


def test_the_export_is_recorded(owner_client: Client, owner: Actor) -> None:
    exported(owner_client, "?event=server.created")

    event = AuditEvent.objects.get(event="audit.exported")
    assert (event.user, event.changes) == (owner.user, {"filters": [None, "event=server.created"]})


def test_nothing_of_another_organization_is_exported(
    owner_client: Client, outsider: Actor, owner: Actor, tell: Tell
) -> None:
    tell(outsider, target="theirs")

    assert [row["event"] for row in exported(owner_client)] == ["audit.exported"]


def test_a_viewer_exports_nothing(member: Actor, member_client: Client) -> None:
    assert member_client.get("/settings/audit/export").status_code == 403
    with pytest.raises(Denied, match="audit:read"):
        export_events(member, events=AuditEvent.objects.visible_to(member), filters="")
    assert not AuditEvent.objects.exists()


def test_memory_does_not_grow_with_the_log(owner: Actor, tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.actions._BATCH", 100)

    def peak() -> int:
        tracemalloc.start()
        try:
            for _ in export_events(owner, events=AuditEvent.objects.order_by("-id"), filters=""):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    tell(owner, 400)
    small = peak()
    tell(owner, 1600)

    assert peak() < 1.5 * small
