"""The times of cron expressions, over both changes of summer time."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from backups.times import check_cron, check_zone, longest_gap, next_after, next_runs, zones

BERLIN = "Europe/Berlin"
# In 2026 Berlin's clocks go from 2:00 to 3:00 on 29 March, and from 3:00 back to 2:00 on 25 October.
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)


def times(cron: str, zone: str, after: datetime, count: int) -> list[str]:
    return [f"{moment:%d %H:%M %Z}" for moment in next_runs(cron, zone, count, after)]


def test_a_time_that_spring_leaves_out_comes_right_after_it() -> None:
    assert times("30 2 * * *", BERLIN, SPRING, 3) == ["29 03:00 CEST", "30 02:30 CEST", "31 02:30 CEST"]


def test_a_time_that_autumn_has_twice_comes_once() -> None:
    assert times("30 2 * * *", BERLIN, AUTUMN, 3) == ["25 02:30 CEST", "26 02:30 CET", "27 02:30 CET"]


def test_who_runs_every_hour_runs_every_hour() -> None:
    hourly = next_runs("0 * * * *", BERLIN, 48, AUTUMN)
    assert {later - earlier for earlier, later in zip(in_utc(hourly), in_utc(hourly)[1:], strict=False)} == {
        timedelta(hours=1)
    }


def in_utc(moments: list[datetime]) -> list[datetime]:
    return [moment.astimezone(UTC) for moment in moments]


@pytest.mark.parametrize("cron", ["30 2 * * *", "15 */2 * * *", "0,45 1-3 * * *"])
@pytest.mark.parametrize("start", [SPRING, AUTUMN])
def test_from_any_minute_on_the_next_one_is_later_and_none_comes_twice(cron: str, start: datetime) -> None:
    """As the beat asks: from the moment at which the one before was begun, which may be in the hour that is doubled."""
    for minute in range(0, 24 * 60, 7):
        moment = start + timedelta(minutes=minute)
        found = next_after(cron, BERLIN, moment)
        assert found > moment
        assert next_after(cron, BERLIN, found) > found


def test_the_next_runs_are_told_by_the_clocks_of_the_zone() -> None:
    found = next_runs("0 9 * * 1-5", "America/New_York", after=datetime(2026, 4, 17, 18, tzinfo=UTC))
    assert [f"{moment:%a %H:%M}" for moment in found] == [
        "Mon 09:00",
        "Tue 09:00",
        "Wed 09:00",
        "Thu 09:00",
        "Fri 09:00",
    ]


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "five fields"),
        ("0 2 * *", "five fields"),
        ("0 0 2 * * *", "five fields"),
        ("@daily", "five fields"),
        ("60 2 * * *", "The minute of"),
        ("0 24 * * *", "The hour of"),
        ("0 2 0 * *", "The day-of-month of"),
        ("0 2 * 13 *", "The month of"),
        ("0 2 * * 8", "The day-of-week of"),
        ("*/0 2 * * *", "The minute of"),
        ("0 2 31 2 *", "The day-of-month of"),
    ],
)
def test_what_is_wrong_with_a_cron_expression_is_said(cron: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        check_cron(cron)


@given(st.text("0123456789*/,-L#WMONJAN ", max_size=40))
def test_no_text_breaks_the_check(text: str) -> None:
    try:
        check_cron(text)
    except ValidationError:
        return
    assert next_after(text, BERLIN, SPRING) > SPRING


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "America/Argentina/Ushuaia"])
def test_a_time_zone_is_known_by_its_name(name: str) -> None:
    check_zone(name)


@pytest.mark.parametrize("name", ["", "Berlin", "europe/berlin", "../../etc/passwd", "localtime", "+02:00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="no time zone"):
        check_zone(name)


def test_there_are_time_zones_wherever_this_runs() -> None:
    assert len(zones()) > 400


@pytest.mark.parametrize(
    ("cron", "zone", "hours"),
    [("0 2 * * *", "UTC", 24), ("0 2 * * *", BERLIN, 25), ("0 2 * * 1-5", "UTC", 72), ("30 * * * *", BERLIN, 1)],
)
def test_how_far_apart_two_can_be(cron: str, zone: str, hours: int) -> None:
    assert longest_gap(cron, zone) == timedelta(hours=hours)
