"""ACME accounts, certificates, and each time that one was issued."""

from certificates.models.accounts import Account
from certificates.models.certificates import (
    Certificate,
    CertificateQuerySet,
    Challenge,
    KeyType,
    Reason,
    Source,
    Status,
    uses_of_dns_credential,
)
from certificates.models.issuances import Issuance, IssuanceStatus, Proof

__all__ = [
    "Account",
    "Certificate",
    "CertificateQuerySet",
    "Challenge",
    "Issuance",
    "IssuanceStatus",
    "KeyType",
    "Proof",
    "Reason",
    "Source",
    "Status",
    "uses_of_dns_credential",
]
