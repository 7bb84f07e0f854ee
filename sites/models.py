"""Projects and sites, their releases, deployments and environment."""

from typing import ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from deploynix.actor import Actor
from deploynix.expressions import RowCount
from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from deploynix.names import check_domain
from jobs.models import Job
from jobs.models import Status as JobStatus
from organizations.models import Organization, OwnedQuerySet
from servers.models import PHP_VERSIONS, Server
from sites import tls, validators

# Where a deploy without zero downtime works: in place, on the files that are being served.
LIVE_FOLDER = "live"
# The kind of job that waits for the time of a scheduled deployment.
SCHEDULED_DEPLOY = "start_scheduled_deploy"
# The kind of job that has a Git provider let the site in.
SETUP_DEPLOY_KEY = "setup_deploy_key"

Row = TypeVar("Row", bound=models.Model)


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


class ProjectQuerySet(OwnedQuerySet["Project"]):
    def visible_to(self, actor: Actor) -> Self:
        """Whoever is limited to some servers and sites sees the projects of these."""
        own = super().visible_to(actor)
        if actor.resources is None:
            return own
        return own.filter(pk__in=Site.objects.visible_to(actor).exclude(project=None).values("project"))

    def with_sites_count(self, actor: Actor) -> Self:
        """Adds `sites_count`, of those that the actor sees."""
        sites = Site.objects.visible_to(actor).filter(project=models.OuterRef("pk"))
        return self.annotate(sites_count=RowCount(sites.values("pk")))


