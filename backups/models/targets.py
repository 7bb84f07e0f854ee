"""What backups and their schedules have in common: of what, to where, and for whose eyes."""

from typing import Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from backups import keys
from deploynix.actor import Actor
from organizations.models import OwnedQuerySet
from providers.models import Credential
from servers.models import Database, Server
from sites.models import Site

Row = TypeVar("Row", bound=models.Model)


class Type(models.TextChoices):
    """`application`: the files that the releases of a site share."""

    APPLICATION = "application", "Application"
    DATABASE = "database", "Database"


class Encryption(models.TextChoices):
    """For a public key, whose private half Deploynix never has. https://age-encryption.org/v1, RFC 9580."""

    NONE = "none", "None"
    AGE = "age", "age"
    OPENPGP = "openpgp", "OpenPGP"


class TargetQuerySet(OwnedQuerySet[Row]):
    def visible_to(self, actor: Actor) -> Self:
        """Those of the organization; for a token that is limited, those of the servers and sites that it sees."""
        own = super().visible_to(actor)
        if actor.resources is None:
            return own
        return own.filter(
            Q(server__in=Server.objects.visible_to(actor)) | Q(site__in=Site.objects.visible_to(actor)),
        )


class Target(models.Model):
    """Either a database or the files of a site, and the storage that it goes to.

    `recipient` is the public key, where it is encrypted: a line `age1...` or `ssh-ed25519 ...`, or an OpenPGP block.
    """

    organization = models.ForeignKey("organizations.Organization", on_delete=models.CASCADE, related_name="%(class)ss")
    type = models.CharField(max_length=16, choices=Type.choices)
    credential = models.ForeignKey(Credential, on_delete=models.RESTRICT, related_name="%(class)ss")
    encryption = models.CharField(max_length=16, choices=Encryption.choices, default=Encryption.NONE)
    recipient = models.TextField(blank=True)

    class Meta:
        abstract = True

    def clean(self) -> None:
        self.recipient = self.recipient.strip()
        if self.encryption == Encryption.NONE:
            fault = "Choose an encryption, or leave the key out." if self.recipient else ""
        elif not self.recipient:
            fault = "Give the public key that it is encrypted for."
        else:
            fault = keys.recipient_fault(self.encryption, self.recipient)
        if fault:
            raise ValidationError({"recipient": fault})


def lane_of(database: Database | None, site: Site | None) -> str:
    """What must not be dumped and restored at once."""
    if database:
        return database.lane
    return f"files:{site.pk}" if site else ""
