"""The repositories that are connected: which credential opens each, and what its provider tells about it."""

from collections.abc import Iterator
from typing import ClassVar, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet
from providers.models import Credential
from providers.uses import Use
from repositories.addresses import place_of

# What Git providers allow in names, and the braces by which Bitbucket knows a workspace.
_NAME = r"[A-Za-z0-9_.~{}-]+"
NOTHING_KNOWN = {"provider_id": "", "clone_url": "", "ssh_url": "", "default_branch": "", "is_private": None}


class Status(models.TextChoices):
    """Whether the provider has told about the repository. `unread`: a job is to ask it."""

    UNREAD = "unread"
    CONNECTED = "connected"
    FAILED = "failed"


class GitRepositoryQuerySet(OwnedQuerySet["GitRepository"]):
    def named(self, full_name: str) -> Self:
        """Git providers tell no upper case from lower case in names."""
        return self.filter(full_name__iexact=full_name)


class GitRepository(models.Model):
    """A repository of a Git provider. `provider_id` is what the provider knows it by; that, its addresses, its branch
    and whether it is private are unknown until it was read, and again with each other credential.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="repositories")
    credential = models.ForeignKey(Credential, on_delete=models.RESTRICT, related_name="repositories")
    full_name = models.CharField(
        max_length=255,
        validators=[RegexValidator(rf"^{_NAME}(/{_NAME})+\Z", "Give the owner and the name, as in acme/shop.")],
    )
    provider_id = models.TextField(blank=True)
    clone_url = models.TextField(blank=True)
    ssh_url = models.TextField(blank=True)
    default_branch = models.TextField(blank=True)
    is_private = models.BooleanField(null=True, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.UNREAD)
    status_reason = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[GitRepositoryQuerySet] = GitRepositoryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", "credential", Lower("full_name"), name="one_repository_per_credential"
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="repository_by_time")]

    def __str__(self) -> str:
        return self.full_name

    def get_absolute_url(self) -> str:
        return reverse("credential_detail", args=["git", self.credential_id])

    @property
    def lane(self) -> str:
        return f"repository:{self.pk}"

    @property
    def is_known(self) -> bool:
        return bool(self.provider_id)

    def is_at(self, url: str) -> bool:
        """Whether this is one of its addresses."""
        place = place_of(url)
        return place is not None and place in {place_of(self.clone_url), place_of(self.ssh_url)}


def uses_of_git_credential(credential: Credential) -> Iterator[Use]:
    for repository in GitRepository.objects.filter(credential=credential).order_by("full_name"):
        yield Use(f"the repository {repository}")
