"""Applications: what is connected to domains, and the DNS credentials it does that with."""

from typing import ClassVar

from django.db import models
from django.urls import reverse
from django.utils import timezone

from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet
from providers.models import Credential


class Application(models.Model):
    """Something that is reached under domains of its users."""

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="applications")
    name = models.CharField(max_length=100)
    credentials: models.ManyToManyField[Credential, "ApplicationCredential"] = models.ManyToManyField(
        Credential, through="ApplicationCredential", related_name="applications"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[OwnedQuerySet["Application"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_application_per_name")]
        indexes = [models.Index(fields=["organization", "-id"], name="application_by_time")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("application_detail", args=[self.pk])


class ApplicationCredential(models.Model):
    """A DNS credential that an application uses."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="links")
    credential = models.ForeignKey(Credential, on_delete=models.RESTRICT, related_name="application_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["application", "credential"], name="one_link_per_application_credential"),
        ]

    def __str__(self) -> str:
        return f"{self.application}: {self.credential}"
