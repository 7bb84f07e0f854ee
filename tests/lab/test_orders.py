"""Certificates from Pebble and Caddy, proven in the zones of BIND and PowerDNS: orders, proofs, and what goes wrong."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from certificates import proofs
from certificates.accounts import account_at
from certificates.acme.client import Acme
from certificates.acme.directories import DIRECTORIES, Directory, Limit, Limits
from certificates.acme.keys import account_key
from certificates.models import Account, Issuance, IssuanceStatus, KeyType, Proof
from certificates.pem import names_of
from deploynix.actor import Actor
from jobs.actions import cancel_job
from jobs.models import Job, JobStep, Status
from tests.lab.authorities import BINDING, Pebble
from tests.lab.dns_servers import Resolver, Served
from tests.lab.names import Names, on_loopback
from tests.lab.orders import (
    NAMES,
    RECORD,
    certificate,
    cleaned,
    dns_credential,
    issued,
    log_of,
    ordered,
    orders_at,
    run,
    values_at,
)
from tests.lab.toyapp.kinds import OrderOnly
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
STEPS = [step.name for step in OrderOnly.steps]
SLOW = ("slow.test", "*.slow.test")
SLOW_RECORD = "_acme-challenge.slow.test"


def leaf(issuance: Issuance) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issuance.chain.encode())


def in_thread(job: Job) -> Thread:
    def work() -> None:
        run(job)
        connections.close_all()

    thread = Thread(target=work)
    thread.start()
    return thread


@pytest.fixture
def slow(names: Names) -> Names:
    """With a second server of slow.test that has heard of everything there was before."""
    names.secondary.catch_up("slow.test")
    wait_until(lambda: not values_at(names.secondary, SLOW_RECORD), 20, "the second server")
    return names


@pytest.mark.parametrize("name", ["pebble", "caddy"])
def test_a_wildcard_is_issued_and_leaves_nothing_behind(
    owner: Actor, names: Names, request: pytest.FixtureRequest, name: str
) -> None:
    authority = request.getfixturevalue(name)
    dns_credential(owner, names.bind)
    Served(names.bind).add("example.test", RECORD, "TXT", "of somebody else")
    wanted = certificate(owner, authority)
    issuance = issued(owner, wanted)
    assert set(names_of(leaf(issuance))) == set(NAMES)
    assert (issuance.status, issuance.fingerprint) == (
        IssuanceStatus.ISSUED,
        leaf(issuance).fingerprint(SHA256()).hex(),
    )
    assert values_at(names.bind) == {"of somebody else"}
    assert [proof.removed_at is not None for proof in Proof.objects.all()] == [True, True]
    again = issued(owner, wanted)
    assert again.private_key != issuance.private_key
    assert (issuance.is_renewal, again.is_renewal) == (False, True)
    assert Account.objects.exclude(url="").count() == 1


def test_a_zone_at_an_http_api_is_found_by_itself(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    dns_credential(owner, names.pdns)
    issuance = issued(owner, certificate(owner, pebble, "pdns.test", "*.pdns.test", key_type=KeyType.RSA))
    assert isinstance(leaf(issuance).public_key(), rsa.RSAPublicKey)
    assert values_at(names.pdns, "_acme-challenge.pdns.test") == set()
    assert {proof.zone for proof in issuance.proofs.all()} == {"pdns.test"}


def test_an_alias_of_the_challenge_s_name_is_followed(owner: Actor, names: Names, pebble: Pebble) -> None:
    """So that nobody has to hand out what opens the zone of the site."""
    dns_credential(owner, names.bind, zone="proofs.test")
    Served(names.bind).add("example.test", RECORD, "CNAME", "example.proofs.test.")
    issuance = issued(owner, certificate(owner, pebble))
    assert {proof.record_name for proof in issuance.proofs.all()} == {"example.proofs.test"}
    assert values_at(names.bind, "example.proofs.test") == set()


def test_every_second_nonce_is_refused(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    with Pebble(pebble.resolver, WFE_NONCEREJECT="50") as fussy:
        for _ in range(3):
            issued(owner, certificate(owner, fussy))


def test_an_account_is_bound_to_a_customer(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    with Pebble(pebble.resolver, needs_binding=True) as authority:
        wanted = certificate(owner, authority)
        job = run(ordered(owner, wanted))
        assert job.status == Status.FAILED
        assert "Enter the key id and HMAC key" in job.hint
        kid, key = BINDING
        account_at(owner.organization, authority.url, eab_kid=kid, eab_key=key)
        issued(owner, wanted)
        assert key not in log_of(job)


def test_the_chain_to_the_preferred_root_is_taken(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    with Pebble(pebble.resolver, ALTERNATE_ROOTS="2") as authority:
        wanted = certificate(owner, authority)
        first = issued(owner, wanted)
        account = Account.objects.get(url__startswith=authority.url.removesuffix("/dir"))
        acme = Acme(authority.url, account_key(account.private_key), account.url)
        chains = acme.chains(acme.order(first.order_url))
        roots = [x509.load_pem_x509_certificates(chain.encode())[-1].issuer.rfc4514_string() for chain in chains]
        assert len(set(roots)) == 3
        type(wanted).objects.filter(pk=wanted.pk).update(preferred_chain=roots[2].removeprefix("CN="))
        second = issued(owner, wanted)
        assert x509.load_pem_x509_certificates(second.chain.encode())[-1].issuer.rfc4514_string() == roots[2]


def test_what_the_authority_does_not_sign_is_said_in_its_words(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    job = run(ordered(owner, certificate(owner, pebble, "blocked.test")))
    assert job.status == Status.FAILED
    assert "policy" in job.error
    assert "choose another CA" in job.hint
    assert values_at(names.bind) == set()


def test_a_directory_on_a_private_network_is_refused(
    owner: Actor, names: Names, pebble: Pebble, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW = []
    job = run(ordered(owner, certificate(owner, pebble)))
    assert job.status == Status.FAILED
    assert "not on the public Internet" in job.error


def test_a_directory_that_nobody_vouches_for_is_not_believed(
    owner: Actor, names: Names, pebble: Pebble, settings: Settings
) -> None:
    settings.OUTBOUND_CA_BUNDLE = ""
    job = run(ordered(owner, certificate(owner, pebble)))
    assert (job.status, job.error) == (Status.FAILED, "The certificate of 127.0.0.1 is not valid for it.")


def test_a_name_server_that_knows_nothing_of_the_zone_is_named(
    owner: Actor, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "PROPAGATION_SECONDS", 1.0)
    dns_credential(owner, names.bind)
    job = run(ordered(owner, certificate(owner, pebble, "lame.test")))
    assert job.status == Status.FAILED
    assert "ns2.lame.test" in job.error
    cleaned(owner)
    assert values_at(names.bind, "_acme-challenge.lame.test") == set()


def test_a_credential_that_may_not_write_is_named(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind, key_name="reader", key_secret=names.bind.values("reader")["key_secret"])
    job = run(ordered(owner, certificate(owner, pebble)))
    assert job.status == Status.FAILED
    assert "update" in job.error.lower() or "refus" in job.error.lower()
    assert orders_at(pebble) == 1


def test_the_challenge_is_answered_once_every_name_server_shows_the_value(
    owner: Actor, slow: Names, pebble: Pebble
) -> None:
    dns_credential(owner, slow.bind)
    job = ordered(owner, certificate(owner, pebble, *SLOW))
    thread = in_thread(job)
    wait_until(lambda: "does not show the TXT value" in log_of(job), 20, "the wait")
    assert len(values_at(slow.bind, SLOW_RECORD)) == 2
    assert not JobStep.objects.filter(job=job, name="prove", status=Status.SUCCEEDED).exists()
    slow.secondary.catch_up("slow.test")
    thread.join(30)
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.SUCCEEDED, "")
    assert values_at(slow.bind, SLOW_RECORD) == set()


def test_two_for_the_same_name_at_once_keep_both_values(owner: Actor, slow: Names, pebble: Pebble) -> None:
    dns_credential(owner, slow.bind)
    jobs = [ordered(owner, certificate(owner, pebble, *SLOW)) for _ in range(2)]
    threads = [in_thread(job) for job in jobs]
    wait_until(lambda: len(values_at(slow.bind, SLOW_RECORD)) == 4, 20, "the proofs of both")
    slow.secondary.catch_up("slow.test")
    for thread in threads:
        thread.join(30)
    assert list(Job.objects.values_list("status", "error")) == [(Status.SUCCEEDED, "")] * 2
    assert values_at(slow.bind, SLOW_RECORD) == set()


@pytest.fixture
def remembering(names: Names, pebble: Pebble) -> Iterator[tuple[Pebble, Resolver]]:
    """An authority whose resolver has forgotten nothing before the end of the test, unless it is started again."""
    address = f"{names.resolver.address.rpartition('.')[0]}.10"
    resolver, authority = Resolver(address, names.root.address, remembers=60), Pebble(f"{address}:53")
    with on_loopback(address), resolver, authority:
        yield authority, resolver


def test_what_the_authority_remembers_of_another_proof_is_waited_for(
    owner: Actor, names: Names, remembering: tuple[Pebble, Resolver]
) -> None:
    dns_credential(owner, names.bind)
    authority, resolver = remembering
    wanted = certificate(owner, authority)
    assert run(ordered(owner, wanted)).status == Status.SUCCEEDED
    job = run(ordered(owner, wanted))
    assert (job.status, job.retries) == (Status.QUEUED, 0)
    assert job.run_after > timezone.now() + timedelta(minutes=4)
    assert "may still remember another proof of the same name" in log_of(job)
    resolver.stop()
    resolver.start()
    Job.objects.update(run_after=job.created_at)
    assert (run(job).status, job.error) == (Status.SUCCEEDED, "")
    assert values_at(names.bind) == set()


def test_it_is_waited_for_once(owner: Actor, names: Names, remembering: tuple[Pebble, Resolver]) -> None:
    dns_credential(owner, names.bind)
    wanted = certificate(owner, remembering[0])
    assert run(ordered(owner, wanted)).status == Status.SUCCEEDED
    job = run(ordered(owner, wanted))
    Job.objects.update(run_after=job.created_at)
    assert run(job).status == Status.FAILED
    assert "may still be remembered" in job.hint
    cleaned(owner)
    assert values_at(names.bind) == set()


def test_cancelling_removes_the_values(owner: Actor, slow: Names, pebble: Pebble) -> None:
    dns_credential(owner, slow.bind)
    job = ordered(owner, certificate(owner, pebble, *SLOW))
    thread = in_thread(job)
    wait_until(lambda: len(values_at(slow.bind, SLOW_RECORD)) == 2, 20, "the proofs")
    cancel_job(owner, job=job)
    thread.join(30)
    job.refresh_from_db()
    assert job.status == Status.CANCELLED
    cleaned(owner)
    assert values_at(slow.bind, SLOW_RECORD) == set()


def test_an_order_that_would_pass_a_limit_waits(
    owner: Actor, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns_credential(owner, names.bind)
    limits = Limits(orders=Limit(3, timedelta(hours=1)))
    monkeypatch.setitem(DIRECTORIES, "pebble", Directory("pebble", "Pebble", pebble.url, limits=limits))
    for _ in range(2):
        issued(owner, certificate(owner, pebble))
    job = run(ordered(owner, certificate(owner, pebble)))
    first = Issuance.objects.order_by("pk")[0]
    assert (job.status, job.retries, job.run_after) == (Status.QUEUED, 0, first.created_at + timedelta(hours=1))
    assert "limits orders of an account: 3 in an hour, of which Deploynix uses 2." in log_of(job)
    Issuance.objects.update(created_at=first.created_at - timedelta(hours=2))
    Job.objects.update(run_after=job.created_at)
    assert (run(job).status, job.error) == (Status.SUCCEEDED, "")


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_was_done_but_not_recorded_is_done_again(
    owner: Actor, names: Names, pebble: Pebble, step: str
) -> None:
    dns_credential(owner, names.bind)
    before = orders_at(pebble)
    job = ordered(owner, certificate(owner, pebble))
    JobStep.objects.filter(job=job, position__gt=STEPS.index(step)).update(status=Status.SUCCEEDED)
    run(job)
    # As a worker leaves it that is killed right after the step's work.
    JobStep.objects.filter(job=job, position__gte=STEPS.index(step)).update(status=Status.QUEUED)
    Job.objects.filter(pk=job.pk).update(status=Status.QUEUED)
    assert (run(job).status, job.error) == (Status.SUCCEEDED, "")
    assert orders_at(pebble) == before + 1
    assert values_at(names.bind) == set()


def test_an_order_whose_address_was_lost_is_found_again(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    before = orders_at(pebble)
    job = ordered(owner, certificate(owner, pebble))
    JobStep.objects.filter(job=job, position__gt=0).update(status=Status.SUCCEEDED)
    run(job)
    placed = Issuance.objects.get().order_url
    Issuance.objects.update(order_url="")
    JobStep.objects.filter(job=job).update(status=Status.QUEUED)
    Job.objects.filter(pk=job.pk).update(status=Status.QUEUED)
    assert run(job).status == Status.SUCCEEDED
    assert Issuance.objects.get().order_url == placed
    assert orders_at(pebble) == before + 1


def test_an_order_that_another_job_places_meanwhile_is_not_taken_for_a_lost_one(
    owner: Actor, names: Names, pebble: Pebble, monkeypatch: pytest.MonkeyPatch
) -> None:
    dns_credential(owner, names.bind)
    wanted, other = certificate(owner, pebble), certificate(owner, pebble)
    Issuance.objects.create(certificate=wanted, account=wanted.account, names=NAMES)
    read = Acme.orders

    def orders(acme: Acme) -> Iterator[str]:
        Issuance.objects.create(certificate=other, account=other.account, names=NAMES)
        acme.new_order(NAMES)
        yield from read(acme)

    monkeypatch.setattr(Acme, "orders", orders)
    job = ordered(owner, wanted)
    JobStep.objects.filter(job=job, position__gt=0).update(status=Status.SUCCEEDED)
    run(job)
    monkeypatch.undo()
    assert orders_at(pebble) == 2
    assert list(wanted.issuances.exclude(order_url="")) != []


def test_an_order_that_the_authority_has_given_up_is_placed_anew(owner: Actor, names: Names, pebble: Pebble) -> None:
    dns_credential(owner, names.bind)
    wanted = certificate(owner, pebble)
    gone = f"{pebble.url.removesuffix('/dir')}/my-order/none"
    dead = Issuance.objects.create(certificate=wanted, account=wanted.account, names=NAMES, order_url=gone)
    fresh = issued(owner, wanted)
    dead.refresh_from_db()
    assert (dead.status, fresh.status) == (IssuanceStatus.FAILED, IssuanceStatus.ISSUED)


def test_an_account_that_the_authority_has_forgotten_is_registered_anew(
    owner: Actor, names: Names, pebble: Pebble
) -> None:
    dns_credential(owner, names.bind)
    wanted = certificate(owner, pebble)
    Account.objects.update(url=f"{pebble.url.removesuffix('/dir')}/my-account/none")
    job = run(ordered(owner, wanted))
    assert job.status == Status.QUEUED
    Job.objects.update(run_after=job.created_at)
    assert (run(job).status, job.error) == (Status.SUCCEEDED, "")
