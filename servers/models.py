"""Servers: machines that are reached over SSH and whose configuration is a function of these tables."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone

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
    pass


class Server(models.Model):
    """A Debian or Ubuntu machine. `ssh_user` signs in once it is provisioned, `login_user` the first time.

    `private_key` is the server's own ed25519 key; `login_key` a key that the user gave for the first sign-in, removed
    after provisioning. `host_key` is pinned at first contact; a change is refused until somebody accepts it.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="servers")
    name = models.CharField(
        max_length=64,
        validators=[RegexValidator(r"^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$", "Use letters, digits, dots and dashes.")],
    )
    provider = models.CharField(max_length=32, choices=Provider.choices, default=Provider.CUSTOM)
    region = models.CharField(max_length=64, blank=True)
    size = models.CharField(max_length=64, blank=True)
    ip_address = models.GenericIPAddressField()
    ssh_port = models.PositiveIntegerField(
        default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    login_user = models.CharField(
        max_length=32, default="root", validators=[RegexValidator(r"^[a-z_][a-z0-9_-]*$", "This is no Linux user name.")]
    )
    ssh_user = models.CharField(max_length=32, default=MANAGED_USER, editable=False)
    private_key = EncryptedTextField()
    public_key = models.TextField()
    login_key = EncryptedTextField(null=True)
    host_key = models.TextField(blank=True)
    php_version = models.CharField(
        max_length=8, blank=True, default="8.2", choices=[(version, f"PHP {version}") for version in PHP_VERSIONS]
    )
    database_type = models.CharField(max_length=16, choices=DatabaseType.choices, default=DatabaseType.NONE)
    webserver = models.CharField(max_length=16, default="nginx", editable=False)
    operating_system = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    status_reason = models.TextField(blank=True)
    monitoring_enabled = models.BooleanField(default=True)
    provisioned_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[ServerQuerySet] = ServerQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_server_per_name"),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="server_by_time")]

    def __str__(self) -> str:
        return self.name
