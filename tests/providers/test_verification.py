"""What a verification leaves behind, whatever the provider answers."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from deploynix import redact
from deploynix.actor import Actor
from jobs.models import Job, JobLog
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers import actions, kinds
from providers.errors import Unavailable
from providers.kinds import VerifyCredential
from providers.models import Credential, Status
from tests.contract.dns import cloudflare
from tests.contract.state import DnsState
from tests.contract.vendor import standing_in
from tests.providers.asking import connect

pytestmark = pytest.mark.django_db


def log() -> str:
    return "".join(JobLog.objects.order_by("pk").values_list("text", flat=True))


@pytest.mark.parametrize(
    ("token", "status"), [("good-token", Status.OK), ("excess-token", Status.OK), ("limited-token", Status.LIMITED)]
)
def test_findings_are_kept_with_their_evidence_and_fix(checked: Any, token: str, status: Status) -> None:
    credential = checked(token)
    assert (credential.status, credential.status_reason, credential.account) == (status, "", "ops@nimbus.test")
    assert credential.expires_at.year == 2031
    assert credential.checked_at <= timezone.now()
    by_name = {found["permission"]: found for found in credential.findings}
    verdict = {"limited-token": "denied"}.get(token, "granted")
    assert by_name["images"] == {
        "permission": "images",
        "label": "Images: read",
        "verdict": verdict,
        "evidence": "GET /images: 403",
        "fix": "Give the API Token the permission Images: read.",
    }
    assert by_name["servers"]["verdict"] == ("excess" if token == "excess-token" else "granted")
    assert by_name["servers"]["evidence"] == "POST /servers with [redacted]: 422"
    assert f"Images: read: {verdict}." in log()
    assert token not in log()


def test_a_credential_that_the_provider_does_not_know_is_invalid(checked: Any) -> None:
    credential = checked("invalid-token")
    assert credential.status == Status.INVALID
    assert credential.status_reason == "Nimbus answered 401 to [redacted]. Make a new API Token."
    assert Job.objects.get().status == JobStatus.SUCCEEDED


def test_a_permission_that_is_missing_for_the_probe_itself_is_a_finding(checked: Any) -> None:
    credential = checked("locked-token")
    assert credential.status == Status.LIMITED
    assert [(found["label"], found["verdict"]) for found in credential.findings] == [("Servers: write", "denied")]


@pytest.mark.parametrize("token", ["down-token", "busy-token"])
def test_a_provider_that_does_not_answer_is_asked_again_before_it_counts_as_unreachable(
    owner: Actor, token: str
) -> None:
    credential = connect(owner, values={"api_token": token})
    job = actions.open_check(credential)
    assert job
    run_job(job.pk)
    assert Credential.objects.get().status == Status.UNCHECKED
    for _ in range(2):
        Job.objects.update(run_after=timezone.now())
        run_job(job.pk)
    credential = Credential.objects.get()
    assert credential.status == Status.UNREACHABLE
    assert credential.status_reason
    assert token not in credential.status_reason
    assert Job.objects.get().status == JobStatus.FAILED


def test_what_was_found_before_stays_while_the_provider_cannot_be_reached(owner: Actor, checked: Any) -> None:
    credential = checked("good-token")
    job = actions.verify_credential(owner, credential=credential)
    VerifyCredential().on_failed(job, Unavailable("Nimbus answered 503."))
    credential = Credential.objects.get()
    assert (credential.status, len(credential.findings)) == (Status.UNREACHABLE, 3)


def test_a_check_costs_few_queries(
    owner: Actor,
    credential: Credential,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    monkeypatch.setattr(redact, "_sources", [])
    job = actions.open_check(credential)
    assert job
    # Taking and ending the job: 9, with their savepoints. Its step: 14. The credential, and what was found: 6.
    with django_assert_num_queries(9 + 14 + 6):
        run_job(job.pk)


def test_asking_twice_is_one_check(owner: Actor, credential: Credential) -> None:
    first = actions.verify_credential(owner, credential=credential)
    assert actions.verify_credential(owner, credential=credential) == first
    Job.objects.update(status=JobStatus.RUNNING)
    assert actions.verify_credential(owner, credential=credential) != first


def test_a_credential_that_was_removed_meanwhile_ends_its_job(owner: Actor, credential: Credential) -> None:
    job = actions.open_check(credential)
    assert job
    actions.delete_credential(owner, credential=credential)
    run_job(job.pk)
    assert Job.objects.get().status == JobStatus.FAILED


def test_a_real_adapter_against_its_vendor(owner: Actor) -> None:
    state = DnsState()
    credential = connect(owner, kind="dns", provider="cloudflare", values=cloudflare.VALUES)
    job = actions.open_check(credential)
    assert job
    with standing_in(*cloudflare.vendors(state)):
        run_job(job.pk)
    credential = Credential.objects.get()
    assert credential.status == Status.OK
    assert {found["verdict"] for found in credential.findings} == {"granted"}


def test_a_secret_that_is_replaced_during_its_check_is_not_judged_by_it(
    owner: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check of the new secret waits behind that of the old one, which must not speak for it."""
    credential = connect(owner, values={"api_token": "invalid-token"})
    verify = VerifyCredential.verify

    def replaced_meanwhile(kind: VerifyCredential, run: Any) -> None:
        real = kinds.findings_of

        def slow(*given: Any) -> dict[str, Any]:
            found = real(*given)
            actions.replace_secret(owner, credential=credential, values={"api_token": "good-token"})
            return found

        with monkeypatch.context() as patched:
            patched.setattr(kinds, "findings_of", slow)
            verify(kind, run)

    monkeypatch.setattr(VerifyCredential, "verify", replaced_meanwhile)
    run_job(Job.objects.get().pk)
    credential.refresh_from_db()
    assert (credential.status, credential.checked_at) == (Status.UNCHECKED, None)
    monkeypatch.setattr(VerifyCredential, "verify", verify)
    run_job(Job.objects.open().get().pk)
    credential.refresh_from_db()
    assert credential.status == Status.OK
