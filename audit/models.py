"""The audit log: who did what to what, from where, and what changed. Rows are only ever added."""

from django.db import models
from django.utils import timezone

from deploynix.ids import IdField


class AuditEvent(models.Model):
    """One event. `changes` maps a field to `[before, after]` and never holds a secret."""

    id = IdField()
    organization = models.ForeignKey("organizations.Organization", on_delete=models.CASCADE, related_name="+")
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

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at"], name="audit_by_time"),
            models.Index(fields=["organization", "event", "-created_at"], name="audit_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.event} {self.target}"
