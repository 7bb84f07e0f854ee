"""Reporting activity, listing it and counting it, through the API."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from activity.actions.events import record_events
from activity.models import ActivityEvent
from deploynix.actor import Actor, Resources
from deploynix.errors import Denied, Invalid
from sites.models import EnvironmentVariable, Site
from tests import factories
from tests.activity.conftest import read
from tests.apiclient import ApiClient

pytestmark = pytest.mark.django_db

EVENTS = "/activity/events"
ANALYTICS = "/activity/analytics"


def event(kind: str = "deploy.finished", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **fields}


def errors_of(api: ApiClient, *events: Any) -> dict[str, list[str]]:
    response = api.post(EVENTS, {"events": list(events)})
    assert response.status_code == 422
    assert not ActivityEvent.objects.exists()
    return dict(read(response)["errors"])


def add(organization: Any, days_ago: int = 0, **fields: Any) -> ActivityEvent:
    occurred_at = timezone.now() - timedelta(days=days_ago)
    defaults = {"kind": "deploy.finished", "actor": "ci", "occurred_at": occurred_at}
    return ActivityEvent.objects.create(organization=organization, **defaults | fields)


def test_events_are_reported_and_listed_by_when_they_occurred(api: ApiClient, owner: Actor, site: Site) -> None:
    earlier = (timezone.now() - timedelta(hours=2)).replace(microsecond=0)
    late = event("backup.made", actor="cron", occurred_at=earlier.isoformat())
    full = event(
        actor="ci", site_id=site.pk, text="Version 1.4.2", metadata={"version": "1.4.2", "tags": ["a", 1, None]}
    )
    response = api.post(EVENTS, {"events": [full, late]})
    assert response.status_code == 201
    assert read(response) == {"data": {"recorded": 2}}

    newest, oldest = read(api.get(EVENTS))["data"]
    assert (newest["kind"], newest["actor"], newest["site_id"]) == ("deploy.finished", "ci", site.pk)
    assert (newest["text"], newest["metadata"]) == (full["text"], full["metadata"])
    assert newest["token_id"]
    assert (oldest["kind"], oldest["site_id"]) == ("backup.made", None)
    assert oldest["occurred_at"] == f"{earlier:%Y-%m-%dT%H:%M:%SZ}"
    assert oldest["created_at"] > oldest["occurred_at"]


def test_who_reports_is_the_actor_where_none_is_named(api: ApiClient) -> None:
    api.post(EVENTS, {"events": [event()]})
    assert ActivityEvent.objects.get().actor == "owner@acme.test (token tests)"


def test_the_list_is_narrowed_by_kind_actor_and_site(api: ApiClient, site: Site) -> None:
    api.post(EVENTS, {"events": [event("a", actor="x"), event("b", actor="y", site_id=site.pk), event("b", actor="x")]})
    totals = {
        query: read(api.get(f"{EVENTS}?{query}"))["meta"]["total"]
        for query in ("", "kind=b", "actor=x", "kind=b&actor=x", f"site={site.pk}", "kind=none")
    }
    assert list(totals.values()) == [3, 2, 2, 1, 1, 0]


def test_one_bad_event_is_named_and_changes_nothing(api: ApiClient, foreign_site: Site) -> None:
    errors = errors_of(
        api,
        event(),
        event("Deploy Finished"),
        event(occurred_at=(timezone.now() + timedelta(hours=1)).isoformat()),
        event(occurred_at=(timezone.now() - timedelta(days=31)).isoformat()),
        event(site_id=foreign_site.pk),
        event(metadata={"text": "x" * 5000}),
    )
    assert errors == {
        "events.1.kind": ["Use lower-case words with dots in between, such as deploy.finished."],
        "events.2.occurred_at": ["The time must not be in the future."],
        "events.3.occurred_at": ["The time must not be more than 30 days ago."],
        "events.4.site_id": ["The selected site id is invalid."],
        "events.5.metadata": ["The metadata field must not be larger than 4096 bytes of JSON."],
    }


def test_events_of_a_wrong_shape_are_named(api: ApiClient) -> None:
    errors = errors_of(api, event(colour="red"), {"actor": 7}, "deploy", None, event(metadata=[1]), event("x" * 65))
    assert errors == {
        "events.0.colour": ["The colour field is not known."],
        "events.1.kind": ["The kind field is required."],
        "events.1.actor": ["The actor field must be a string."],
        "events.2": ["This must be an object."],
        "events.3": ["The events field is required."],
        "events.4.metadata": ["The metadata field must be an object."],
        "events.5.kind": ["The kind field must not be greater than 64 characters."],
    }


@pytest.mark.parametrize("depth", [300, 1000])
def test_metadata_that_is_nested_without_end_is_refused(api: ApiClient, depth: int) -> None:
    body = '{"events":[{"kind":"a","metadata":{"a":' + "[" * depth + "]" * depth + "}}]}"
    assert api.post(EVENTS, body).status_code == 422
    assert not ActivityEvent.objects.exists()


def test_a_batch_holds_1_to_100_events(api: ApiClient) -> None:
    assert read(api.post(EVENTS, {"events": [event()] * 100}))["data"] == {"recorded": 100}
    ActivityEvent.objects.all().delete()
    too_many = {"events": ["Report 1 to 100 events at once."]}
    assert errors_of(api, *[event()] * 101) == too_many
    assert errors_of(api) == too_many
    assert read(api.post(EVENTS, {}))["errors"] == {"events": ["The events field is required."]}


def test_a_batch_costs_the_same_queries_as_one_event(
    owner: Actor, site: Site, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    batch: Any = [event(site_id=site.pk) for _ in range(100)]
    costs = []
    for events in (batch[:1], batch):
        # The transaction's two, the sites, the rows, and the secrets of the organization: one for each source.
        with django_assert_max_num_queries(15) as queries:
            record_events(owner, events=events)
        costs.append(len(queries))
    # SQLite takes a hundred rows in two pieces.
    assert costs[1] <= costs[0] + 1


def test_secrets_of_the_organization_are_not_stored(api: ApiClient, site: Site, foreign_site: Site) -> None:
    for place, value in ((site, "hunter2-hunter2"), (foreign_site, "of-somebody-else")):
        EnvironmentVariable.objects.create(site=place, name="KEY", value=value)
    text = "key hunter2-hunter2, of-somebody-else"
    metadata = {"hunter2-hunter2": ["aHVudGVyMi1odW50ZXIy", {"a": "x=hunter2-hunter2\0"}]}
    response = api.post(EVENTS, {"events": [event(text=text, actor="hunter2-hunter2", metadata=metadata)]})
    assert response.status_code == 201
    row = ActivityEvent.objects.get()
    assert row.text == "key [redacted], of-somebody-else"
    assert row.actor == "[redacted]"
    stored = orjson.dumps(row.metadata).decode()
    assert "hunter2" not in stored
    assert "aHVudGVy" not in stored
    assert "\\u0000" not in stored


def test_three_people(api: ApiClient, member_api: ApiClient, outsider_api: ApiClient, owner: Actor) -> None:
    assert api.post(EVENTS, {"events": [event()]}).status_code == 201
    assert member_api.post(EVENTS, {"events": [event()]}).status_code == 403
    assert read(member_api.get(EVENTS))["meta"]["total"] == 1
    assert read(member_api.get(ANALYTICS))["data"]["total"] == 1
    assert read(outsider_api.get(EVENTS))["data"] == []
    assert read(outsider_api.get(ANALYTICS))["data"]["total"] == 0

    reporter = ApiClient.signed_in(owner, ["activity:create"])
    assert reporter.post(EVENTS, {"events": [event()]}).status_code == 201
    assert reporter.get(EVENTS).status_code == reporter.get(ANALYTICS).status_code == 403


def test_the_action_itself_asks_for_the_ability(member: Actor) -> None:
    with pytest.raises(Denied, match="activity:create"):
        record_events(member, events=[{"kind": "a"}])


@pytest.mark.parametrize("path", [EVENTS, ANALYTICS])
def test_a_foreign_site_and_one_that_is_not_are_the_same(api: ApiClient, foreign_site: Site, path: str) -> None:
    answers = [api.get(f"{path}?site={pk}") for pk in (foreign_site.pk, "01J9Z3KQ5W8V0N2M4P6R8T0VXY")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].content == answers[1].content


def test_a_limited_token_reports_about_and_sees_its_sites_only(owner: Actor, site: Site) -> None:
    add(owner.organization, site=site)
    add(owner.organization)
    limited = replace(owner, resources=Resources(servers=frozenset(), sites=frozenset({site.pk})))
    assert ActivityEvent.objects.visible_to(owner).count() == 2
    assert ActivityEvent.objects.visible_to(limited).get().site == site
    with pytest.raises(Invalid) as failure:
        record_events(limited, events=[{"kind": "a"}])
    assert set(failure.value.errors) == {"events.0.site_id"}
    assert record_events(limited, events=[{"kind": "a", "site_id": site.pk}]) == 1


def test_what_happened_stays_when_its_site_goes(api: ApiClient, site: Site) -> None:
    api.post(EVENTS, {"events": [event(site_id=site.pk)]})
    site.delete()
    assert read(api.get(EVENTS))["data"][0]["site_id"] is None


def test_analytics_count_by_kind_actor_and_day(api: ApiClient, owner: Actor, site: Site) -> None:
    for days_ago in (0, 0, 29):
        add(owner.organization, days_ago)
    add(owner.organization, 29, kind="deploy.failed", actor="ada", site=site)
    add(owner.organization, 31)
    data = read(api.get(ANALYTICS))["data"]
    today = timezone.now().date()
    assert data == {
        "total": 4,
        "by_kind": [{"kind": "deploy.finished", "count": 3}, {"kind": "deploy.failed", "count": 1}],
        "by_actor": [{"actor": "ci", "count": 3}, {"actor": "ada", "count": 1}],
        "by_day": [
            {"day": f"{today - timedelta(days=29)}", "count": 2},
            {"day": f"{today}", "count": 2},
        ],
    }
    of_site = read(api.get(f"{ANALYTICS}?site={site.pk}"))["data"]
    assert (of_site["total"], of_site["by_actor"]) == (1, [{"actor": "ada", "count": 1}])


def test_a_day_of_the_analytics_is_one_in_utc(api: ApiClient, owner: Actor) -> None:
    day = datetime(2026, 3, 10, tzinfo=UTC)
    for moment in (day, day + timedelta(hours=23, minutes=59), day + timedelta(days=1), day - timedelta(seconds=1)):
        add(owner.organization, occurred_at=moment)
    data = read(api.get(f"{ANALYTICS}?from=2026-03-10&to=2026-03-10"))["data"]
    assert data["by_day"] == [{"day": "2026-03-10", "count": 2}]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("from=2026-03-02&to=2026-03-01", "from"),
        ("from=2024-01-01&to=2025-01-01", "from"),
        ("to=9999-12-31", "to"),
        ("from=9999-12-31", "from"),
        ("from=yesterday", "from"),
        ("to=2026-13-01", "to"),
        ("since=2026-03-02", "since"),
    ],
)
def test_a_period_that_is_none_is_refused_by_name(api: ApiClient, query: str, name: str) -> None:
    response = api.get(f"{ANALYTICS}?{query}")
    assert response.status_code == 422
    assert list(read(response)["errors"]) == [name]


@pytest.mark.parametrize("query", ["from=2025-01-01&to=2026-01-01", "to=0001-01-05", "from=0001-01-01&to=0001-01-01"])
def test_a_period_of_366_days_and_the_first_days_of_all_are_fine(api: ApiClient, query: str) -> None:
    assert read(api.get(f"{ANALYTICS}?{query}"))["data"]["total"] == 0


def test_lists_and_analytics_cost_the_same_for_few_and_for_many(
    owner: Actor, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    api.get(EVENTS)
    for number in (1, 30):
        rows = [
            ActivityEvent(organization=owner.organization, kind=f"k{n}", actor=f"a{n}", occurred_at=timezone.now())
            for n in range(number)
        ]
        ActivityEvent.objects.bulk_create(rows)
        # The token, and three counts.
        with django_assert_num_queries(4):
            api.get(ANALYTICS)
        with django_assert_num_queries(2):
            api.get(EVENTS)


def test_a_key_sent_twice_records_once(api: ApiClient) -> None:
    body = {"events": [event()]}
    first, again = (api.post(EVENTS, body, idempotency_key="k1") for _ in range(2))
    assert first.content == again.content
    assert ActivityEvent.objects.count() == 1


def test_the_accounts_of_others_do_not_count(owner: Actor, outsider: Actor, api: ApiClient) -> None:
    add(outsider.organization)
    factories.organization("Third")
    assert read(api.get(ANALYTICS))["data"]["by_kind"] == []
