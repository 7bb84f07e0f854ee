"""One order at a CA, from placing it to the chain, for a job that may have been begun by another worker."""

import time
from contextlib import suppress
from functools import cached_property
from typing import Any

from acme.crypto_util import make_csr
from django.utils import timezone

from certificates import chains, limits
from certificates.accounts import forget_if_unknown, open_account
from certificates.acme.client import Acme
from certificates.acme.errors import AcmeError, error_of
from certificates.acme.keys import new_key
from certificates.acme.objects import PENDING, PROCESSING, READY, VALID, Authorization, Order
from certificates.caa import require_allowed
from certificates.models import Account, Certificate, Issuance, IssuanceStatus
from jobs.run import Run

# An order that is dead when it is looked at first is followed by another one, which is alive or a riddle.
MOST_ORDERS = 2
# Where the CA names no pause, seconds: soon at first, as most answers are there in a moment.
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# For the CA's part: looking for the proofs, and signing.
PATIENCE = 300.0
# What a CA says of an order that it no longer has (RFC 8555, section 6.7, names nothing for it).
GONE = ("malformed", "unauthorized", "notFound")


class Ordering:
    """`certificate` as a job works on it, at `account`, which for a rehearsal is another one than the certificate's."""

    def __init__(self, run: Run, certificate: Certificate, account: Account, *, is_rehearsal: bool) -> None:
        self.run = run
        self.certificate = certificate
        self.account = account
        self.is_rehearsal = is_rehearsal

    @cached_property
    def acme(self) -> Acme:
        return open_account(self.run, self.account)

    def issuance(self) -> Issuance:
        """The one that is under way, or another one. Raises Postponed."""
        return self._found() or self._begin()

    def order(self) -> Order:
        """The order as it is now, placed where there is none, and anew where the CA has given the last one up."""
        for _ in range(MOST_ORDERS):
            found = self._found()
            issuance = found or self._begin()
            order = self._read(issuance) if issuance.order_url else self._place(issuance, is_new=found is None)
            if order and order.status in (PENDING, READY, PROCESSING, VALID):
                return order
            self.give_up(issuance, "The authority has given the order up.")
        raise AcmeError(f"{self.acme.host} gives up every order at once.", "Try again later.", retryable=True)

    def pending(self, order: Order) -> list[Authorization]:
        found = [self.acme.authorization(url) for url in order.authorization_urls]
        return [each for each in found if each.status == PENDING]

    def await_authorizations(self, order: Order) -> None:
        """Until each name counts as proven. Raises AcmeError with what the CA says of one that does not."""

        def settled() -> tuple[bool, float | None]:
            found = [self.acme.authorization(url) for url in order.authorization_urls]
            self._refuse_failed(found)
            pauses = [each.retry_after for each in found if each.status == PENDING]
            return not pauses, max(filter(None, pauses), default=None)

        self._poll(settled, "to look for the proofs")

    def finalize(self, order: Order) -> Issuance:
        """Has the certificate signed, and stores it. Raises AcmeError."""
        issuance = self.issuance()
        if not issuance.private_key:
            # Before anything is signed with it: it is of no use without its key.
            self._store(issuance, private_key=new_key(self.certificate.key_type))
        if order.status == READY:
            self.acme.finalize(order, make_csr(issuance.private_key.encode(), issuance.names))
        order = self._signed(issuance)
        chain = chains.chosen(self.acme.chains(order), self.certificate.preferred_chain)
        try:
            facts = chains.facts(chain, issuance.private_key, issuance.names)
        except AcmeError as error:
            self.give_up(issuance, error.message)
            raise
        with self.run.write():
            Issuance.objects.filter(pk=issuance.pk).update(
                **facts, status=IssuanceStatus.ISSUED, issued_at=timezone.now(), error=""
            )
            # Together with it: whoever goes on with the job must not order another one.
            self.run.result(issuance=issuance.pk)
        issuance.refresh_from_db()
        return issuance

    def give_up(self, issuance: Issuance, error: str, failed_names: tuple[str, ...] = ()) -> None:
        now = timezone.now()
        self._store(issuance, status=IssuanceStatus.FAILED, error=error, failed_names=list(failed_names), failed_at=now)

    def _found(self) -> Issuance | None:
        rows = self.certificate.issuances.filter(account=self.account, status=IssuanceStatus.ORDERED)
        return rows.filter(is_rehearsal=self.is_rehearsal).order_by("-id").first()

    def _begin(self) -> Issuance:
        names = self.certificate.names
        earlier = self.certificate.issuances.filter(account=self.account).exclude(chain="")
        is_renewal = earlier.exists()
        with self.run.write():
            # Whoever counts has to wait for who counts already.
            Account.objects.select_for_update().get(pk=self.account.pk)
            limits.wait_for_order(self.account, names, is_renewal=is_renewal)
            return Issuance.objects.create(
                certificate=self.certificate,
                account=self.account,
                names=names,
                is_rehearsal=self.is_rehearsal,
                is_renewal=is_renewal,
            )

    def _place(self, issuance: Issuance, *, is_new: bool) -> Order:
        order = None if is_new else self._lost_order(issuance)
        if order is None:
            require_allowed(issuance.names, self.acme)
            self.run.line(f"Ordering {', '.join(issuance.names)} at {self.acme.host}.")
            order = self._new_order(issuance)
        self._store(issuance, order_url=order.url)
        return order

    def _new_order(self, issuance: Issuance) -> Order:
        current = None if self.is_rehearsal else self.certificate.current
        replaces = current.ari_id if current and current.account_id == self.account.pk else ""
        try:
            return self.acme.new_order(issuance.names, replaces)
        except AcmeError as error:
            forget_if_unknown(self.account, error)
            # RFC 9773, section 5: somebody has named the one before already, or the CA does not know it.
            if not replaces or error.problem not in ("alreadyReplaced", "malformed"):
                raise
        return self.acme.new_order(issuance.names)

    def _lost_order(self, issuance: Issuance) -> Order | None:
        """One that was placed by a worker who could not write its address down; None where the CA lists none."""
        rows = Issuance.objects.filter(account=self.account)
        with suppress(AcmeError):
            placed = list(self.acme.orders())
            # Only now: whoever has placed one of them had written down before that it was about to.
            if rows.filter(status=IssuanceStatus.ORDERED, order_url="").exclude(pk=issuance.pk).exists():
                return None
            known = set(rows.values_list("order_url", flat=True))
            for url in placed:
                if url in known:
                    continue
                order = self.acme.order(url)
                if order.names == frozenset(issuance.names) and order.status in (PENDING, READY):
                    return order
        return None

    def _read(self, issuance: Issuance) -> Order | None:
        """None where the CA has it no longer."""
        try:
            return self.acme.order(issuance.order_url)
        except AcmeError as error:
            forget_if_unknown(self.account, error)
            if error.problem not in GONE:
                raise
            return None

    def _signed(self, issuance: Issuance) -> Order:
        latest: list[Order] = []

        def settled() -> tuple[bool, float | None]:
            latest[:] = [self.acme.order(issuance.order_url)]
            return latest[0].status not in (PROCESSING, READY), latest[0].retry_after

        self._poll(settled, "to sign the certificate")
        [order] = latest
        if order.status != VALID:
            error = error_of(order.error, host=self.acme.host)
            self.give_up(issuance, error.message)
            raise error
        return order

    def _refuse_failed(self, found: list[Authorization]) -> None:
        # Some CAs say why a proof was not found, and leave the authorisation open for another try.
        failed = [
            each for each in found if each.status not in (PENDING, VALID) or (each.status == PENDING and each.error)
        ]
        if not failed:
            return
        errors = {each.full_name: error_of(each.error, host=self.acme.host) for each in failed}
        name, first = next(iter(errors.items()))
        if any(each.status != PENDING for each in failed):
            self.give_up(self.issuance(), first.message, tuple(each.name for each in failed))
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise AcmeError(f"{name}{more}: {first.message}", first.hint, problem=first.problem)

    def _poll(self, settled: Any, what: str) -> None:
        """Asks until it is settled, as often as the CA wants to be asked."""
        end, pause = time.monotonic() + PATIENCE, FIRST_PAUSE
        while True:
            is_settled, asked = settled()
            if is_settled:
                return
            if time.monotonic() > end:
                message = f"{self.acme.host} takes longer than {PATIENCE:.0f} s {what}."
                raise AcmeError(message, "Try again: it goes on with the same order.", retryable=True)
            self.run.stopping.wait(pause if asked is None else min(asked, PATIENCE))
            self.run.check()
            pause = min(pause * 1.5, LONGEST_PAUSE)

    def _store(self, issuance: Issuance, **values: Any) -> None:
        with self.run.write():
            Issuance.objects.filter(pk=issuance.pk).update(**values)
        for name, value in values.items():
            setattr(issuance, name, value)
