"""Sites and their releases, deployments and environment."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from jobs.models import Job
from organizations.models import Organization, OwnedQuerySet
from servers.models import Server


class Type(models.TextChoices):
    STATIC = "static", "Static files"
    PHP = "php", "PHP"


class Status(models.TextChoices):
    PENDING = "pending"
    INSTALLING = "installing"
    ACTIVE = "active"
    FAILED = "failed"
    SUSPENDED = "suspended"
    DELETING = "deleting"


class SiteQuerySet(OwnedQuerySet["Site"]):
    pass


class Site(models.Model):
    """A site on a server, with a Linux user of its own, `username`, and its files under `/srv/<username>`.

    `web_root` is a folder inside the repository. `health_path` is asked of a new release before it goes live.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sites")
    server = models.ForeignKey(Server, on_delete=models.PROTECT, related_name="sites")
    domain = models.CharField(max_length=253)
    aliases = models.JSONField(default=list, blank=True)
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.STATIC)
    username = models.CharField(max_length=32, editable=False)
    repository_url = models.CharField(max_length=500)
    branch = models.CharField(max_length=255, default="main")
    web_root = models.CharField(max_length=255, blank=True)
    build_commands = models.TextField(blank=True)
    health_path = models.CharField(max_length=255, default="/")
    php_version = models.CharField(max_length=8, blank=True)
    deploy_private_key = EncryptedTextField()
    deploy_public_key = models.TextField()
    repository_host_key = models.TextField(blank=True)
    is_zero_downtime = models.BooleanField(default=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True)
    current_release = models.ForeignKey(
        "Release", null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[SiteQuerySet] = SiteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["server", "domain"], name="one_site_per_domain"),
            models.UniqueConstraint(fields=["server", "username"], name="one_site_per_username"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="site_by_time")]

    def __str__(self) -> str:
        return self.domain


class Release(models.Model):
    """A built copy of the repository on the server, in `/srv/<username>/releases/<id>`."""

    id = IdField()
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="releases")
    commit = models.CharField(max_length=64)
    message = models.CharField(max_length=255, blank=True)
    author = models.CharField(max_length=255, blank=True)
    is_on_server = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="release_by_time")]

    def __str__(self) -> str:
        return f"{self.commit[:12]} ({self.id})"


class DeploymentKind(models.TextChoices):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Deployment(models.Model):
    """One deploy or rollback: which release it made or took, and the job that does it."""

    id = IdField()
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="deployments")
    kind = models.CharField(max_length=16, choices=DeploymentKind.choices, default=DeploymentKind.DEPLOY)
    ref = models.CharField(max_length=255)
    release = models.ForeignKey(Release, null=True, on_delete=models.SET_NULL, related_name="deployments")
    job = models.OneToOneField(Job, null=True, on_delete=models.SET_NULL, related_name="deployment")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="deployment_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.site}"


class EnvironmentVariable(models.Model):
    """A variable of a site's `.env`. The value is encrypted, and read back only by an audited ability."""

    id = IdField()
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="environment")
    name = models.CharField(
        max_length=128, validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*$", "Use letters, digits and underscores.")]
    )
    value = EncryptedTextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "name"], name="one_variable_per_name")]

    def __str__(self) -> str:
        return self.name
