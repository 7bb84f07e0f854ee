"""Automation scripts, and what was run of them on servers."""

from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from deploynix.actor import Actor
from deploynix.fields import EncryptedJSONField
from deploynix.ids import IdField
from jobs.models import Job
from organizations.models import Organization, OwnedQuerySet
from servers.models.servers import MANAGED_USER, Server
from servers.parameters import Parameter

MOST_BODY_BYTES = 65_536
MOST_SCRIPT_SECONDS = 86_400


def check_body(text: str) -> None:
    """Raises ValidationError for a text that cannot be sent to a server as a script."""
    if "\0" in text:
        raise ValidationError("The body must not hold NUL characters.")
    if len(text.encode()) > MOST_BODY_BYTES:
        raise ValidationError(f"The body must not be longer than {MOST_BODY_BYTES // 1024} KiB.")


class RunAs(models.TextChoices):
    ROOT = "root", "root"
    DEPLOYNIX = MANAGED_USER, f"{MANAGED_USER} (may use sudo)"


class AutomationScript(models.Model):
    """A stored shell script. `body` is run by bash, for at most `timeout` seconds.

    `parameters` is what it asks for with each run, see `servers.parameters`; they reach it as environment variables.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="scripts")
    name = models.CharField(
        max_length=100,
        validators=[RegexValidator(r"^[^\x00-\x1f\x7f]*\Z", "Use letters, digits, spaces and signs on one line.")],
    )
    description = models.CharField(max_length=1000, blank=True)
    body = models.TextField(validators=[check_body])
    parameters = models.JSONField(default=list, blank=True)
    run_as = models.CharField(max_length=16, choices=RunAs.choices, default=RunAs.ROOT)
    timeout = models.PositiveIntegerField(
        default=600, validators=[MinValueValidator(1), MaxValueValidator(MOST_SCRIPT_SECONDS)]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[OwnedQuerySet["AutomationScript"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_script_per_name")]
        indexes = [models.Index(fields=["organization", "-id"], name="script_by_time")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("script_detail", args=[self.pk])

    @property
    def declared(self) -> list[Parameter]:
        return [Parameter(**row) for row in self.parameters]

    def lane_on(self, server: Server) -> str:
        """It does not run twice at once on a server; nothing else there has to wait for it."""
        return f"script:{self.pk}:{server.pk}"


class ScriptRunQuerySet(models.QuerySet["ScriptRun"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(server__in=Server.objects.visible_to(actor))


class ScriptRun(models.Model):
    """One run of a script on one server, with a copy of what was run; its job says how it goes.

    `parameters` are the values that were given, with null for a secret one. Those are in `secrets` until the run has
    ended, and then forgotten: a run cannot be repeated. `exit_code` is the script's own, where it got to an end.
    """

    id = IdField()
    script = models.ForeignKey(AutomationScript, null=True, on_delete=models.SET_NULL, related_name="runs")
    script_name = models.CharField(max_length=100)
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="script_runs")
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="script_run")
    body = models.TextField()
    body_sha256 = models.CharField(max_length=64)
    parameters = models.JSONField(default=dict)
    secrets = EncryptedJSONField(default=dict)
    run_as = models.CharField(max_length=16, choices=RunAs.choices)
    timeout = models.PositiveIntegerField()
    exit_code = models.PositiveSmallIntegerField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True)

    objects: ClassVar[ScriptRunQuerySet] = ScriptRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [
            models.Index(fields=["script", "-id"], name="script_run_by_time"),
            models.Index(fields=["server"], condition=models.Q(finished_at=None), name="script_run_open"),
        ]

    def __str__(self) -> str:
        return f"{self.script_name} on {self.server}"

    @property
    def values(self) -> dict[str, str]:
        """The environment of the script."""
        return {**self.parameters, **self.secrets}
