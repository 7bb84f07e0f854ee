"""Databases on servers, and who may use them."""

from collections.abc import Callable
from typing import ClassVar, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

from deploynix.actor import Actor
from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from servers.models.servers import DatabaseType, Server

# Of databases that a restore fills before it puts them in the place of the real one.
SCRATCH_PREFIX = "dnx_scratch_"
# Of the roles that own PostgreSQL's databases.
OWNER_PREFIX = "dnx_owner_"
SYSTEM_DATABASES = frozenset(
    {"information_schema", "mysql", "performance_schema", "postgres", "sys", "template0", "template1"}
)
# Those of the engines, and words that mean somebody else in their languages.
SYSTEM_USERS = frozenset({"mariadb", "mysql", "none", "postgres", "public", "root"})
# PostgreSQL's limit; that of MySQL is one more.
LONGEST_NAME = 63
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128


def check_database_name(name: str) -> None:
    """Raises ValidationError for a name that no database made here may have."""
    if name.lower() in SYSTEM_DATABASES or name.lower().startswith(SCRATCH_PREFIX):
        raise ValidationError("The name is one of those that the system keeps for itself.")


def check_user_name(name: str) -> None:
    """Raises ValidationError for a name that no user made here may have."""
    if name in SYSTEM_USERS or name.startswith(("dnx_", "pg_")):
        raise ValidationError("The name is one of those that the system keeps for itself.")


def check_password(password: str) -> None:
    """Raises ValidationError for one that cannot be kept out of logs, or that a program could not send."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ValidationError(f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if not password.isprintable():
        raise ValidationError("A password must not hold line breaks or other control characters.")


class DatabaseStatus(models.TextChoices):
    """`missing`: it was there once, and the server has it no more."""

    CREATING = "creating"
    ACTIVE = "active"
    FAILED = "failed"
    DELETING = "deleting"
    MISSING = "missing"


NAME_VALIDATORS: list[Callable[[str], None]] = [
    RegexValidator(
        r"^[A-Za-z][A-Za-z0-9_-]*\Z", "Use letters, digits, underscores and dashes; the first must be a letter."
    ),
    MaxLengthValidator(LONGEST_NAME),
    check_database_name,
]


class DatabaseQuerySet(models.QuerySet["Database"]):
    def visible_to(self, actor: Actor) -> Self:
        return self.filter(server__in=Server.objects.visible_to(actor))


class Database(models.Model):
    """A database on a server, made here or found there, then under any name at all. `size` is in bytes, as it was at
    `read_at`.

    `is_claimed` says that what the server has under this name is this database. Until a job has seen that the name is
    free there, what stands under it is somebody else's, and is left alone.
    """

    id = IdField()
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="databases")
    name = models.CharField(max_length=64, validators=NAME_VALIDATORS)
    is_found = models.BooleanField(default=False)
    is_claimed = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=DatabaseStatus.choices, default=DatabaseStatus.CREATING)
    status_reason = models.TextField(blank=True)
    size = models.BigIntegerField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects: ClassVar[DatabaseQuerySet] = DatabaseQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="one_database_per_name")]
        indexes = [models.Index(fields=["server", "-id"], name="database_by_time")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("database_detail", args=[self.server_id, self.pk])

    @property
    def is_changing(self) -> bool:
        return self.status in (DatabaseStatus.CREATING, DatabaseStatus.DELETING)

    @property
    def typed_name(self) -> str:
        """The name as it can be typed into a form, to confirm what is done to it."""
        return " ".join(self.name.split())

    @property
    def lane(self) -> str:
        """Dumps, restores and changes of a database do not meet, and nothing else has to wait for them."""
        return f"database:{self.pk}"

    @property
    def owner_role(self) -> str:
        """Whom it belongs to in PostgreSQL, so that what one of its users creates belongs to all of them; empty for
        one that was found, which stays whose it is."""
        is_own = self.server.database_type == DatabaseType.POSTGRESQL and not self.is_found
        return f"{OWNER_PREFIX}{self.pk.lower()}" if is_own else ""


class Privileges(models.TextChoices):
    ALL = "all", "Everything"
    READ_ONLY = "read_only", "Reading only"


class DatabaseUser(models.Model):
    """A login of a server's databases, from that server itself, with `is_claimed` as a database has it. `password` is
    kept only until the server knows it."""

    id = IdField()
    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="database_users")
    name = models.CharField(
        max_length=32,
        validators=[
            RegexValidator(
                r"^[a-z_][a-z0-9_]*\Z", "Use small letters, digits and underscores; the first must be no digit."
            ),
            check_user_name,
        ],
    )
    is_claimed = models.BooleanField(default=False)
    password = EncryptedTextField(null=True, blank=True, editable=False, validators=[check_password])
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["server", "name"], name="one_database_user_per_name")]

    def __str__(self) -> str:
        return self.name


class GrantStatus(models.TextChoices):
    """`pending`: the server does not know it yet; `failed`: the job that was to tell it has failed."""

    PENDING = "pending"
    ACTIVE = "active"
    FAILED = "failed"
    REMOVING = "removing"


class Grant(models.Model):
    """What a user may do in a database."""

    database = models.ForeignKey(Database, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(DatabaseUser, on_delete=models.CASCADE, related_name="grants")
    privileges = models.CharField(max_length=16, choices=Privileges.choices, default=Privileges.ALL)
    status = models.CharField(max_length=16, choices=GrantStatus.choices, default=GrantStatus.PENDING)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["database", "user"], name="one_grant_per_database_user")]

    def __str__(self) -> str:
        return f"{self.user} in {self.database}: {self.privileges}"
