"""The pages of activity and errors, for an owner, a viewer and a stranger."""

from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from activity.actions.errors import record_error, resolve_error
from activity.actions.events import EventFields, record_events
from deploynix.actor import Actor
from sites.models import Site

pytestmark = pytest.mark.django_db


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_without_activity_the_page_says_how_to_report_some(owner_client: Client) -> None:
    page = text_of(owner_client, "/activity")
    assert "No activity yet" in page
    assert "curl http://testserver/api/v1/activity/events" in page
    assert """-d '{"events": [{"kind": "deploy.finished"}]}'""" in page
    assert "activity:create" in page


def test_activity_is_drawn_counted_and_listed(owner: Actor, owner_client: Client, site: Site) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    events: list[EventFields] = [
        {"kind": "deploy.finished", "actor": "ci", "site_id": site.pk, "metadata": {"version": "1.4.2"}},
        {"kind": "deploy.finished", "actor": "ci", "occurred_at": yesterday, "text": "<b>It is out</b>"},
        {"kind": "backup.made", "actor": "cron"},
    ]
    record_events(owner, events=events)
    response = owner_client.get("/activity")
    page = response.content.decode()
    assert "3 events in 30 days" in page
    assert f"<title>{yesterday:%-d %b %Y}: 1 event</title>" in page
    assert page.count('class="chart-bar"') == 2
    assert "&lt;b&gt;It is out&lt;/b&gt;" in page
    assert f'href="{site.get_absolute_url()}"' in page
    assert "1.4.2" in page
    assert "style=" not in page


def test_activity_is_narrowed_and_keeps_the_filter(owner: Actor, owner_client: Client, site: Site) -> None:
    record_events(owner, events=[{"kind": "a.b", "actor": "ci", "site_id": site.pk}, {"kind": "c.d", "actor": "cron"}])
    assert "1 event in 30 days" in text_of(owner_client, "/activity?kind=a.b")
    page = text_of(owner_client, f"/activity?site={site.pk}&actor=ci")
    assert "1 event in 30 days" in page
    assert 'value="ci"' in page
    assert "1 event in" not in text_of(owner_client, "/activity?actor=nobody")
    today = timezone.now().date()
    assert "2 events in 1 day," in text_of(owner_client, f"/activity?from={today}&to={today}")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from=2026-03-02&to=2026-03-01", "The first day must not be after the last one."),
        ("to=9999-12-31", "The day must not be in the future."),
        ("from=nonsense", "Enter a valid date."),
        ("site=nonsense", "Select a valid choice."),
    ],
)
def test_a_filter_that_makes_no_sense_says_so(owner: Actor, owner_client: Client, query: str, message: str) -> None:
    record_events(owner, events=[{"kind": "a"}])
    page = text_of(owner_client, f"/activity?{query}")
    assert message in page
    assert "Nothing found" in page


