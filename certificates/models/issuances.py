"""Each time that a certificate was ordered, or uploaded: its key, its chain, and what was put up to prove its names."""

from django.db import models
from django.utils import timezone

from certificates.models.accounts import Account
from certificates.models.certificates import Certificate
from deploynix.fields import EncryptedTextField
from deploynix.ids import IdField
from providers.models import Credential


class IssuanceStatus(models.TextChoices):
    """`ordered`: under way; `issued`: the chain is here; `superseded`: a newer one took its place on the server."""

    ORDERED = "ordered"
    ISSUED = "issued"
    FAILED = "failed"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"


class Issuance(models.Model):
    """One key with one chain. `private_key` and `chain` are PEM, the chain with the certificate itself first.

    `order_url` is the order at the CA (RFC 8555, section 7.4), so that another worker goes on with it; it is empty for
    an upload. `is_rehearsal`: ordered at the staging directory, never installed. `is_renewal`: the account had one of
    the same names before. `ari_id` names it in RFC 9773. `failed_names` are those whose proof the CA did not accept.
    """

    id = IdField()
    certificate = models.ForeignKey(Certificate, on_delete=models.CASCADE, related_name="issuances")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.RESTRICT, related_name="issuances")
    status = models.CharField(max_length=16, choices=IssuanceStatus.choices, default=IssuanceStatus.ORDERED)
    names = models.JSONField(default=list)
    is_rehearsal = models.BooleanField(default=False)
    is_renewal = models.BooleanField(default=False)
    private_key = EncryptedTextField(blank=True)
    order_url = models.CharField(max_length=500, blank=True)
    chain = models.TextField(blank=True)
    issuer = models.CharField(max_length=255, blank=True)
    serial = models.CharField(max_length=64, blank=True)
    fingerprint = models.CharField(max_length=64, blank=True)
    ari_id = models.CharField(max_length=255, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    not_after = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    failed_names = models.JSONField(default=list)
    failed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    issued_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["certificate", "-id"], name="issuance_by_certificate"),
            models.Index(fields=["account", "created_at"], name="issuance_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.certificate}, {self.created_at:%Y-%m-%d}"


class Proof(models.Model):
    """What was put up to prove one name: a TXT value in a zone, or a file on the server.

    The row is written before the value is put up and has `removed_at` once it is gone, so that whatever happens in
    between is cleaned up. `record_name` is where the value stands, after CNAMEs were followed; `zone` is its apex.
    """

    id = IdField()
    issuance = models.ForeignKey(Issuance, on_delete=models.CASCADE, related_name="proofs")
    name = models.CharField(max_length=255)
    challenge_url = models.CharField(max_length=500)
    credential = models.ForeignKey(Credential, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    zone = models.CharField(max_length=255, blank=True)
    record_name = models.CharField(max_length=255, blank=True)
    value = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issuance", "challenge_url"], name="one_proof_per_challenge")]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(removed_at__isnull=True), name="proof_standing"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.value}"
