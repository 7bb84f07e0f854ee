"""Backups: what was stored of a database or a site, and what is known about it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from backups.models.schedules import Schedule
from backups.models.targets import Target, TargetQuerySet
from deploynix.ids import IdField
from jobs.models import Job
from servers.models import Database, Server
from sites.models import Site


class Status(models.TextChoices):
    """`completed`: it was stored, read back, and its checksum agreed. `restored`: and it has been restored since."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    RESTORED = "restored"


GOOD = (Status.COMPLETED, Status.RESTORED)
OPEN = (Status.PENDING, Status.IN_PROGRESS)


class BackupQuerySet(TargetQuerySet["Backup"]):
    def stored(self) -> "BackupQuerySet":
        """Those whose object is in the store, or should be."""
        return self.filter(status__in=GOOD, removed_at=None)

    def in_store(self) -> "BackupQuerySet":
        """Those, and the ones that arrived there and were found faulty before they were complete."""
        arrived = Q(status__in=GOOD) | (Q(status=Status.FAILED) & ~Q(fault=""))
        return self.filter(arrived, removed_at=None)

    def good(self) -> "BackupQuerySet":
        """Those that could be restored when they were last looked at."""
        return self.stored().filter(fault="", removing_at=None).exclude(verified_at=None)

    def open(self) -> "BackupQuerySet":
        return self.filter(status__in=OPEN)


class Backup(Target):
    """One backup. What it is of may be gone: `name` and `server_name` are what it was called.

    The object is `key` in `bucket`, of `size` bytes; `raw_size` is before it was compressed. The first verification
    writes down `sha256`, over all of it, and the exact `raw_size`; of an encrypted one that stays a few kB too large.
    `facts` are what a restore wants to know of the database: see `scripts/transfer/engines.py`. `upload_id` is that of
    an upload that is not finished, `sender` the process that feeds it. `stage` is what it was doing when it failed.
    `fault` is what the last verification found wrong with it. `sent` counts the bytes while it is under way. From
    `removing_at` on its object is being deleted, or may be gone already; at `removed_at` it was.
    """

    id = IdField()
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.SET_NULL, related_name="backups")
    server = models.ForeignKey(Server, null=True, blank=True, on_delete=models.SET_NULL, related_name="backups")
    database = models.ForeignKey(Database, null=True, blank=True, on_delete=models.SET_NULL, related_name="backups")
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="backups")
    name = models.CharField(max_length=255)
    server_name = models.CharField(max_length=64)
    engine = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    bucket = models.CharField(max_length=255)
    key = models.CharField(max_length=1024)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    stage = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    upload_id = models.CharField(max_length=1024, blank=True)
    sender = models.CharField(max_length=32, blank=True)
    sent = models.BigIntegerField(default=0)
    size = models.BigIntegerField(null=True, blank=True)
    raw_size = models.BigIntegerField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    fault = models.TextField(blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    removing_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="backup")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[BackupQuerySet] = BackupQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["credential", "bucket", "key"], name="one_backup_per_key")]
        indexes = [
            models.Index(fields=["organization", "-id"], name="backup_by_time"),
            models.Index(fields=["organization", "status", "-id"], name="backup_by_status"),
            models.Index(fields=["organization", "type", "-id"], name="backup_by_type"),
            models.Index(fields=["database", "-id"], name="backup_by_database"),
            models.Index(fields=["site", "-id"], name="backup_by_site"),
            models.Index(fields=["schedule", "-id"], name="backup_by_schedule"),
            models.Index(fields=["id"], condition=~Q(upload_id=""), name="backup_uploading"),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.created_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("backup_detail", args=[self.pk])

    @property
    def typed_name(self) -> str:
        """The name as it can be typed into a form, to confirm what is done to it."""
        return " ".join(self.name.split())

    @property
    def ratio(self) -> float | None:
        """How many times larger it was before it was compressed."""
        return round(self.raw_size / self.size, 1) if self.raw_size and self.size else None

    @property
    def lane(self) -> str:
        """What reads its object, and what deletes it, do so one after the other."""
        return f"backup:{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def is_stored(self) -> bool:
        return self.status in GOOD and self.removed_at is None and self.removing_at is None

    @property
    def is_good(self) -> bool:
        return self.is_stored and self.verified_at is not None and not self.fault


class BackupPart(models.Model):
    """A part of the object, as it was sent: a restore checks each one before anything of it is used.

    `md5` is of this part, and what the store and the first verification compare it with. That one writes down `sha256`,
    of the object from its start to the end of this part, so that from then on one running sum checks every part and, at
    the last one, the whole.
    """

    backup = models.ForeignKey(Backup, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    size = models.BigIntegerField()
    md5 = models.CharField(max_length=32, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    etag = models.CharField(max_length=128)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["backup", "number"], name="one_part_per_number")]

    def __str__(self) -> str:
        return f"{self.backup_id} part {self.number}"
