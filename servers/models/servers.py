"""Servers: machines that are reached over SSH and whose configuration is a function of the database."""

from typing import ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from deploynix.actor import Actor
from deploynix.expressions import RowCount
from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet

PHP_VERSIONS = ("8.1", "8.2", "8.3", "8.4")
MANAGED_USER = "deploynix"


class Status(models.TextChoices):
    PENDING = "pending"
    PROVISIONING = "provisioning"
    ACTIVE = "active"
    FAILED = "failed"
    DELETING = "deleting"


class Provider(models.TextChoices):
    CUSTOM = "custom", "Custom (a server of your own)"


class DatabaseType(models.TextChoices):
    MYSQL = "mysql", "MySQL"
    MARIADB = "mariadb", "MariaDB"
    POSTGRESQL = "postgresql", "PostgreSQL"
    NONE = "none", "None"


class ServerQuerySet(OwnedQuerySet["Server"]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, the chosen ones."""
        own = super().visible_to(actor)
        return own if actor.resources is None else own.filter(pk__in=actor.resources.servers)

    def with_sites_count(self) -> "ServerQuerySet":
        """Adds `sites_count`. It is not joined: lists count and skip servers by the thousand, and show a few."""
        sites = Server.objects.filter(pk=models.OuterRef("pk"), sites__isnull=False).values("sites")
        return self.annotate(sites_count=RowCount(sites))


class Server(models.Model):
    """A Debian or Ubuntu machine. `ssh_user` signs in once it is provisioned, `login_user` the first time.

    `private_key` is the server's own ed25519 key; `login_key` a key that the user gave for the first sign-in, removed
    after provisioning. `host_key` is pinned at first contact; another one is refused, and its fingerprint is kept in
    `refused_fingerprint` until somebody accepts it.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="servers")
    name = models.CharField(
        max_length=64,
        validators=[
            RegexValidator(
                r"^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?\Z",
                "Use letters, digits, dots and dashes; the first and last must be a letter or digit.",
            )
        ],
    )
    provider = models.CharField(max_length=32, choices=Provider.choices, default=Provider.CUSTOM)
    region = models.CharField(max_length=64, null=True, blank=True)
    size = models.CharField(max_length=64, null=True, blank=True)
    ip_address = models.GenericIPAddressField()
    ssh_port = models.PositiveIntegerField(default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)])
    login_user = models.CharField(
        max_length=32,
        default="root",
        validators=[RegexValidator(r"^[a-z_][a-z0-9_-]*\Z", "This is no Linux user name.")],
    )
    ssh_user = models.CharField(max_length=32, default=MANAGED_USER, editable=False)
    private_key = EncryptedTextField()
    public_key = models.TextField()
    login_key = EncryptedTextField(null=True, blank=True)
    host_key = models.TextField(blank=True)
    host_key_fingerprint = models.CharField(max_length=64, null=True, blank=True)
    refused_fingerprint = models.CharField(max_length=64, null=True, blank=True)
    php_version = models.CharField(
        max_length=8, null=True, blank=True, choices=[(version, f"PHP {version}") for version in PHP_VERSIONS]
    )
    database_type = models.CharField(max_length=16, choices=DatabaseType.choices, default=DatabaseType.NONE)
    webserver = models.CharField(max_length=16, default="nginx", editable=False)
    operating_system = models.CharField(max_length=64, null=True, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True)
    monitoring_enabled = models.BooleanField(default=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[ServerQuerySet] = ServerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_server_per_name"),
            models.UniqueConstraint(fields=["organization", "ip_address", "ssh_port"], name="one_server_per_address"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="server_by_time")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("server_detail", args=[self.pk])

    @property
    def lane(self) -> str:
        """What changes the whole machine does so one after the other."""
        return f"server:{self.pk}"

    @property
    def is_ready(self) -> bool:
        """It was provisioned once and can be worked on, whatever its latest job is doing."""
        return self.provisioned_at is not None and self.status != Status.DELETING

    @property
    def needs_authorizing(self) -> bool:
        """Nobody gave a key for the first sign-in: the server's own one has to be let in by hand."""
        return self.provisioned_at is None and self.login_key is None

    @property
    def authorize_command(self) -> str:
        """The line to paste into a shell of `login_user` on the server, so that its own key may sign in."""
        return f"umask 077; mkdir -p ~/.ssh && echo '{self.public_key}' >> ~/.ssh/authorized_keys"


class Comparison(models.Model):
    """What differed from the desired configuration when it was last compared.

    `differences` is a list of `{"path", "action", "diff", "secret"}`, as `converge.Change` has them.
    """

    server = models.OneToOneField(Server, on_delete=models.CASCADE, related_name="comparison", primary_key=True)
    differences = models.JSONField(default=list)
    compared_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.server}: {len(self.differences)} differ"


class LogName(models.TextChoices):
    NGINX_ACCESS = "nginx-access", "nginx, requests"
    NGINX_ERROR = "nginx-error", "nginx, errors"
    PHP = "php", "PHP"
    AUTH = "auth", "Sign-ins"
    SYSLOG = "syslog", "System"


class LogReading(models.Model):
    """The last lines of a log of the server, redacted, as they were when it was last read."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="log_readings")
    name = models.CharField(max_length=16, choices=LogName.choices)
    text = models.TextField(blank=True)
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="one_reading_per_log")]

    def __str__(self) -> str:
        return f"{self.server}: {self.name}"
