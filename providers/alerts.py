"""Warnings about credentials, by mail: a team is to hear of it before a deployment or a certificate fails."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import OuterRef, QuerySet
from django.utils import timezone

from jobs.warnings import MOST_A_RUN, SLACK, TIME, enqueue_warning, expiring, expiry_kind, expiry_title
from providers.base import Verdict
from providers.models import Credential, CredentialAlert, Status
from providers.uses import spoken, uses_of

# 0 is the end itself.
DAYS_BEFORE_EXPIRY = (0, 1, 7)
EARLINESS = {expiry_kind(days): timedelta(days=days) for days in DAYS_BEFORE_EXPIRY}
# What goes on after the name of a credential that was in order before.
TURNED = {Status.LIMITED: "may no longer do all that is needed", Status.INVALID: "is no longer accepted"}
REPLACE = (
    "Make a new {0} at {1}, as the page of the credential tells, and replace the secret there. "
    "Whatever uses the credential goes on with the new one."
)
GRANT = "Allow the {0} at {1} what is missing, and check the credential on its page; or replace the secret there."


def warn_of_expiry() -> None:
    """Of credentials that soon open nothing any more, and of those that just ceased to."""
    for days in DAYS_BEFORE_EXPIRY:
        for credential in _expiring(days).select_related("organization")[:MOST_A_RUN]:
            _warn_of_end(credential, days)


def warn_of_status(credential: Credential) -> None:
    """Of one that was in order until the provider said otherwise just now; call it in a transaction."""
    if credential.last_ok_at is None or credential.status not in TURNED:
        return
    if credential.has_expired:
        _warn_of_end(credential, 0)
        return
    _warn(
        credential,
        kind=credential.status,
        subject=credential.last_ok_at.isoformat(),
        title=TURNED[Status(credential.status)],
        lines=[*_faults(credential), f"It was in order on {credential.last_ok_at.strftime(TIME)}"],
    )


def is_current(credential: Credential, kind: str) -> bool:
    """Whether what is to be warned of is still so: the secret may have been replaced."""
    if kind in TURNED:
        return credential.last_ok_at is not None and credential.status != Status.OK
    ends = credential.expires_at
    return ends is not None and ends - EARLINESS[kind] - SLACK <= timezone.now()


def _expiring(days: int) -> QuerySet[Credential]:
    told = CredentialAlert.objects.filter(credential=OuterRef("pk"))
    # That one is invalid has been told already.
    return expiring(Credential.objects.exclude(status=Status.INVALID), told, days, DAYS_BEFORE_EXPIRY)


def _warn_of_end(credential: Credential, days: int) -> None:
    assert credential.expires_at is not None  # noqa: S101 -- that is what was asked for
    _warn(
        credential,
        kind=expiry_kind(days),
        subject=credential.expires_at.isoformat(),
        title=expiry_title(days),
        lines=[f"What needs it fails from {credential.expires_at.strftime(TIME)} on"],
    )


@transaction.atomic
def _warn(credential: Credential, *, kind: str, subject: str, title: str, lines: Sequence[str]) -> None:
    """Mails its people, unless they were warned of this `subject` before."""
    _, is_new = CredentialAlert.objects.get_or_create(credential=credential, kind=kind, subject=subject)
    if not is_new:
        return
    provider = credential.declaration
    used_by = spoken(uses_of(credential))
    enqueue_warning(
        credential,
        job="warn_of_credential",
        label="Mail a warning about a credential",
        kind=kind,
        title=f"{provider.label} credential {credential} {title}",
        lines=[*lines, f"It is used by {used_by}" if used_by else "Nothing uses it yet"],
        about=f"a credential under Settings > {credential.get_kind_display()} Providers",
        advice=(GRANT if kind == Status.LIMITED else REPLACE).format(provider.credential, provider.label),
        page=credential.get_absolute_url(),
    )


def _faults(credential: Credential) -> list[str]:
    needed = credential.declaration.needed()
    denied = [
        f"{row['label']}: denied. {row['fix']}".rstrip(" .")
        for row in credential.findings
        if row["verdict"] == Verdict.DENIED and row["permission"] in needed
    ]
    return denied or [credential.status_reason.rstrip(".")]
