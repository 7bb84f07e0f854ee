"""The calendar: what is renewed and what ends, on which day."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from certificates.calendar import Calendar, Day, calendar_of
from certificates.models import Certificate, Source
from deploynix.actor import Actor
from sites.models import Site
from tests import factories
from tests.tokens.clock import Clock

pytestmark = pytest.mark.django_db
# A Thursday.
NOW = datetime(2026, 4, 16, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(monkeypatch)
    clock.now = NOW
    return clock


@pytest.fixture
def site(owner: Actor) -> Site:
    return factories.site(factories.server(owner.organization), domain="shop.example")


def calendar() -> Calendar:
    return calendar_of(Certificate.objects.select_related("current").order_by("id"))


def on(day: date) -> Day:
    return next(each for each in calendar().days if each.day == day)


def made(site: Site, name: str, days: int, **fields: Any) -> Certificate:
    return factories.certificate(site, names=[name], days=days, **fields)


def test_fourteen_weeks_from_the_monday_of_this_one() -> None:
    found = calendar()
    assert (found.days[0].day, found.until, found.today) == (date(2026, 4, 13), date(2026, 7, 19), date(2026, 4, 16))
    assert found.until - found.today > timedelta(days=90)
    assert [day.day for day in found.months] == [date(2026, 5, 4), date(2026, 6, 1), date(2026, 7, 6)]
    assert found.busy == []


def test_what_is_renewed_and_when_it_would_end(site: Site) -> None:
    made(site, "shop.example", days=60)
    assert on(date(2026, 5, 16)).words == "renewed: shop.example"
    end = on(date(2026, 6, 15))
    assert (end.state, end.words) == ("expiring", "would end if not renewed before: shop.example")
    assert [day.day for day in calendar().busy] == [date(2026, 5, 16), date(2026, 6, 15)]


def test_what_nothing_renews_ends(site: Site) -> None:
    made(site, "old.example", days=10, renew_at=None, account=None, source=Source.UPLOADED)
    day = on(date(2026, 4, 26))
    assert (day.state, day.count, day.words) == ("ending", 1, "ends: old.example")


def test_a_renewal_that_comes_after_the_end_does_not_save_it(site: Site) -> None:
    made(site, "late.example", days=3, renew_at=NOW + timedelta(days=5))
    assert on(date(2026, 4, 19)).ending == ["late.example"]
    assert on(date(2026, 4, 21)).renewed == ["late.example"]


def test_what_is_overdue_is_for_today(site: Site) -> None:
    made(site, "due.example", days=20, renew_at=NOW - timedelta(days=2))
    assert on(date(2026, 4, 16)).renewed == ["due.example"]


def test_what_has_ended_or_comes_later_is_left_out(site: Site) -> None:
    made(site, "gone.example", days=-2, renew_at=None)
    made(site, "later.example", days=400)
    assert calendar().busy == []


def test_a_day_on_which_much_happens_names_three(site: Site) -> None:
    for number in range(5):
        made(site, f"n{number}.example", days=10)
    day = on(date(2026, 4, 21))
    assert (day.count, day.words) == (5, "renewed: n0.example, n1.example, n2.example and 2 more")


def test_days_are_drawn_in_columns_of_weeks() -> None:
    days = calendar().days
    assert len({(day.x, day.y) for day in days}) == len(days) == 98
    assert days[0].x == days[6].x < days[7].x
    assert days[0].y == days[7].y < days[1].y