class Project(models.Model):
    """A group of sites, on any servers."""

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="projects")
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[ProjectQuerySet] = ProjectQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_project_per_name")]
        indexes = [models.Index(fields=["organization", "-id"], name="project_by_time")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project_detail", args=[self.pk])


class SiteQuerySet(OwnedQuerySet["Site"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, the chosen ones and those of the chosen servers."""
        own, limits = super().visible_to(actor), actor.resources
        if limits is None:
            return own
        return own.filter(models.Q(pk__in=limits.sites) | models.Q(server__in=limits.servers))

    def with_last_deployment(self) -> Self:
        """Adds `last_deployment_id`, `_kind`, `_status` and `_at`; they are None where there was none."""
        newest = Deployment.objects.filter(site=models.OuterRef("pk")).order_by("-id")
        return self.annotate(
            last_deployment_id=models.Subquery(newest.values("pk")[:1]),
            last_deployment_kind=models.Subquery(newest.values("kind")[:1]),
            last_deployment_status=models.Subquery(newest.values("job__status")[:1]),
            last_deployment_at=models.Subquery(newest.values("created_at")[:1]),
        )

    def with_scheduled_deploy(self) -> Self:
        """Adds `scheduled_deploy_at`; it is None where nothing is scheduled."""
        waiting = scheduled_deploys().filter(subject_id=models.OuterRef("pk"))
        return self.annotate(scheduled_deploy_at=models.Subquery(waiting.values("run_after")[:1]))


def scheduled_deploys() -> models.QuerySet[Job]:
    """The jobs that wait for their time, the earliest first."""
    waiting = Job.objects.filter(kind=SCHEDULED_DEPLOY, subject_type="site", status=JobStatus.QUEUED)
    return waiting.order_by("run_after")


class Site(models.Model):
    """A site on a server, with a Linux user of its own, `username`, and its files under `/srv/<username>`.

    `web_root` is a folder inside the repository, `shared_folders` are those that all releases share. `health_path`
    is asked of a new release before it goes live. `repository_host_key` is pinned by the first fetch over SSH.
    `is_https_forced`: visitors of a name with a certificate are sent to HTTPS as soon as the server serves it.
    `installed_at` says since when the server has the user, the folders and the configuration of the site.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sites")
    server = models.ForeignKey(Server, on_delete=models.RESTRICT, related_name="sites")
    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.SET_NULL, related_name="sites")
    domain = models.CharField(max_length=253, validators=[check_domain])
    aliases = models.JSONField(default=list, blank=True, validators=[validators.check_domains])
    type = models.CharField(max_length=16, choices=Type.choices, default=Type.STATIC)
    username = models.CharField(max_length=32, editable=False)
    repository_url = models.CharField(max_length=500, validators=[validators.check_repository_url])
    branch = models.CharField(max_length=255, default="main", validators=[validators.check_ref])
    web_root = models.CharField(max_length=255, blank=True, validators=[validators.check_folder])
    shared_folders = models.JSONField(default=list, blank=True, validators=[validators.check_folders])
    build_commands = models.TextField(blank=True, validators=[validators.check_build_commands])
    health_path = models.CharField(max_length=255, default="/", validators=[validators.check_health_path])
    php_version = models.CharField(
        max_length=8, blank=True, choices=[(version, f"PHP {version}") for version in PHP_VERSIONS]
    )
    deploy_private_key = EncryptedTextField()
    deploy_public_key = models.TextField()
    repository_host_key = models.TextField(blank=True)
    is_zero_downtime = models.BooleanField(default=True)
    is_https_forced = models.BooleanField(default=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True)
    current_release = models.ForeignKey(
        "Release", null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    installed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[SiteQuerySet] = SiteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["server", "domain"],
                name="one_site_per_domain",
                violation_error_message="This domain is taken by another site on the server.",
            ),
            models.UniqueConstraint(fields=["server", "username"], name="one_site_per_username"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="site_by_time")]

    def __str__(self) -> str:
        return self.domain

    def get_absolute_url(self) -> str:
        return reverse("site_detail", args=[self.server_id, self.pk])

    @property
    def folder(self) -> str:
        return f"/srv/{self.username}"

    @property
    def lane(self) -> str:
        return f"site:{self.pk}"

    @property
    def scheduled_deploy(self) -> Job | None:
        return scheduled_deploys().filter(subject_id=self.pk).first()

    @property
    def url(self) -> str:
        scheme = "https" if tls.is_served(self, self.domain) else "http"
        return f"{scheme}://{self.domain}"

    def clean(self) -> None:
        self._check_names()
        self._check_php()

    def _check_names(self) -> None:
        own = {self.domain, *self.aliases}
        if len(own) <= len(self.aliases):
            raise ValidationError({"aliases": "A name is listed twice."})
        for other in Site.objects.filter(server=self.server_id).exclude(pk=self.pk).only("domain", "aliases"):
            if taken := own & {other.domain, *other.aliases}:
                field = "domain" if self.domain in taken else "aliases"
                raise ValidationError({field: f"{min(taken)} is taken by another site on the server."})

    def _check_php(self) -> None:
        if self.type == Type.PHP and self.php_version != self.server.php_version:
            has = f"has PHP {self.server.php_version}" if self.server.php_version else "has no PHP"
            raise ValidationError({"php_version": f"The server {has}."})


class OfSiteQuerySet(models.QuerySet[Row]):
    """Rows that belong to a site."""

    def visible_to(self, actor: Actor) -> Self:
        own = self.filter(site__organization=actor.organization)
        return own if actor.resources is None else own.filter(site__in=Site.objects.visible_to(actor))


class ReleaseQuerySet(OfSiteQuerySet["Release"]):
    def served(self) -> Self:
        """Those that went live at some time."""
        return self.exclude(activated_at=None)


class Release(models.Model):
    """A copy of the repository on the server, built, in `/srv/<username>/releases/<folder>`.

    It is on the server from its activation until it is pruned or overwritten.
    """

    id = IdField()
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="releases")
    folder = models.CharField(max_length=26)
    commit = models.CharField(max_length=64)
    message = models.CharField(max_length=255, blank=True)
    author = models.CharField(max_length=255, blank=True)
    is_on_server = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    activated_at = models.DateTimeField(null=True)

    objects: ClassVar[ReleaseQuerySet] = ReleaseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["site", "-id"], name="release_by_time")]

    def __str__(self) -> str:
        return f"{self.commit[:12]} ({self.id})"


class DeploymentKind(models.TextChoices):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"


class Deployment(models.Model):
    """One deploy or rollback: which release it made or took, and the job that does it.

    `ref` is the branch, tag or commit that was asked for.
    """

    id = IdField()
    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="deployments")
    kind = models.CharField(max_length=16, choices=DeploymentKind.choices, default=DeploymentKind.DEPLOY)
    ref = models.CharField(max_length=255, validators=[validators.check_ref])
    release = models.ForeignKey(Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="deployments")
    job = models.OneToOneField(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="deployment")
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
        max_length=128,
        validators=[RegexValidator(r"^[A-Za-z_][A-Za-z0-9_]*\Z", "Use letters, digits and underscores.")],
    )
    value = EncryptedTextField(blank=True, validators=[validators.check_value])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[OfSiteQuerySet["EnvironmentVariable"]] = OfSiteQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["site", "name"],
                name="one_variable_per_name",
                violation_error_message="The site has a variable of this name.",
            )
        ]

    def __str__(self) -> str:
        return self.name
