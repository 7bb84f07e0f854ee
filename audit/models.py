"""The audit log: who did what to what, from where, and what changed. Rows are only ever added."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from audit.events import EVENTS, TARGETS
from deploynix.actor import Actor
from deploynix.ids import IdField


class AuditQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, actor: Actor) -> "AuditQuerySet":
        return self.filter(organization=actor.organization)


class AuditEvent(models.Model):
    """One event. `changes` maps a field to `[before, after]` and never holds a secret.

    The log is read in the order of `id`, which is that of time.
    """

    id = IdField()
    organization = models.ForeignKey(
        "organizations.Organization", on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    token_id = models.CharField(max_length=26, blank=True)
    actor = models.CharField(max_length=320)
    ip = models.GenericIPAddressField(null=True)
    event = models.CharField(max_length=64)
    target_type = models.CharField(max_length=32, blank=True)
    target_id = models.CharField(max_length=26, blank=True)
    target = models.CharField(max_length=255, blank=True)
    changes = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    objects: ClassVar[AuditQuerySet] = AuditQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-id"], name="audit_by_time"),
            models.Index(fields=["organization", "event", "-id"], name="audit_by_event"),
            models.Index(fields=["organization", "user", "-id"], name="audit_by_person"),
            models.Index(fields=["organization", "target_type", "-id"], name="audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.event} {self.target}"

    @property
    def event_label(self) -> str:
        return EVENTS.get(self.event, self.event)

    @property
    def target_label(self) -> str:
        return TARGETS.get(self.target_type, self.target_type.capitalize())
