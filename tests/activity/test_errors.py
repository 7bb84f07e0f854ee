"""Reporting errors, grouping them, and resolving them, through the API."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import orjson
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from activity.actions.errors import KEPT_EVENTS, record_error, reopen_error, resolve_error
from activity.models import ErrorEvent, ErrorGroup
from audit.models import AuditEvent
from deploynix.actor import Actor, Resources
from deploynix.errors import Denied
from sites.models import EnvironmentVariable, Site
from tests.activity.conftest import read
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db

ERRORS = "/errors"
STACK = (
    "TypeError: total is not a function\n    at checkout (/srv/app/cart.js:42:7)\n    at main (/srv/app/main.js:1:1)"
)


def report(api: ApiClient, message: str = "total is not a function", **fields: Any) -> dict[str, Any]:
    response = api.post(ERRORS, {"message": message, **fields})
    assert response.status_code == 201, response.content
    return dict(read(response)["data"])


def shown(api: ApiClient, pk: str) -> dict[str, Any]:
    return dict(read(api.get(f"{ERRORS}/{pk}"))["data"])


def test_an_error_is_reported_and_shown(api: ApiClient, site: Site) -> None:
    details: dict[str, Any] = {"type": "TypeError", "stack": STACK, "context": {"path": "/checkout"}, "level": "fatal"}
    answer = report(api, **details, environment="production", release="1.4.2", site_id=site.pk)
    assert set(answer) == {"id", "fingerprint"}
    error = shown(api, answer["id"])
    assert (error["status"], error["count"], error["site_id"]) == ("open", 1, site.pk)
    assert (error["type"], error["message"], error["level"]) == ("TypeError", "total is not a function", "fatal")
    assert (error["environment"], error["release"]) == ("production", "1.4.2")
    assert error["first_seen_at"] == error["last_seen_at"]
    event = error["events"][0]
    assert (event["stack"], event["context"]) == (STACK, {"path": "/checkout"})
    assert event["token_id"]


def test_equal_errors_are_counted_as_one(api: ApiClient) -> None:
    earlier = timezone.now() - timedelta(days=2)
    first = report(api, "Order 17 is gone", release="1.0", occurred_at=earlier.isoformat())
    again = report(api, "Order 18 is gone", release="1.1")
    assert again == first
    report(api, "The disk is full")
    error = shown(api, first["id"])
    assert (error["count"], error["message"], error["release"]) == (2, "Order 18 is gone", "1.1")
    assert error["first_seen_at"] == f"{earlier:%Y-%m-%dT%H:%M:%SZ}"
    assert error["last_seen_at"] > error["first_seen_at"]
    assert [event["message"] for event in error["events"]] == ["Order 18 is gone", "Order 17 is gone"]
    assert read(api.get(ERRORS))["meta"]["total"] == 2


def test_a_late_report_of_an_early_error_moves_first_seen_only(api: ApiClient) -> None:
    now = shown(api, report(api)["id"])
    earlier = timezone.now() - timedelta(days=3)
    error = shown(api, report(api, occurred_at=earlier.isoformat())["id"])
    assert error["last_seen_at"] == now["last_seen_at"]
    assert error["first_seen_at"] == f"{earlier:%Y-%m-%dT%H:%M:%SZ}"


def test_a_fingerprint_of_the_client_decides_within_one_site(api: ApiClient, site: Site) -> None:
    first = report(api, "one thing", fingerprint="checkout")
    assert first["fingerprint"] == "checkout"
    assert report(api, "another thing", fingerprint="checkout") == first
    of_site = report(api, "one thing", fingerprint="checkout", site_id=site.pk)
    assert of_site["id"] != first["id"]
    assert report(api, "one thing", fingerprint="checkout", site_id=site.pk) == of_site
    assert shown(api, first["id"])["count"] == shown(api, of_site["id"])["count"] == 2


def test_two_organizations_share_no_group(api: ApiClient, outsider_api: ApiClient) -> None:
    mine, theirs = (report(one, fingerprint="same")["id"] for one in (api, outsider_api))
    assert mine != theirs
    assert shown(api, mine)["count"] == 1


def test_only_the_latest_occurrences_are_kept(api: ApiClient, owner: Actor) -> None:
    other = record_error(owner, message="another one")
    for number in range(KEPT_EVENTS + 5):
        group = record_error(owner, message=f"failure {number}")
    error = shown(api, group.pk)
    assert error["count"] == KEPT_EVENTS + 5
    kept = {int(event["message"].split()[1]) for event in error["events"]}
    # Those of one millisecond are in no order.
    assert len(kept) == KEPT_EVENTS
    assert ErrorEvent.objects.filter(group=other).count() == 1


def test_an_error_is_resolved_and_open_again_when_it_comes_back(api: ApiClient, owner: Actor) -> None:
    pk = report(api)["id"]
    for _ in range(2):
        response = api.post(f"{ERRORS}/{pk}/resolve")
        assert (response.status_code, read(response)["message"]) == (200, "The error is resolved.")
    error = read(response)["data"]
    assert (error["status"], error["resolved_by"]) == ("resolved", "owner@acme.test (token tests)")
    assert error["resolved_at"]

    report(api)
    error = shown(api, pk)
    assert (error["status"], error["resolved_at"], error["resolved_by"], error["count"]) == ("open", None, "", 2)

    api.post(f"{ERRORS}/{pk}/resolve")
    response = api.post(f"{ERRORS}/{pk}/reopen")
    assert (read(response)["message"], read(response)["data"]["status"]) == ("The error is open again.", "open")
    assert api.post(f"{ERRORS}/{pk}/reopen").status_code == 200
    events = AuditEvent.objects.filter(target_id=pk).order_by("id").values_list("event", flat=True)
    assert list(events) == ["error.resolved", "error.resolved", "error.reopened"]


def test_the_list_is_narrowed_by_status_and_site(api: ApiClient, site: Site, foreign_site: Site) -> None:
    report(api, "a", site_id=site.pk)
    api.post(f"{ERRORS}/{report(api, 'b')['id']}/resolve")
    totals = {
        query: read(api.get(f"{ERRORS}?{query}"))["meta"]["total"]
        for query in ("", "status=open", "status=resolved", f"site={site.pk}", f"site={site.pk}&status=resolved")
    }
    assert list(totals.values()) == [2, 1, 1, 1, 0]
    assert read(api.get(f"{ERRORS}?status=gone"))["errors"] == {"status": ["The selected status is invalid."]}
    assert read(api.get(f"{ERRORS}?site={foreign_site.pk}"))["errors"] == {"site": ["The selected site is invalid."]}


def test_the_last_seen_comes_first(api: ApiClient) -> None:
    for message in ("a", "b", "a"):
        report(api, message)
    assert [row["message"] for row in read(api.get(ERRORS))["data"]] == ["a", "b"]


def test_bad_input_is_named_and_changes_nothing(api: ApiClient, foreign_site: Site) -> None:
    future = (timezone.now() + timedelta(hours=1)).isoformat()
    bad: dict[str, dict[str, Any]] = {
        "message": {"message": " "},
        "level": {"level": "awful"},
        "context": {"context": ["a"]},
        "release": {"release": "x" * 129},
        "colour": {"colour": "red"},
        "site_id": {"site_id": foreign_site.pk},
        "occurred_at": {"occurred_at": future},
        "stack": {"stack": "a\0b"},
    }
    for name, fields in bad.items():
        response = api.post(ERRORS, {"message": "x", **fields})
        assert (response.status_code, list(read(response)["errors"])) == (422, [name])
    assert read(response)["message"] == "The given data was invalid."
    assert not ErrorGroup.objects.exists()


@pytest.mark.parametrize("depth", [300, 1000])
def test_a_context_that_is_nested_without_end_is_refused(api: ApiClient, depth: int) -> None:
    body = '{"message":"a","context":{"a":' + "[" * depth + "]" * depth + "}}"
    assert api.post(ERRORS, body).status_code == 422


def sized_body(size: int) -> bytes:
    empty = orjson.dumps({"message": "x", "stack": ""})
    return orjson.dumps({"message": "x", "stack": "s" * (size - len(empty))})


def test_a_body_of_64_kib_is_taken_and_one_byte_more_is_not(api: ApiClient) -> None:
    assert api.post(ERRORS, sized_body(64 * 1024)).status_code == 201
    for size in (64 * 1024 + 1, 3_000_000):
        response = api.post(ERRORS, sized_body(size))
        assert response.status_code == 413
        assert read(response)["error"]["code"] == "payload_too_large"
    assert api.post(ERRORS, sized_body(64 * 1024 + 1), idempotency_key="k").status_code == 413
    response = api.post(ERRORS, sized_body(64 * 1024 + 1))
    assert read(response)["message"] == "The body is larger than 64 KiB."
    assert "stack" in read(response)["hint"]
    assert ErrorEvent.objects.count() == 1


def test_secrets_of_the_organization_are_not_stored(api: ApiClient, site: Site) -> None:
    EnvironmentVariable.objects.create(site=site, name="KEY", value="hunter2-hunter2")
    secret = "hunter2-hunter2"
    report(
        api,
        f"denied for {secret}",
        type=secret,
        stack=f"at login({secret})",
        context={secret: [f"url?key={secret}"], "base64": "aHVudGVyMi1odW50ZXIy"},
        environment=secret,
        release=secret,
        fingerprint=secret,
    )
    stored = orjson.dumps([list(ErrorGroup.objects.values()), list(ErrorEvent.objects.values())]).decode()
    assert "hunter2" not in stored
    assert "aHVudGVy" not in stored
    assert stored.count("[redacted]") == 13


def test_a_long_message_is_kept_with_its_occurrence(api: ApiClient) -> None:
    message = "why " * 1000
    error = shown(api, report(api, message)["id"])
    assert len(error["message"]) == 1000
    assert error["events"][0]["message"] == message.strip()


def test_three_people(api: ApiClient, member_api: ApiClient, outsider_api: ApiClient, owner: Actor) -> None:
    pk = report(api)["id"]
    assert shown(member_api, pk)["count"] == 1
    assert member_api.post(ERRORS, {"message": "x"}).status_code == 403
    for path in (f"{ERRORS}/{pk}/resolve", f"{ERRORS}/{pk}/reopen"):
        assert member_api.post(path).status_code == 403
        assert outsider_api.post(path).status_code == 404
    foreign, unknown = (outsider_api.get(f"{ERRORS}/{one}") for one in (pk, "01J9Z3KQ5W8V0N2M4P6R8T0VXY"))
    assert (foreign.status_code, foreign.content) == (404, unknown.content)
    assert read(outsider_api.get(ERRORS))["data"] == []

    reporter = ApiClient.signed_in(owner, ["error:create"])
    assert report(reporter)["id"] == pk
    assert reporter.get(ERRORS).status_code == reporter.get(f"{ERRORS}/{pk}").status_code == 403


def test_the_actions_themselves_ask_for_the_ability(owner: Actor, member: Actor) -> None:
    error = record_error(owner, message="x")
    with pytest.raises(Denied, match="error:create"):
        record_error(member, message="x")
    for change in (resolve_error, reopen_error):
        with pytest.raises(Denied, match="error:update"):
            change(member, error=error)


def test_a_limited_token_sees_the_errors_of_its_sites_only(owner: Actor, site: Site) -> None:
    record_error(owner, message="of no site")
    of_site = record_error(owner, message="of the site", site_id=site.pk)
    limited = replace(owner, resources=Resources(servers=frozenset(), sites=frozenset({site.pk})))
    assert ErrorGroup.objects.visible_to(limited).get() == of_site


def test_errors_go_with_their_site_and_leave_the_others(owner: Actor, site: Site) -> None:
    record_error(owner, message="x", site_id=site.pk)
    kept = record_error(owner, message="x")
    site.delete()
    assert ErrorGroup.objects.get() == kept


def test_a_report_and_the_lists_cost_the_same_for_few_and_for_many(
    owner: Actor, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pk = report(api)["id"]
    for _ in range(2):
        with django_assert_num_queries(2):
            api.get(ERRORS)
        with django_assert_num_queries(4):
            api.get(f"{ERRORS}/{pk}")
        for number in range(KEPT_EVENTS + 2):
            record_error(owner, message="total is not a function")
            record_error(owner, message="x" * number + "y")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_resolved", [None, True])
def test_no_report_of_many_at_once_is_lost(owner: Actor, site: Site, is_resolved: bool | None) -> None:
    """On SQLite writers queue; on PostgreSQL they meet at the unique index, or at the row."""
    if is_resolved:
        resolve_error(owner, error=record_error(owner, message="boom", site_id=site.pk))
    barrier, before = Barrier(8), ErrorEvent.objects.count()

    def report_once(number: int) -> str:
        barrier.wait()
        try:
            return record_error(owner, message="boom", site_id=site.pk).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        groups = set(pool.map(report_once, range(8)))

    group = ErrorGroup.objects.get()
    assert groups == {group.pk}
    assert group.count == before + 8
    assert ErrorEvent.objects.count() == before + 8
    assert group.resolved_at is None
