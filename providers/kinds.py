"""Jobs about credentials: asking a provider what one may do, and warning of what was found."""

from typing import Any

from django.utils import timezone

from deploynix.errors import Conflict, Error
from deploynix.redact import Redactor, secrets_of
from jobs.kinds import JobKind, Step, register
from jobs.models import Job
from jobs.run import Run
from jobs.warnings import WarningKind
from organizations.models import admin_addresses_of
from providers.actions import VERIFY, open_checks
from providers.alerts import is_current, warn_of_status
from providers.base import Findings, PermissionCheck, Provider, Verdict
from providers.errors import InvalidCredential, MissingPermission
from providers.models import Credential, Status


@register
class VerifyCredential(JobKind):
    name = VERIFY
    ability = "provider:update"
    queue = "provider"
    is_routine = True
    steps = (Step("verify", "Ask the provider"),)

    def verify(self, run: Run) -> None:
        credential = Credential.objects.defer(None).filter(pk=run.job.subject_id).first()
        if credential is None:
            raise Conflict("The credential has been removed.")
        found = findings_of(run, credential)
        for check in found["findings"]:
            run.line(f"{check['label']}: {check['verdict']}. {check['evidence']} {check['fix']}".rstrip())
        with run.write():
            if not is_overtaken(run.job):
                keep(credential, found)

    def on_failed(self, job: Job, error: Error) -> None:
        if is_overtaken(job):
            return
        reason = Redactor(secrets_of(job.organization_id)).redact(said(error))
        Credential.objects.filter(pk=job.subject_id).update(
            status=Status.UNREACHABLE, status_reason=reason, checked_at=timezone.now()
        )


def is_overtaken(job: Job) -> bool:
    """Another check waits: what this one has found may be about values that have been replaced since."""
    return any(row["id"] != job.pk for row in open_checks.rows(credential=job.subject_id))


def keep(credential: Credential, found: dict[str, Any]) -> None:
    now, rows = timezone.now(), Credential.objects.filter(pk=credential.pk)
    if found["status"] == Status.OK:
        rows.update(**found, last_ok_at=now, checked_at=now)
        return
    rows.update(**found, checked_at=now)
    if row := rows.select_related("organization").first():
        warn_of_status(row)


def findings_of(run: Run, credential: Credential) -> dict[str, Any]:
    """What the row will say. Raises what is not the credential's fault."""
    declaration = credential.declaration
    try:
        found = credential.adapter.verify()
    except InvalidCredential as error:
        run.line(said(error))
        return {"status": Status.INVALID, "status_reason": run.redact(said(error)), "findings": [], "account": ""}
    except MissingPermission as error:
        found = Findings((PermissionCheck(error.permission, Verdict.DENIED, error.message, error.hint),))
    return {
        "status": status_of(declaration, found),
        "status_reason": "",
        "findings": [row_of(run, declaration, check) for check in found.checks],
        "account": run.redact(found.account)[:255],
        "expires_at": found.expires_at,
    }


def status_of(declaration: type[Provider], found: Findings) -> Status:
    denied = {check.permission for check in found.checks if check.verdict == Verdict.DENIED}
    return Status.LIMITED if declaration.needed() & denied else Status.OK


def row_of(run: Run, declaration: type[Provider], check: PermissionCheck) -> dict[str, str]:
    labels = {permission.key: permission.label for permission in declaration.permissions}
    return {
        "permission": check.permission,
        "label": labels.get(check.permission, check.permission),
        "verdict": check.verdict,
        "evidence": run.redact(check.evidence),
        "fix": run.redact(check.fix),
    }


def said(error: Error) -> str:
    return f"{error.message} {error.hint}".strip()


@register
class WarnOfCredential(WarningKind):
    name = "warn_of_credential"

    def recipients(self, job: Job) -> list[str]:
        credential = Credential.objects.select_related("organization").filter(pk=job.subject_id).first()
        if credential is None or not is_current(credential, job.params["kind"]):
            return []
        return admin_addresses_of(credential.organization)
