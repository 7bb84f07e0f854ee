"""Restores, and drills: restores into a scratch database that prove a backup and are thrown away."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from backups.models.backups import Backup
from backups.models.schedules import Schedule
from deploynix.actor import Actor
from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from jobs.models import Job
from organizations.models import OwnedQuerySet
from servers.models import SCRATCH_PREFIX, Database, Server
from sites.models import Site


class RestoreKind(models.TextChoices):
    RESTORE = "restore"
    DRILL = "drill"


class RestoreQuerySet(OwnedQuerySet["Restore"]):
    def visible_to(self, actor: Actor) -> Self:
        own = super().visible_to(actor)
        if actor.resources is None:
            return own
        return own.filter(Q(server__in=Server.objects.visible_to(actor)) | Q(site__in=Site.objects.visible_to(actor)))


class Restore(models.Model):
    """One restore of a backup onto a server: into a database by name, or the files of a site.

    `identity` is the private key of an encrypted backup, kept only until the restore has ended. `findings` are what a
    drill looked at: `[{"check", "passed", "detail"}]`. `seconds` is how long loading took. It has been proven where
    `finished_at` is set and `error` is empty.
    """

    id = IdField()
    organization = models.ForeignKey("organizations.Organization", on_delete=models.CASCADE, related_name="restores")
    backup = models.ForeignKey(Backup, on_delete=models.CASCADE, related_name="restores")
    kind = models.CharField(max_length=16, choices=RestoreKind.choices, default=RestoreKind.RESTORE)
    schedule = models.ForeignKey(Schedule, null=True, blank=True, on_delete=models.SET_NULL, related_name="drills")
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="restores")
    database = models.ForeignKey(Database, null=True, blank=True, on_delete=models.SET_NULL, related_name="restores")
    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.SET_NULL, related_name="restores")
    # Of the database that is restored into; empty for the files of a site.
    name = models.CharField(max_length=64, blank=True)
    identity = EncryptedTextField(null=True, blank=True, editable=False)
    query = models.TextField(blank=True)
    findings = models.JSONField(default=list, blank=True)
    received = models.BigIntegerField(default=0)
    seconds = models.FloatField(null=True, blank=True)
    stage = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="restore")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[RestoreQuerySet] = RestoreQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "kind", "-id"], name="restore_by_time"),
            models.Index(fields=["backup", "-id"], name="restore_by_backup"),
            models.Index(fields=["schedule", "-id"], name="restore_by_schedule"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.backup}"

    def get_absolute_url(self) -> str:
        return reverse("restore_detail", args=[self.pk])

    @property
    def scratch(self) -> str:
        """The database that is filled first."""
        return f"{SCRATCH_PREFIX}{self.pk.lower()}"
