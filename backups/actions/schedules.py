"""Schedules of backups and drills, and what is done when their time has come."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from audit.log import changed, record
from backups import checks, times
from backups.actions.backups import make_backup
from backups.actions.restores import drill_schedule
from backups.models import Backup, Encryption, Schedule, default_age_hours
from deploynix.actor import Actor, system_actor
from deploynix.errors import Conflict, Error
from jobs.models import OPEN_STATUSES
from providers.models import Credential
from servers.models import Database
from sites.models import Site

logger = logging.getLogger(__name__)
# What can be changed; of what a schedule makes backups stays as it is.
SETTINGS = (
    *("credential", "encryption", "recipient", "cron", "timezone", "is_active"),
    *("keep_last", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"),
    *("max_age_hours", "drill_cron", "drill_query"),
)

TIMES = {"cron", "timezone", "drill_cron", "is_active"}


@transaction.atomic
def create_schedule(
    actor: Actor,
    *,
    database: Database | None = None,
    site: Site | None = None,
    credential: Credential,
    cron: str,
    timezone: str = "UTC",
    encryption: str = Encryption.NONE,
    recipient: str = "",
    is_active: bool = True,
    keep_last: int = 7,
    keep_daily: int = 0,
    keep_weekly: int = 0,
    keep_monthly: int = 0,
    keep_yearly: int = 0,
    max_age_hours: int | None = None,
    drill_cron: str = "",
    drill_query: str = "",
) -> Schedule:
    """Adds a schedule. Without `max_age_hours` the limit is what the cron expression leaves between two, and two more.

    Raises Denied, Invalid and ValidationError, naming the field.
    """
    actor.require("backup:create")
    kind = checks.one_target(database, site)
    schedule = Schedule(
        organization=actor.organization,
        type=kind,
        server=checks.server_of(actor, database, site),
        database=database,
        site=site,
        credential=credential,
        cron=cron,
        timezone=timezone,
        encryption=encryption,
        recipient=recipient,
        is_active=is_active,
        keep_last=keep_last,
        keep_daily=keep_daily,
        keep_weekly=keep_weekly,
        keep_monthly=keep_monthly,
        keep_yearly=keep_yearly,
        drill_cron=drill_cron,
        drill_query=drill_query,
    )
    _set_age(schedule, max_age_hours)
    _check(actor, schedule)
    _set_turns(schedule)
    schedule.save()
    record(actor, "schedule.created", schedule, changed({}, _recorded(schedule, SETTINGS)))
    return schedule


@transaction.atomic
def update_schedule(actor: Actor, *, schedule: Schedule, **values: Any) -> Schedule:
    """Changes what is given of SETTINGS; `max_age_hours` of None is as in `create_schedule`, and a limit that is what
    the times left of themselves follows them when they change.

    One that is switched off has no alarm, and from when it is switched on again its backups may take their time.
    Raises Denied, Invalid and ValidationError, naming the field.
    """
    actor.require("backup:update")
    schedule = _locked(schedule)
    before = _recorded(schedule, SETTINGS)
    own_hours = default_age_hours(schedule.cron, schedule.timezone)
    for name in SETTINGS:
        setattr(schedule, name, values.get(name, getattr(schedule, name)))
    _set_age(schedule, None if schedule.max_age_hours == own_hours else schedule.max_age_hours)
    _check(actor, schedule)
    changes = changed(before, _recorded(schedule, SETTINGS))
    if changes.keys() & TIMES:
        _set_turns(schedule)
    if "is_active" in changes:
        schedule.active_since = timezone.now()
        schedule.alarm, schedule.alarmed_at = "", None
    schedule.save()
    if changes:
        record(actor, "schedule.updated", schedule, changes)
    return schedule


@transaction.atomic
def delete_schedule(actor: Actor, *, schedule: Schedule) -> None:
    """Ends the schedule. What it has stored stays, and is not removed by age any more. Raises Denied."""
    actor.require("backup:update")
    schedule = _locked(schedule)
    record(actor, "schedule.deleted", schedule)
    schedule.delete()


def run_schedule(actor: Actor, *, schedule: Schedule) -> Backup:
    """Queues a backup as the schedule would make it now. Raises as `make_backup`, and Conflict while one is made."""
    actor.require("backup:create")
    if schedule.backups.open().exists():
        raise Conflict("A backup of this schedule is being made.", "Wait until its job has ended.")
    return make_backup(
        actor,
        database=schedule.database,
        site=schedule.site,
        credential=schedule.credential,
        encryption=schedule.encryption,
        recipient=schedule.recipient,
        schedule=schedule,
    )


def run_due_schedules() -> int:
    """Queues the backups whose time has come; how many. Those that were missed meanwhile are made up for by one."""
    return _run_due("next_run_at", _run)


def run_due_drills() -> int:
    """The same for drills."""
    return _run_due("next_drill_at", _drill)


def _run_due(turn: str, perform: Callable[[Schedule, datetime], bool]) -> int:
    due = (
        Schedule.objects.filter(is_active=True, **{f"{turn}__lte": timezone.now()})
        .order_by(turn)
        .values_list("pk", flat=True)
    )
    return sum(_run_one(pk, turn, perform) for pk in list(due))


def _run_one(pk: str, turn: str, perform: Callable[[Schedule, datetime], bool]) -> bool:
    """Whether something was queued. What is wrong with one schedule does not keep the others from their turn."""
    try:
        with transaction.atomic():
            moment = timezone.now()
            # Another beat may have it in hand, or have had its turn meanwhile.
            rows = Schedule.objects.select_for_update(skip_locked=True, of=("self",))
            rows = rows.select_related("organization", "credential", "database__server", "site__server")
            schedule = rows.filter(pk=pk, is_active=True, **{f"{turn}__lte": moment}).first()
            return schedule is not None and perform(schedule, moment)
    except Exception:
        logger.exception("the turn of schedule %s broke", pk)
        return False


def _run(schedule: Schedule, moment: datetime) -> bool:
    schedule.last_run_at = moment
    schedule.next_run_at = times.next_after(schedule.cron, schedule.timezone, moment)
    is_open = schedule.backups.open().exists()
    if is_open:
        schedule.skipped_at = moment
        record(system_actor(schedule.organization), "schedule.skipped", schedule)
    else:
        actor = system_actor(schedule.organization)
        schedule.refusal = _refusal_of(lambda: run_schedule(actor, schedule=schedule))
    schedule.save(update_fields=["last_run_at", "next_run_at", "skipped_at", "refusal", "updated_at"])
    return not is_open and not schedule.refusal


def _drill(schedule: Schedule, moment: datetime) -> bool:
    schedule.next_drill_at = times.next_after(schedule.drill_cron, schedule.timezone, moment)
    is_open = schedule.drills.filter(job__status__in=OPEN_STATUSES).exists()
    if not is_open:
        actor = system_actor(schedule.organization)
        schedule.drill_refusal = _refusal_of(lambda: drill_schedule(actor, schedule=schedule))
    schedule.save(update_fields=["next_drill_at", "drill_refusal", "updated_at"])
    return not is_open and not schedule.drill_refusal


def _refusal_of(perform: Callable[[], object]) -> str:
    """Why it could not be queued; empty where it was."""
    try:
        with transaction.atomic():
            perform()
    except Error as error:
        return f"{error.message} {error.hint}".strip()
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _set_turns(schedule: Schedule) -> None:
    """When its next backup and drill are due, from now on."""
    turns = {"next_run_at": schedule.cron, "next_drill_at": schedule.drill_cron}
    for name, cron in turns.items():
        is_on = schedule.is_active and cron
        setattr(schedule, name, times.next_after(cron, schedule.timezone, timezone.now()) if is_on else None)
    schedule.refusal = schedule.drill_refusal = ""


def _set_age(schedule: Schedule, hours: int | None) -> None:
    try:
        schedule.max_age_hours = default_age_hours(schedule.cron, schedule.timezone) if hours is None else hours
    except ValidationError:
        # `full_clean` names the field that is wrong.
        return


def _recorded(schedule: Schedule, names: Any) -> dict[str, Any]:
    return {name: str(value) if isinstance(value := getattr(schedule, name), Credential) else value for name in names}


def _check(actor: Actor, schedule: Schedule) -> None:
    checks.storage(actor, schedule.credential)
    schedule.full_clean(validate_unique=False, validate_constraints=False)


def _locked(schedule: Schedule) -> Schedule:
    rows = Schedule.objects.select_for_update(of=("self",)).select_related("credential", "database", "site")
    return rows.get(pk=schedule.pk)
