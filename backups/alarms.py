"""Alarms: what was promised by a schedule and did not come true."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from backups.models import Schedule, Status, with_troubles
from jobs.alarms import ALARM, ALL_WELL, begin_alarm, end_alarm, quoted
from jobs.warnings import TIME, enqueue_warning

WARN = "warn_of_backups"
# So late may a backup begin: workers may be busy with others of the same minute.
LATEST_START = timedelta(minutes=15)
# So long may a store refuse to delete before that is worth a word.
LATEST_REMOVAL = timedelta(days=1)


def raise_alarms() -> int:
    """Looks at every schedule, and tells of those that have come into trouble or out of it; how many are in it."""
    moment = timezone.now()
    schedules = Schedule.objects.filter(is_active=True).select_related("organization", "database", "site", "server")
    count = 0
    for schedule in with_troubles(schedules).order_by("pk"):
        reasons = list(reasons_of(schedule, moment))
        count += bool(reasons)
        if reasons:
            _raise(schedule, reasons, moment)
        # What is under way may be the second try of what failed.
        elif schedule.alarmed_at and not (schedule.open_backup or schedule.open_drill):
            _clear(schedule)
    return count


def reasons_of(schedule: Any, moment: datetime) -> Iterator[str]:
    """What is wrong with a schedule of `with_troubles`, in whole sentences that stay the same until it changes."""
    yield from _of_its_turn(schedule, moment)
    yield from _of_what_is_stored(schedule, moment)
    if schedule.drill_refusal:
        yield f"The last drill could not begin. {schedule.drill_refusal}"
    elif schedule.drill_error:
        yield f"The drill of {_spoken(schedule.drilled_at)} failed: {quoted(schedule.drill_error)}"


def _of_its_turn(schedule: Any, moment: datetime) -> Iterator[str]:
    latest = moment - LATEST_START
    if schedule.next_run_at and schedule.next_run_at < latest:
        yield f"The backup of {_spoken(schedule.next_run_at)} has not begun: the scheduler did not come to it."
    elif schedule.waiting_since and schedule.waiting_since < latest:
        yield f"The backup of {_spoken(schedule.waiting_since)} has not begun: no worker has come to it."
    if schedule.refusal:
        yield f"The last backup could not begin. {schedule.refusal}"
    elif schedule.last_status == Status.FAILED:
        yield f"The backup of {_spoken(schedule.last_made_at)} failed: {quoted(schedule.last_error)}"


def _of_what_is_stored(schedule: Any, moment: datetime) -> Iterator[str]:
    limit = timedelta(hours=schedule.max_age_hours)
    if max(schedule.last_good_at or schedule.active_since, schedule.active_since) < moment - limit:
        yield _age_of(schedule)
    if schedule.newest_fault:
        yield f"The backup of {_spoken(schedule.newest_at)} is faulty: {quoted(schedule.newest_fault)}"
    if schedule.removing_since and schedule.removing_since < moment - LATEST_REMOVAL:
        yield f"What was to be deleted on {_spoken(schedule.removing_since)} could not be: see the log of its job."


def _age_of(schedule: Any) -> str:
    limit = f"{schedule.max_age_hours} hours"
    if schedule.last_good_at is None:
        return f"There is no good backup, more than {limit} after the schedule was switched on."
    return f"The newest good backup is of {_spoken(schedule.last_good_at)}, more than {limit} ago."


@transaction.atomic
def _raise(schedule: Schedule, reasons: Sequence[str], moment: datetime) -> None:
    if not begin_alarm(Schedule.objects.filter(is_active=True), schedule, reasons, moment):
        return
    _tell(
        schedule,
        kind=ALARM,
        title=f"Backups of {_target_of(schedule)} need you",
        lines=[reason.rstrip(".") for reason in reasons],
        advice="Its page shows the last backups, and what became of each. There is no other mail until all is well.",
    )


@transaction.atomic
def _clear(schedule: Any) -> None:
    if not end_alarm(Schedule.objects.all(), schedule):
        return
    _tell(
        schedule,
        kind=ALL_WELL,
        title=f"Backups of {_target_of(schedule)}: all is well again",
        lines=[f"The newest good backup is of {_spoken(moment)}" for moment in [schedule.last_good_at] if moment],
        advice="There is nothing to do.",
    )


def _tell(schedule: Schedule, *, kind: str, title: str, lines: Sequence[str], advice: str) -> None:
    enqueue_warning(
        schedule,
        job=WARN,
        label="Mail an alarm about backups" if kind == ALARM else "Mail that backups are well again",
        kind=kind,
        title=title,
        lines=lines,
        about=f"the schedule {schedule.cron} ({schedule.timezone}) of {_target_of(schedule)} on {schedule.server}",
        advice=advice,
        page=schedule.get_absolute_url(),
    )


def _target_of(schedule: Schedule) -> str:
    return str(schedule.database or schedule.site)


def _spoken(moment: datetime) -> str:
    return moment.strftime(TIME)
