"""Connecting providers, verifying what their credentials may do, and disconnecting them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, RestrictedError
from django.utils import timezone

from audit.log import Changes, changed, record
from deploynix.actor import Actor, system_actor
from deploynix.errors import Conflict, Invalid
from deploynix.prepared import Prepared
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from providers import values as fields
from providers.base import Kind, Provider
from providers.models import Credential, Status
from providers.registry import provider_of
from providers.uses import spoken, uses_of

VERIFY = "verify_credential"
CHECK_EVERY = timedelta(days=1)
# Of those that are due, so many are checked at a time: an install may have thousands.
BATCH = 50
# Those of one credential that wait or run.
open_checks = Prepared(
    lambda credential: Job.objects.open().filter(kind=VERIFY, subject_id=credential).values("id", "status")
)
_NOTHING_FOUND: dict[str, Any] = {
    "status": Status.UNCHECKED,
    "status_reason": "",
    "findings": [],
    "account": "",
    "checked_at": None,
    "expires_at": None,
    "last_ok_at": None,
}


@transaction.atomic
def create_credential(
    actor: Actor, *, kind: str, provider: str, name: str, values: Mapping[str, str] | None = None, text: str = ""
) -> Credential:
    """Connects a provider and queues the verification. `text` is the credential as one string, in the place of, or
    besides, `values` by field.

    Raises Denied, Invalid (naming `values.<field>`, or `credential` for the text) and ValidationError.
    """
    actor.require_unlimited("provider:create")
    declaration = _declaration(kind, provider)
    given = {**(fields.parse(declaration, text) if text else {}), **(values or {})}
    settings, secrets = fields.divide(declaration, fields.complete(declaration, given))
    credential = Credential(
        organization=actor.organization, kind=kind, provider=provider, name=name.strip(), settings=settings
    )
    credential.seal(secrets)
    _save(credential)
    record(actor, "credential.created", credential, changed({}, {"provider": provider, **settings}))
    _enqueue_check(actor, credential)
    return credential


@transaction.atomic
def update_credential(
    actor: Actor,
    *,
    credential: Credential,
    name: str | None = None,
    values: Mapping[str, str] | None = None,
    text: str = "",
) -> Credential:
    """Changes what is given; a secret that is given empty is kept. What changes a field is verified again.

    Raises as `create_credential`, and Unopenable.
    """
    actor.require_unlimited("provider:update")
    credential = _locked(credential)
    given = {**(fields.parse(credential.declaration, text) if text else {}), **(values or {})}
    changes = changed({"name": credential.name}, {"name": credential.name if name is None else name.strip()})
    if name is not None:
        credential.name = name.strip()
    if given:
        changes |= _change_values(credential, given)
    _save(credential)
    if changes:
        record(actor, "credential.updated", credential, changes)
    if changes.keys() - {"name"}:
        _enqueue_check(actor, credential)
    return credential


@transaction.atomic
def replace_secret(actor: Actor, *, credential: Credential, values: Mapping[str, str]) -> Credential:
    """Puts new secrets, and what changes with them, in the place of the old ones, which need not open any more.
    Whatever uses the credential goes on with the new ones. Raises Denied and Invalid, naming `values.<field>`."""
    actor.require_unlimited("provider:update")
    credential = _locked(credential)
    declaration = credential.declaration
    replaced = fields.replaced_names(declaration)
    given = {name: value for name, value in values.items() if name in replaced}
    complete = fields.complete(declaration, {**credential.settings, **given})
    settings, secrets = fields.divide(declaration, complete)
    changes = changed(credential.settings, settings)
    credential.settings = settings
    credential.seal(secrets)
    _forget_findings(credential)
    credential.save()
    record(actor, "credential.secret-replaced", credential, changes)
    _enqueue_check(actor, credential)
    return credential


@transaction.atomic
def delete_credential(actor: Actor, *, credential: Credential) -> None:
    """Forgets the credential; at the provider it stays. Raises Denied, and Conflict naming what uses it."""
    actor.require_unlimited("provider:delete")
    credential = _locked(credential)
    _require_unused(credential)
    record(actor, "credential.deleted", credential)
    try:
        with transaction.atomic():
            credential.delete()
    except RestrictedError as error:
        raise Conflict(f"{credential} has just been taken into use.", "Look again what uses it.") from error


@transaction.atomic
def verify_credential(actor: Actor, *, credential: Credential) -> Job:
    """Queues the verification of each permission, or finds the one that waits. Raises Denied."""
    actor.require_unlimited("provider:update")
    job = _enqueue_check(actor, _locked(credential))
    record(actor, "credential.checked", credential)
    return job


def verify_due_credentials() -> int:
    """Queues the verification of those that nobody has looked at for a day, the longest ago first; how many."""
    latest = timezone.now() - CHECK_EVERY
    due = Credential.objects.filter(Q(checked_at=None, created_at__lte=latest) | Q(checked_at__lte=latest))
    open_jobs = Job.objects.open().filter(kind=VERIFY).values("subject_id")
    batch = list(due.exclude(pk__in=open_jobs).select_related("organization").order_by("checked_at", "pk")[:BATCH])
    for credential in batch:
        with transaction.atomic():
            _enqueue_check(system_actor(credential.organization), credential)
    return len(batch)


def open_check(credential: Credential) -> Job | None:
    """The verification that waits or runs."""
    return Job.objects.open().about(credential).filter(kind=VERIFY).order_by("-id").first()


def _enqueue_check(actor: Actor, credential: Credential) -> Job:
    # One that has begun may have read the values of before.
    for row in open_checks.rows(credential=credential.pk):
        if row["status"] == JobStatus.QUEUED:
            return Job.objects.get(pk=row["id"])
    return enqueue_job(actor, kind=VERIFY, subject=credential, label=f"Check {credential}", lane=credential.lane)


def _declaration(kind: str, provider: str) -> type[Provider]:
    if kind not in set(Kind):
        raise Invalid({"kind": ["The selected kind is invalid."]})
    try:
        return provider_of(Kind(kind), provider)
    except LookupError:
        raise Invalid({"provider": ["The selected provider is invalid."]}) from None


def _change_values(credential: Credential, given: Mapping[str, str]) -> Changes:
    """Sets what is given; what the audit log may say about it."""
    declaration, before = credential.declaration, credential.values
    after = fields.complete(declaration, given, before)
    if after == before:
        return {}
    settings, secrets = fields.divide(declaration, after)
    replaced = sorted(name for name in secrets if secrets[name] != before.get(name))
    changes = changed(credential.settings, {**dict.fromkeys(credential.settings), **settings})
    credential.settings = settings
    credential.seal(secrets)
    _forget_findings(credential)
    return changes | ({"secrets": [None, replaced]} if replaced else {})


def _forget_findings(credential: Credential) -> None:
    for name, value in _NOTHING_FOUND.items():
        setattr(credential, name, value)


def _require_unused(credential: Credential) -> None:
    if uses := uses_of(credential):
        raise Conflict(
            f"{credential} is used by {spoken(uses)}.", "Give them another credential first, or remove them."
        )


def _locked(credential: Credential) -> Credential:
    return Credential.objects.select_for_update().get(pk=credential.pk)


def _save(credential: Credential) -> None:
    credential.full_clean(exclude=["sealed"], validate_unique=False, validate_constraints=False)
    _check_name(credential)
    try:
        with transaction.atomic():
            credential.save()
    except IntegrityError as error:
        # Another request has just taken the name.
        _check_name(credential)
        raise Conflict(f"{credential} could not be saved.", "Try again.") from error


def _check_name(credential: Credential) -> None:
    others = Credential.objects.filter(
        organization=credential.organization_id, kind=credential.kind, name=credential.name
    )
    if others.exclude(pk=credential.pk).exists():
        raise Invalid({"name": ["The name has already been taken."]})
