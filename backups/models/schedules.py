"""When backups are made, how many are kept, and how old the newest good one may be."""

import math
import re
from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.timezone import now

from backups import times
from backups.models.targets import Encryption, Target, TargetQuerySet, Type
from backups.retention import Policy
from deploynix.ids import IdField
from servers.models import Database, Server
from sites.models import Site

MOST_KEPT = 1000
LONGEST_AGE_HOURS = 24 * 366
# What a backup may take beyond the time between two, where nobody says how old the newest may be.
AGE_SLACK_HOURS = 2
LONGEST_QUERY = 10_000


def kept(default: int = 0) -> "models.PositiveSmallIntegerField[int, int]":
    return models.PositiveSmallIntegerField(default=default, validators=[MaxValueValidator(MOST_KEPT)])


def check_query(text: str) -> None:
    """Raises ValidationError for what is not one SELECT. That it changes nothing is for the database to see to."""
    statement = text.strip().removesuffix(";")
    if len(text) > LONGEST_QUERY:
        raise ValidationError(f"The query must not be longer than {LONGEST_QUERY} characters.")
    if "\0" in text or ";" in statement or not re.match(r"(select|with)\b", statement, re.IGNORECASE):
        raise ValidationError("Give one query that begins with SELECT or WITH, and has no semicolon in it.")


class Schedule(Target):
    """Backups of one database or site at the times of `cron` in `timezone`.

    Of the good ones the newest `keep_last` are kept, and the newest of as many days, weeks (ISO 8601), months and years
    as are asked for. `max_age_hours` is how old the newest good one may be before that is an alarm; `alarm` is what is
    wrong now. At the times of `drill_cron` the newest good one is restored into a scratch database, where
    `drill_query`, a single SELECT, must give at least one row.
    """

    id = IdField()
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="backup_schedules")
    database = models.ForeignKey(Database, null=True, blank=True, on_delete=models.CASCADE, related_name="schedules")
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.CASCADE, related_name="backup_schedules")
    cron = models.CharField(max_length=100, validators=[times.check_cron])
    timezone = models.CharField(max_length=64, default="UTC", validators=[times.check_zone])
    is_active = models.BooleanField(default=True)
    keep_last = kept(default=7)
    keep_daily = kept()
    keep_weekly = kept()
    keep_monthly = kept()
    keep_yearly = kept()
    max_age_hours = models.PositiveIntegerField(
        default=26, validators=[MinValueValidator(1), MaxValueValidator(LONGEST_AGE_HOURS)]
    )
    drill_cron = models.CharField(max_length=100, blank=True, validators=[times.check_cron])
    drill_query = models.TextField(blank=True, validators=[check_query])
    next_run_at = models.DateTimeField(null=True, blank=True)
    last_run_at = models.DateTimeField(null=True, blank=True)
    next_drill_at = models.DateTimeField(null=True, blank=True)
    active_since = models.DateTimeField(default=now, editable=False)
    skipped_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True)
    drill_refusal = models.TextField(blank=True)
    alarm = models.TextField(blank=True)
    alarmed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[TargetQuerySet["Schedule"]] = TargetQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="schedule_by_time"),
            models.Index(fields=["next_run_at"], condition=models.Q(is_active=True), name="schedule_by_turn"),
            models.Index(fields=["next_drill_at"], condition=models.Q(is_active=True), name="schedule_by_drill"),
        ]

    def __str__(self) -> str:
        return f"{self.database or self.site}, {self.cron}"

    def get_absolute_url(self) -> str:
        return reverse("schedule_detail", args=[self.pk])

    @property
    def typed_name(self) -> str:
        """What it makes backups of, as it can be typed into a form, to confirm what is done to it."""
        return self.database.typed_name if self.database else str(self.site)

    @property
    def policy(self) -> Policy:
        return Policy(
            self.keep_last, self.keep_daily, self.keep_weekly, self.keep_monthly, self.keep_yearly, self.timezone
        )

    @property
    def spoken(self) -> str:
        """Its times in words, for example `At 02:00 every day`."""
        return times.spoken(self.cron)

    @property
    def spoken_drills(self) -> str:
        return times.spoken(self.drill_cron)

    @property
    def next_runs(self) -> list[datetime]:
        """The next five, as the clocks of its time zone show them; none while it is switched off."""
        return times.next_runs(self.cron, self.timezone) if self.is_active else []

    def clean(self) -> None:
        super().clean()
        if not any((self.keep_last, self.keep_daily, self.keep_weekly, self.keep_monthly, self.keep_yearly)):
            raise ValidationError({"keep_last": "Keep at least one backup."})
        self._check_drills()
        self._check_age()

    def _check_drills(self) -> None:
        if not self.drill_cron:
            return
        if self.type != Type.DATABASE:
            raise ValidationError({"drill_cron": "Only databases can be restored into a scratch database."})
        if self.encryption != Encryption.NONE:
            what = "What is encrypted can only be opened with the private key, which is not kept here."
            raise ValidationError({"drill_cron": what})

    def _check_age(self) -> None:
        try:
            least = least_age_hours(self.cron, self.timezone)
        except ValidationError:
            # The fields themselves say what is wrong with them.
            return
        if self.max_age_hours is not None and self.max_age_hours < least:
            what = (
                f"Two backups can be {least} hours apart by the schedule: a limit below that would always be an alarm."
            )
            raise ValidationError({"max_age_hours": what})


def least_age_hours(cron: str, zone: str) -> int:
    """How old the newest backup may become if all goes well. Raises ValidationError for what is no cron expression."""
    times.check_cron(cron)
    times.check_zone(zone)
    return math.ceil(times.longest_gap(cron, zone).total_seconds() / 3600)


def default_age_hours(cron: str, zone: str) -> int:
    return min(least_age_hours(cron, zone) + AGE_SLACK_HOURS, LONGEST_AGE_HOURS)
