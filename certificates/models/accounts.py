"""Accounts at certificate authorities."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from organizations.models import Organization, OwnedQuerySet


class Account(models.Model):
    """What an organization is at one ACME directory (RFC 8555, section 7.1.2).

    `private_key` is PEM. `url` is the account's own address, and empty until the CA has given it one. `eab_kid` and
    `eab_key` (base64url) bind it to a customer of the CA (section 7.3.4), where the CA wants that. `terms_url` is what
    was agreed to when it was registered.
    """

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="acme_accounts")
    directory_url = models.URLField(max_length=500)
    email = models.EmailField(blank=True)
    private_key = EncryptedTextField()
    url = models.CharField(max_length=500, blank=True)
    eab_kid = models.CharField(max_length=255, blank=True)
    eab_key = EncryptedTextField(blank=True)
    terms_url = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[OwnedQuerySet["Account"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "directory_url"], name="one_acme_account_per_directory")
        ]

    def __str__(self) -> str:
        return self.directory_url
