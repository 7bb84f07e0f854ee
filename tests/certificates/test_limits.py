"""What authorities publish about how much one may ask of them, kept at four fifths under a clock of the test's own."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from certificates import limits
from certificates.accounts import account_at
from certificates.acme.directories import DIRECTORIES
from certificates.models import Account, Certificate, Issuance, IssuanceStatus
from deploynix.actor import Actor
from jobs.run import Postponed
from tests import factories

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Clock:
    def __init__(self) -> None:
        self.moment = BEGIN

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(timezone, "now", clock)
    return clock


@pytest.fixture
def account(owner: Actor) -> Account:
    return account_at(owner.organization, DIRECTORIES["letsencrypt"].url)


@pytest.fixture
def certificate(owner: Actor, account: Account) -> Certificate:
    site = factories.site(factories.server(owner.organization))
    row = factories.certificate(site, account=account)
    Issuance.objects.all().delete()
    return row


def ordered(certificate: Certificate, clock: Clock, *names: str, is_renewal: bool = False) -> Issuance:
    """Places an order as soon as the limits let it; the clock goes on to then."""
    assert certificate.account
    while True:
        try:
            limits.wait_for_order(certificate.account, names, is_renewal=is_renewal)
        except Postponed as wait:
            clock.moment = wait.until
        else:
            return Issuance.objects.create(
                certificate=certificate,
                account=certificate.account,
                names=list(names),
                chain="issued",
                status=IssuanceStatus.ISSUED,
                is_renewal=is_renewal,
                created_at=clock.moment,
            )


def most_within(moments: list[datetime], span: timedelta) -> int:
    return max(sum(begin <= moment < begin + span for moment in moments) for begin in moments)


def test_orders_of_an_account(certificate: Certificate, clock: Clock) -> None:
    made = [ordered(certificate, clock, f"d{number}.example").created_at for number in range(300)]
    assert most_within(made, 3 * HOUR) == 240
    assert made[239] == BEGIN
    assert made[240] == BEGIN + 3 * HOUR


def test_certificates_below_a_domain_but_renewals(certificate: Certificate, clock: Clock) -> None:
    made = [ordered(certificate, clock, f"s{number}.shop.co.uk").created_at for number in range(50)]
    assert most_within(made, 7 * DAY) == 40
    assert made[40] == BEGIN + 7 * DAY
    before = clock.moment
    for number in range(45):
        ordered(certificate, clock, f"s{number}.shop.co.uk", is_renewal=True)
    ordered(certificate, clock, "www.other.co.uk")
    assert clock.moment == before


def test_certificates_of_the_same_names(certificate: Certificate, clock: Clock) -> None:
    names = ("shop.example", "*.shop.example")
    made = [ordered(certificate, clock, *names, is_renewal=True).created_at for _ in range(4)]
    made += [ordered(certificate, clock, *reversed(names), is_renewal=True).created_at]
    assert made == [BEGIN] * 4 + [BEGIN + 7 * DAY]


def test_names_whose_proof_was_refused(certificate: Certificate, clock: Clock) -> None:
    for number in range(4):
        Issuance.objects.create(
            certificate=certificate,
            account=certificate.account,
            status=IssuanceStatus.FAILED,
            names=["shop.example", f"d{number}.example"],
            failed_names=["shop.example"],
            failed_at=BEGIN,
            created_at=BEGIN,
        )
    ordered(certificate, clock, "d1.example")
    assert clock.moment == BEGIN
    ordered(certificate, clock, "*.shop.example")
    assert clock.moment == BEGIN + HOUR


def test_new_accounts_of_all_organizations(clock: Clock) -> None:
    url = DIRECTORIES["letsencrypt"].url
    for number in range(8):
        known = account_at(factories.organization(f"Org {number}"), url)
        Account.objects.filter(pk=known.pk).update(url=f"https://ca.example/{number}", created_at=BEGIN)
    with pytest.raises(Postponed) as wait:
        limits.wait_for_account(account_at(factories.organization("Last"), url))
    assert wait.value.until == BEGIN + 3 * HOUR


def test_an_authority_that_publishes_none_is_asked_at_once(owner: Actor, clock: Clock) -> None:
    account = account_at(owner.organization, "https://ca.example/directory")
    certificate = factories.certificate(factories.site(factories.server(owner.organization)), account=account)
    for _ in range(20):
        ordered(certificate, clock, "shop.example")
    assert clock.moment == BEGIN
