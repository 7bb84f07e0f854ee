"""What is kept: by example, and for any copies and any policy."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.retention import Copy, Policy, outlived

pytestmark = pytest.mark.soak
START = datetime(2026, 1, 1, 2, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu")


def daily(count: int) -> list[Copy]:
    return [Copy(START + timedelta(days=day), f"{day:04}") for day in range(count)]


def kept(copies: list[Copy], policy: Policy) -> list[Copy]:
    gone = set(outlived(copies, policy))
    return [copy for copy in sorted(copies) if copy not in gone]


counts = st.integers(0, 6)
policies = st.builds(Policy, counts, counts, counts, counts, counts, st.sampled_from(ZONES))
moments = st.integers(0, 4 * 365 * 24 * 60).map(lambda minutes: START - timedelta(minutes=minutes))
copies_of_any = st.builds(Copy, moments, st.text("0123456789", min_size=1, max_size=4), st.booleans())
# A row is there once.
lists = st.lists(copies_of_any, max_size=40, unique_by=lambda copy: copy.id)


def test_the_newest_are_kept() -> None:
    copies = daily(10)
    assert outlived(copies, Policy(3)) == copies[:7]
    assert outlived(copies, Policy(100)) == []


def test_the_newest_of_each_day_week_month_and_year_is_kept() -> None:
    copies = [Copy(START + timedelta(hours=6 * step), f"{step:05}") for step in range(4 * 800)]
    found = [copy.made_at for copy in kept(copies, Policy(0, daily=3, weekly=3, monthly=3, yearly=3))]
    end = copies[-1].made_at
    assert end == datetime(2028, 3, 10, 20, tzinfo=UTC)
    assert found == [
        datetime(2026, 12, 31, 20, tzinfo=UTC),
        datetime(2027, 12, 31, 20, tzinfo=UTC),
        datetime(2028, 1, 31, 20, tzinfo=UTC),
        datetime(2028, 2, 27, 20, tzinfo=UTC),
        datetime(2028, 2, 29, 20, tzinfo=UTC),
        datetime(2028, 3, 5, 20, tzinfo=UTC),
        datetime(2028, 3, 8, 20, tzinfo=UTC),
        datetime(2028, 3, 9, 20, tzinfo=UTC),
        end,
    ]


def test_days_are_those_of_the_time_zone() -> None:
    """At 23:30 and 0:30 in Berlin: two days there, one in UTC."""
    late = Copy(datetime(2026, 4, 15, 21, 30, tzinfo=UTC), "1")
    early = Copy(datetime(2026, 4, 15, 22, 30, tzinfo=UTC), "2")
    assert outlived([late, early], Policy(0, daily=2)) == [late]
    assert outlived([late, early], Policy(0, daily=2, zone="Europe/Berlin")) == []


def test_a_faulty_copy_keeps_no_place_from_a_good_one() -> None:
    first, second, third = daily(3)
    bad = replace(third, is_good=False)
    assert outlived([first, second, bad], Policy(2)) == []
    assert outlived([first, second, bad], Policy(1)) == [first]


def test_a_faulty_copy_goes_once_it_is_older_than_all_that_are_kept() -> None:
    first, second, third = daily(3)
    bad = replace(first, is_good=False)
    assert outlived([bad, second, third], Policy(2)) == [bad]
    assert outlived([bad], Policy(1)) == []


@given(copies=lists, policy=policies)
def test_the_newest_good_one_stays(copies: list[Copy], policy: Policy) -> None:
    good = [copy for copy in copies if copy.is_good]
    if good:
        assert max(good) not in outlived(copies, policy)
    else:
        assert outlived(copies, policy) == []


@given(copies=lists, policy=policies)
def test_removing_twice_removes_nothing_more(copies: list[Copy], policy: Policy) -> None:
    assert outlived(kept(copies, policy), policy) == []


@given(copies=lists, policy=policies, more=policies)
def test_who_keeps_more_of_each_removes_no_more(copies: list[Copy], policy: Policy, more: Policy) -> None:
    wider = Policy(
        policy.last + more.last,
        policy.daily + more.daily,
        policy.weekly + more.weekly,
        policy.monthly + more.monthly,
        policy.yearly + more.yearly,
        policy.zone,
    )
    assert set(outlived(copies, wider)) <= set(outlived(copies, policy))


@given(copies=lists, policy=policies)
def test_each_rule_finds_what_it_asks_for(copies: list[Copy], policy: Policy) -> None:
    zone = ZoneInfo(policy.zone)
    good = sorted({copy for copy in copies if copy.is_good}, reverse=True)
    stays = set(kept(copies, policy))
    assert set(good[: policy.last]) <= stays
    days = {copy.made_at.astimezone(zone).date() for copy in good}
    kept_days = {copy.made_at.astimezone(zone).date() for copy in stays if copy.is_good}
    assert set(sorted(days, reverse=True)[: policy.daily]) <= kept_days


@given(copies=lists, policy=policies)
def test_the_order_in_which_they_are_given_makes_no_difference(copies: list[Copy], policy: Policy) -> None:
    assert outlived(list(reversed(copies)), policy) == outlived(copies, policy)
