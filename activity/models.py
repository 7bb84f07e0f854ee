"""What programs report: activity, and errors of applications."""

from typing import ClassVar, Self, TypeVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from activity.validators import check_kind
from deploynix.actor import Actor
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet
from sites.models import Site

Row = TypeVar("Row", bound=models.Model)


class ReportedQuerySet(OwnedQuerySet[Row]):
    """Rows that may be about a site. A token that is limited sees only what is about one of its sites."""

    def visible_to(self, actor: Actor) -> Self:
        rows = super().visible_to(actor)
        return rows.filter(site__in=Site.objects.visible_to(actor)) if actor.resources else rows


class ActivityEvent(models.Model):
    """Something that happened, as a program reported it: `kind` such as `deploy.finished`, `actor` who did it there.

    `token_id` is the token that reported it. `text` and `metadata` hold no secret of the organization.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    site = models.ForeignKey(Site, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False)
    kind = models.CharField(max_length=64, validators=[check_kind])
    actor = models.CharField(max_length=255)
    text = models.CharField(max_length=1000, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    token_id = models.CharField(max_length=26, blank=True)
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    NEWEST_FIRST: ClassVar = ("-occurred_at", "-id")
    objects: ClassVar[ReportedQuerySet["ActivityEvent"]] = ReportedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            # The columns after the id let the analytics be counted from the index alone.
            models.Index(
                fields=["organization", "occurred_at", "id", "kind", "actor", "site"], name="activity_by_time"
            ),
            models.Index(fields=["organization", "kind", "occurred_at", "id"], name="activity_by_kind"),
            models.Index(fields=["organization", "actor", "occurred_at", "id"], name="activity_by_actor"),
            models.Index(fields=["site", "occurred_at", "id"], name="activity_by_site"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.actor}"


class Level(models.TextChoices):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


class ErrorStatus(models.TextChoices):
    OPEN = "open"
    RESOLVED = "resolved"


class ErrorQuerySet(ReportedQuerySet["ErrorGroup"]):
    def with_status(self) -> Self:
        """Adds `status`."""
        is_open = models.When(resolved_at=None, then=models.Value(ErrorStatus.OPEN))
        return self.annotate(status=models.Case(is_open, default=models.Value(ErrorStatus.RESOLVED)))

    def of_status(self, status: str) -> Self:
        """Those that are open or resolved; all where `status` is empty."""
        return self.filter(resolved_at__isnull=status == ErrorStatus.OPEN) if status else self


class ErrorGroup(models.Model):
    """All occurrences of one error of an application: those with one `fingerprint`.

    `type`, `message`, `level`, `environment` and `release` are those of the last one. `resolved_by` is the actor who
    said that it is mended.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+", db_index=False)
    # With the site its errors go: kept without it, they could clash with those that are about no site.
    site = models.ForeignKey(Site, null=True, on_delete=models.CASCADE, related_name="+", db_index=False)
    fingerprint = models.CharField(max_length=128)
    type = models.CharField(max_length=255, blank=True)
    message = models.CharField(max_length=1000)
    level = models.CharField(max_length=16, choices=Level.choices, default=Level.ERROR)
    environment = models.CharField(max_length=64, blank=True)
    release = models.CharField(max_length=128, blank=True)
    count = models.PositiveBigIntegerField(default=0)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=320, blank=True)

    NEWEST_FIRST: ClassVar = ("-last_seen_at", "-id")
    objects: ClassVar[ErrorQuerySet] = ErrorQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["site", "fingerprint"], name="one_error_per_site_and_fingerprint"),
            models.UniqueConstraint(
                fields=["organization", "fingerprint"], condition=models.Q(site=None), name="one_error_per_fingerprint"
            ),
        ]
        indexes = [models.Index(fields=["organization", "last_seen_at", "id"], name="error_by_time")]

    def __str__(self) -> str:
        return f"{self.type}: {self.message}" if self.type else self.message

    def get_absolute_url(self) -> str:
        return reverse("error_detail", args=[self.pk])


class ErrorEvent(models.Model):
    """One occurrence of an error. Only the latest of a group are kept; none holds a secret of the organization."""

    id = IdField()
    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="events", db_index=False)
    type = models.CharField(max_length=255, blank=True)
    message = models.TextField()
    stack = models.TextField(blank=True)
    context = models.JSONField(default=dict, blank=True)
    level = models.CharField(max_length=16, choices=Level.choices, default=Level.ERROR)
    environment = models.CharField(max_length=64, blank=True)
    release = models.CharField(max_length=128, blank=True)
    token_id = models.CharField(max_length=26, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["group", "-id"], name="error_event_by_time")]

    def __str__(self) -> str:
        return self.message
