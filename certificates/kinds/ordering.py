"""Getting a certificate out of a CA: what issuing and rehearsing have in common."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.utils import timezone

from certificates import proofs
from certificates.accounts import forget_if_unknown, open_account
from certificates.acme.client import Acme
from certificates.acme.errors import AcmeError, RateLimited
from certificates.acme.objects import PENDING
from certificates.actions.proofs import clean_up_after
from certificates.memory import wait_for_forgetting
from certificates.models import Account, Certificate
from certificates.ordering import Ordering
from deploynix.errors import Conflict, Error
from jobs.kinds import JobKind, Step
from jobs.models import Job
from jobs.run import Postponed, Run
from servers.kinds.base import note_refusal


class OrderKind(JobKind):
    """Each step finds out by itself how far the order is, so that a job may be resumed at any of them."""

    queue = "provider"
    is_rehearsal = False
    order_steps = (
        Step("order", "Order the certificate"),
        Step("prove", "Put up the proofs"),
        Step("answer", "Have the names checked"),
        Step("finalise", "Have the certificate signed"),
        Step("clean", "Remove the proofs"),
    )

    def __init__(self) -> None:
        self._has_begun = False
        self._known: Ordering | None = None

    def order(self, run: Run) -> None:
        with self.ordering(run) as ordering:
            if ordering:
                ordering.order()

    def prove(self, run: Run) -> None:
        with self.ordering(run) as ordering:
            if ordering:
                self._prove(run, ordering)

    def answer(self, run: Run) -> None:
        with self.ordering(run) as ordering:
            if ordering:
                self._answer(run, ordering)

    def finalise(self, run: Run) -> None:
        with self.ordering(run) as ordering:
            if not ordering:
                return
            if ordering.order().status == PENDING:
                run.line("The authority has given the order up; it is placed again.")
                self._answer(run, ordering)
            issuance = ordering.finalize(ordering.order())
            run.line(f"{issuance.issuer} issued it, until {issuance.not_after:%-d %b %Y, %H:%M UTC}.")

    def clean(self, run: Run) -> None:
        certificate = certificate_of(run)
        proofs.take_down(run, proofs.standing(certificate))

    def acme(self, run: Run, account: Account) -> Acme:
        """Opened once in an attempt."""
        return self._known.acme if self._known else open_account(run, account)

    def account_of(self, certificate: Certificate) -> Account:
        if certificate.account is None:
            raise Conflict("This certificate comes from no authority.", "Upload another one in its place.")
        return certificate.account

    def on_begun(self, run: Run, certificate: Certificate) -> None:
        """What is to be noted when an attempt begins to deal with the authority."""

    @contextmanager
    def ordering(self, run: Run) -> Iterator[Ordering | None]:
        """None where the certificate has been issued by this job. Raises Postponed where the CA wants a pause."""
        certificate = certificate_of(run)
        if not self._has_begun:
            self._has_begun = True
            self.on_begun(run, certificate)
        if "issuance" in run.job.result:
            yield None
            return
        account = self.account_of(certificate)
        try:
            yield self._kept(run, certificate, account)
        except RateLimited as error:
            raise Postponed(timezone.now() + timedelta(seconds=error.retry_after), error.message) from error
        except AcmeError as error:
            forget_if_unknown(account, error)
            wait_for_forgetting(run, certificate, error)
            raise

    def on_failed(self, job: Job, error: Error) -> None:
        certificate = Certificate.objects.filter(pk=job.subject_id).first()
        if certificate:
            note_refusal(certificate.server_id, error)
            clean_up_after(job, certificate)

    def on_cancelled(self, job: Job) -> None:
        if certificate := Certificate.objects.filter(pk=job.subject_id).first():
            clean_up_after(job, certificate)

    def _kept(self, run: Run, certificate: Certificate, account: Account) -> Ordering:
        """One for all steps of an attempt: the directory is read, and the account opened, once."""
        if self._known is None:
            self._known = Ordering(run, certificate, account, is_rehearsal=self.is_rehearsal)
        self._known.certificate = certificate
        return self._known

    def _prove(self, run: Run, ordering: Ordering) -> None:
        order = ordering.order()
        if order.status == PENDING:
            proofs.put_up(run, ordering.issuance(), ordering.acme, ordering.pending(order))

    def _answer(self, run: Run, ordering: Ordering) -> None:
        order = ordering.order()
        if order.status != PENDING:
            return
        pending = ordering.pending(order)
        put_up = set(ordering.issuance().proofs.filter(removed_at=None).values_list("challenge_url", flat=True))
        challenges = [proofs.challenge_of(ordering.certificate, each, ordering.acme) for each in pending]
        if any(each.url not in put_up for each in challenges):
            self._prove(run, ordering)
        for challenge in challenges:
            if challenge.status == PENDING:
                ordering.acme.answer_challenge(challenge.url)
        ordering.await_authorizations(order)


def certificate_of(run: Run) -> Certificate:
    """As it is now. Raises Conflict where it has been deleted."""
    rows = Certificate.objects.select_related("organization", "account", "credential", "current", "site__server")
    certificate = rows.filter(pk=run.job.subject_id).first()
    if certificate is None:
        raise Conflict("The certificate has been deleted.", "There is nothing left to do.")
    return certificate
