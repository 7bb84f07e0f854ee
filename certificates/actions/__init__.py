"""What can be done with certificates."""

from certificates.actions.ending import delete_certificate, revoke_certificate
from certificates.actions.issuing import issue_certificate, renew_certificate
from certificates.actions.proofs import clean_standing_proofs
from certificates.actions.renewing import ask_for_due_renewals, rehearse_due_renewals, renew_due_certificates
from certificates.actions.uploading import upload_certificate

__all__ = [
    "ask_for_due_renewals",
    "clean_standing_proofs",
    "delete_certificate",
    "issue_certificate",
    "rehearse_due_renewals",
    "renew_certificate",
    "renew_due_certificates",
    "revoke_certificate",
    "upload_certificate",
]