def test_the_pages_cost_the_same_for_few_and_for_many(
    owner: Actor, owner_client: Client, site: Site, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    error = record_error(owner, message="y", site_id=site.pk)
    owner_client.get("/activity")
    for number in (1, 20):
        record_events(owner, events=[{"kind": f"k{n}", "actor": f"a{n}", "site_id": site.pk} for n in range(number)])
        for n in range(number):
            record_error(owner, message="x" * n + "y", site_id=site.pk)
        # Session, user and membership; the sites to choose from, three counts, the total and the rows.
        with django_assert_num_queries(9):
            owner_client.get("/activity")
        with django_assert_num_queries(5):
            owner_client.get("/errors")
        with django_assert_num_queries(6):
            owner_client.get(f"/errors/{error.pk}")


def test_without_errors_the_page_says_how_to_report_one(owner_client: Client) -> None:
    page = text_of(owner_client, "/errors")
    assert "No errors yet" in page
    assert "curl http://testserver/api/v1/errors" in page
    assert "error:create" in page


def test_errors_are_listed_searched_and_narrowed(owner: Actor, owner_client: Client, site: Site) -> None:
    record_error(owner, message="The disk is full", type="OSError", site_id=site.pk)
    resolve_error(owner, error=record_error(owner, message="No route"))
    page = text_of(owner_client, "/errors")
    assert "OSError: The disk is full" in page
    assert "No route" in page
    assert "No route" not in text_of(owner_client, "/errors?q=DISK")
    assert "No route" not in text_of(owner_client, "/errors?status=open")
    assert "disk" not in text_of(owner_client, "/errors?status=resolved")
    assert "No route" not in text_of(owner_client, f"/errors?site={site.pk}")
    assert "No error matches" in text_of(owner_client, "/errors?q=nothing")


def test_an_error_shows_each_of_its_occurrences(owner: Actor, owner_client: Client) -> None:
    error = record_error(owner, message="Order 1 is gone", stack="at first <b>", context={"order": 1})
    first = error.events.get()
    record_error(owner, message="Order 2 is gone", stack="at second", fingerprint=error.fingerprint)
    page = text_of(owner_client, f"/errors/{error.pk}")
    assert "at second" in page
    assert "at first" not in page
    response = owner_client.get(f"/errors/{error.pk}?event={first.pk}")
    assert "at first &lt;b&gt;" in response.content.decode()
    assert '"order": 1' in unescape(response.content.decode())
    assert owner_client.get(f"/errors/{error.pk}?event=nothing").status_code == 404


def test_an_occurrence_of_another_error_is_not_shown_here(owner: Actor, outsider: Actor, owner_client: Client) -> None:
    own, foreign = (record_error(actor, message="x", stack=str(actor)) for actor in (owner, outsider))
    assert owner_client.get(f"/errors/{own.pk}?event={foreign.events.get().pk}").status_code == 404


def test_an_error_is_resolved_and_reopened_by_a_button(owner: Actor, owner_client: Client) -> None:
    error = record_error(owner, message="x")
    page = text_of(owner_client, f"/errors/{error.pk}")
    assert f'action="/errors/{error.pk}/resolve"' in page
    response = owner_client.post(f"/errors/{error.pk}/resolve", follow=True)
    assert "The error is resolved." in response.content.decode()
    assert f'action="/errors/{error.pk}/reopen"' in response.content.decode()
    assert "by owner@acme.test" in response.content.decode()
    response = owner_client.post(f"/errors/{error.pk}/reopen", follow=True)
    assert "The error is open again." in response.content.decode()


def test_a_viewer_sees_and_is_told_what_is_missing(owner: Actor, member_client: Client) -> None:
    error = record_error(owner, message="x")
    record_events(owner, events=[{"kind": "a.b"}])
    assert "a.b" in text_of(member_client, "/activity")
    assert "needs the ability error:update" in text_of(member_client, f"/errors/{error.pk}")
    for change in ("resolve", "reopen"):
        assert member_client.post(f"/errors/{error.pk}/{change}").status_code == 403
    error.refresh_from_db()
    assert error.resolved_at is None


def test_a_stranger_finds_nothing(owner: Actor, outsider_client: Client, site: Site) -> None:
    error = record_error(owner, message="x", site_id=site.pk)
    record_events(owner, events=[{"kind": "a.b"}])
    assert "No activity yet" in text_of(outsider_client, "/activity")
    assert site.domain not in text_of(outsider_client, "/activity?kind=a.b")
    assert "No errors yet" in text_of(outsider_client, "/errors")
    for address in (f"/errors/{error.pk}", f"/errors/{error.pk}?event={error.events.get().pk}"):
        assert outsider_client.get(address).status_code == 404
    assert outsider_client.post(f"/errors/{error.pk}/resolve").status_code == 404


@pytest.mark.parametrize("address", ["/activity", "/errors"])
def test_the_navigation_leads_there(owner_client: Client, client: Client, address: str) -> None:
    assert f'href="{address}"' in text_of(owner_client, "/")
    assert client.get(address).status_code == 302
