"""Background work. These tables are the queue of record; the broker only rings."""

from typing import ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from deploynix.actor import Actor
from deploynix.ids import IdField, new_id
from jobs.kinds import routine_kinds
from jobs.subjects import about_visible
from organizations.models import Organization, OwnedQuerySet


class Status(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN_STATUSES = (Status.QUEUED, Status.RUNNING)
LONGEST_LABEL, LONGEST_ACTOR = 255, 320


class JobQuerySet(OwnedQuerySet["Job"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, those about servers and sites that it sees."""
        own = super().visible_to(actor)
        return own if actor.resources is None else own.filter(about_visible(actor, actor.resources))

    def open(self) -> "JobQuerySet":
        return self.filter(status__in=OPEN_STATUSES)

    def about(self, subject: models.Model) -> "JobQuerySet":
        return self.filter(subject_type=subject._meta.model_name, subject_id=subject.pk)

    def without_routine(self) -> Self:
        return self.exclude(~models.Q(status=Status.FAILED), kind__in=routine_kinds())


class Job(models.Model):
    """One piece of background work about one subject.

    `lane` names what must not run twice at once. `attempt` counts the takings by a worker, and each write of a
    worker holds only while it is still the latest, which `worker` names as `host:process id`. `params` and `result`
    never hold a secret.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=64)
    label = models.CharField(max_length=LONGEST_LABEL)
    subject_type = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=26)
    lane = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    params = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    progress = models.PositiveSmallIntegerField(default=0)
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=128, blank=True)
    retries = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    hint = models.TextField(blank=True)
    user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor = models.CharField(max_length=LONGEST_ACTOR)
    log_size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    run_after = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    cancel_requested_at = models.DateTimeField(null=True)

    objects: ClassVar[JobQuerySet] = JobQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lane"], condition=models.Q(status=Status.RUNNING), name="one_running_job_per_lane"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-id"], name="job_by_time"),
            models.Index(fields=["subject_type", "subject_id", "-id"], name="job_by_subject"),
            models.Index(fields=["lane", "id"], condition=models.Q(status=Status.QUEUED), name="job_queued_in_lane"),
            models.Index(fields=["heartbeat_at"], condition=models.Q(status=Status.RUNNING), name="job_running_beat"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES

    @property
    def is_early(self) -> bool:
        """It waits for its time, not for a worker."""
        return self.status == Status.QUEUED and self.run_after > timezone.now()


class JobStep(models.Model):
    """One named step of a job. A step that succeeded is not run again when the job is retried."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    label = models.CharField(max_length=255)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.QUEUED)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["job", "name"], name="one_row_per_step")]

    def __str__(self) -> str:
        return self.label


class JobLog(models.Model):
    """A piece of a job's log, redacted; `offset` counts characters from the log's start."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log")
    offset = models.PositiveBigIntegerField()
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["job", "offset"], name="one_log_piece_per_offset")]

    def __str__(self) -> str:
        return self.text


class Turn(models.Model):
    """What is worked on by one attempt at a time, for a part of a job; it counts as long as the attempt has its job."""

    name = models.CharField(primary_key=True, max_length=128)
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="turns")
    attempt = models.PositiveIntegerField()
    holder = models.CharField(max_length=26, default=new_id)

    def __str__(self) -> str:
        return self.name
