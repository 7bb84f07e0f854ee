"""The calendar: which days have a good backup, and which miss one that a schedule had wanted."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from backups.actions import create_schedule
from backups.calendar import Day, first_times, weeks, without_one
from backups.models import Backup, Schedule, Status
from deploynix.actor import Actor
from providers.models import Credential
from servers.models import Database
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
def schedule(owner: Actor, database: Database, storage: Credential) -> Schedule:
    """Since the 10th, every day at 23:55 in UTC."""
    schedule = create_schedule(owner, database=database, credential=storage, cron="55 23 * * *")
    Schedule.objects.update(
        created_at=datetime(2026, 4, 10, tzinfo=UTC), active_since=datetime(2026, 4, 10, tzinfo=UTC)
    )
    return schedule


def made(schedule: Schedule, day: int, hour: int = 23, minute: int = 55, **fields: Any) -> Backup:
    at = datetime(2026, 4, day, hour, minute, 3, tzinfo=UTC)
    return factories.backup(schedule.credential, database=schedule.database, schedule=schedule, created_at=at, **fields)


def days() -> dict[int, Day]:
    """Those of April."""
    rows = weeks(Backup.objects.all(), Schedule.objects.all())
    assert {len(week) for week in rows} == {7}
    return {day.day.day: day for week in rows for day in week if day and day.day.month == 4}


def test_five_weeks_from_a_monday_until_today() -> None:
    rows = weeks(Backup.objects.all(), Schedule.objects.all())
    assert len(rows) == 5
    first, last = rows[0][0], rows[4][3]
    assert first is not None
    assert last is not None
    assert (first.day, last.day) == (date(2026, 3, 16), date(2026, 4, 16))
    assert rows[4][4:] == [None, None, None]
    assert last.words == "none, and none was due"


def test_a_day_without_one_that_was_due_is_marked(schedule: Schedule) -> None:
    made(schedule, 11)
    made(schedule, 13, status=Status.FAILED, verified_at=None)
    made(schedule, 14, fault="Part 3 has another checksum.")
    found = days()
    # On the 16th its time is still to come.
    expected = ["empty", "missing", "good", "missing", "missing", "missing", "missing", "empty"]
    assert [found[day].state for day in range(9, 17)] == expected
    assert found[13].words == "without a backup of shop; 1 failed"
    rows = weeks(Backup.objects.all(), Schedule.objects.all())
    assert [day.day.day for day in without_one(rows)] == [15, 14, 13, 12, 10]


def test_one_that_began_just_after_its_day_counts_for_it(schedule: Schedule) -> None:
    for day in (10, 11, 13, 14, 15):
        made(schedule, day)
    made(schedule, 13, hour=0, minute=4)
    assert days()[12].words == "1 good"


def test_what_was_removed_by_age_was_good_on_its_day(schedule: Schedule) -> None:
    made(schedule, 11, removed_at=NOW)
    assert days()[11].words == "1 good; none of them kept"


def test_one_schedule_does_not_answer_for_another(owner: Actor, schedule: Schedule) -> None:
    other = factories.database(schedule.server, name="blog")
    create_schedule(owner, database=other, credential=schedule.credential, cron="0 1 * * *")
    Schedule.objects.update(created_at=NOW - timedelta(days=9), active_since=NOW - timedelta(days=9))
    made(schedule, 14)
    day = days()[14]
    assert (day.state, day.missing, day.good) == ("missing", ["blog"], 1)


def test_one_that_is_switched_off_wants_nothing(schedule: Schedule) -> None:
    Schedule.objects.update(is_active=False)
    assert {day.state for day in days().values()} == {"empty"}


def test_one_by_hand_that_failed_is_no_missing_one(database: Database, storage: Credential) -> None:
    factories.backup(storage, database=database, status=Status.FAILED, verified_at=None, created_at=NOW)
    assert days()[16].state == "failed"


def test_days_are_those_of_utc() -> None:
    """02:00 in Berlin is midnight there, until clocks are put forward; and every minute has a first one a day."""
    found = first_times("0 2 * * *", "Europe/Berlin", date(2026, 3, 27), date(2026, 3, 30))
    assert [moment.isoformat() for moment in found] == [
        "2026-03-27T01:00:00+00:00",
        "2026-03-28T01:00:00+00:00",
        "2026-03-29T01:00:00+00:00",
        "2026-03-30T00:00:00+00:00",
    ]
    assert len(first_times("* * * * *", "UTC", date(2026, 3, 1), date(2026, 3, 31))) == 31
