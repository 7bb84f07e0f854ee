"""Proofs of names: put up where the CA looks for them, and taken away by their value, whatever else stands there.

A row is written before the value is put up, and has `removed_at` once it is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from certificates.acme.client import Acme
from certificates.acme.errors import AcmeError
from certificates.acme.keys import dns_value, key_authorization
from certificates.acme.objects import Authorization, Challenge
from certificates.challenge_files import put_challenge_file, remove_challenge_file
from certificates.models import Certificate, Issuance, Proof
from certificates.models import Challenge as Kind
from deploynix.errors import Error
from domains import lookup, zones
from jobs.run import Run, TakenOver
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import NotFound
from providers.models import Credential
from sites import remote
from sites.models import Site

LABEL = "_acme-challenge"
# Some providers publish what was changed once in a few minutes.
PROPAGATION_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where TXT values that prove a name stand."""

    credential: Credential
    zone: Zone
    record_name: str

    @property
    def adapter(self) -> DnsProvider:
        return zones.adapter_of(self.credential)


def challenge_of(certificate: Certificate, authorization: Authorization, acme: Acme) -> Challenge:
    """Raises AcmeError where the CA does not offer the certificate's way for this name."""
    found = authorization.challenge(certificate.challenge)
    if found is None:
        offered = ", ".join(sorted(each.type for each in authorization.challenges))
        raise AcmeError(
            f"{acme.host} does not take {certificate.challenge} for {authorization.full_name}, but {offered}.",
            "Issue another certificate, with a challenge that it takes.",
        )
    return found


def put_up(run: Run, issuance: Issuance, acme: Acme, pending: Iterable[Authorization]) -> None:
    """The proofs of all that is pending; returns once they can be seen. Safe to run again.

    Raises Error: AcmeError, ProviderError, and those of `domains.lookup` and of SSH.
    """
    certificate = issuance.certificate
    challenges = [(each, challenge_of(certificate, each, acme)) for each in pending]
    if certificate.challenge == Kind.DNS:
        _put_up_values(run, issuance, acme, challenges)
    else:
        _put_up_files(run, issuance, acme, challenges)


def take_down(run: Run, proofs: Iterable[Proof]) -> None:
    """Each by its value. Raises Error for the first one that could not be, after all were tried."""
    failure: Error | None = None
    for proof in proofs:
        try:
            _take_down(run, proof)
        except Error as error:
            run.line(f"The proof of {proof.name} could not be removed: {error.message} {error.hint}")
            failure = error
        else:
            with run.write():
                Proof.objects.filter(pk=proof.pk).update(removed_at=timezone.now())
    if failure:
        raise failure


def standing(certificate: Certificate) -> list[Proof]:
    rows = Proof.objects.filter(issuance__certificate=certificate, removed_at=None)
    return list(rows.select_related("credential", "issuance__certificate__site__server").order_by("pk"))


def _put_up_values(run: Run, issuance: Issuance, acme: Acme, challenges: list[tuple[Authorization, Challenge]]) -> None:
    places = {
        name: _place_of(run, issuance.certificate, name) for name in sorted({each.name for each, _ in challenges})
    }
    wanted: dict[str, set[str]] = {}
    for authorization, challenge in challenges:
        place, value = places[authorization.name], dns_value(challenge.token, acme.key)
        proof = _write(run, issuance, authorization, challenge, value, place)
        _put_up_value(run, proof, place)
        wanted.setdefault(place.record_name, set()).add(value)
        run.line(f"{place.record_name} has the proof of {authorization.full_name}, by {place.credential}.")
    lookup.wait_until_seen(
        wanted, seconds=PROPAGATION_SECONDS, should_stop=run.stopping.is_set, said=lambda text: run.line(text)
    )
    run.line("All name servers show it." if wanted else "Every name is proven already.")


def _put_up_value(run: Run, proof: Proof, place: Place) -> None:
    with zones.writing(run, place.credential, place.zone):
        place.adapter.ensure_record(place.zone, place.record_name, "TXT", proof.value)
    try:
        run.check()
    except TakenOver:
        # Whoever has the job now may be through with it, and has removed what was not there yet.
        if not Proof.objects.filter(pk=proof.pk, removed_at=None).exists():
            place.adapter.remove_record(place.zone, place.record_name, "TXT", proof.value)
        raise


def _place_of(run: Run, certificate: Certificate, name: str) -> Place:
    """Where `_acme-challenge` of the name ends: an alias (CNAME) of it may lead to a zone that is for this alone."""
    record_name = lookup.follow_cname(f"{LABEL}.{name}")
    if record_name != f"{LABEL}.{name}":
        run.line(f"{LABEL}.{name} is an alias of {record_name}.")
    if certificate.credential:
        zone = zones.adapter_of(certificate.credential).find_zone(record_name)
        return Place(certificate.credential, zone, record_name)
    credential, zone = zones.credential_for(certificate.organization, record_name)
    return Place(credential, zone, record_name)


def _put_up_files(run: Run, issuance: Issuance, acme: Acme, challenges: list[tuple[Authorization, Challenge]]) -> None:
    site = Site.objects.select_related("server").get(pk=issuance.certificate.site_id)
    if challenges:
        remote.configure(run, site)
    for authorization, challenge in challenges:
        _write(run, issuance, authorization, challenge, challenge.token)
        text = key_authorization(challenge.token, acme.key)
        put_challenge_file(site, name=authorization.name, token=challenge.token, authorization=text)
        run.line(f"{site.server} has the proof of {authorization.name}.")
        run.check()


def _write(
    run: Run,
    issuance: Issuance,
    authorization: Authorization,
    challenge: Challenge,
    value: str,
    place: Place | None = None,
) -> Proof:
    where = {"credential": place.credential, "zone": place.zone.name, "record_name": place.record_name} if place else {}
    with run.write():
        proof, _ = Proof.objects.update_or_create(
            issuance=issuance,
            challenge_url=challenge.url,
            defaults={"name": authorization.full_name, "value": value, "removed_at": None, **where},
        )
    return proof


def _take_down(run: Run, proof: Proof) -> None:
    certificate = proof.issuance.certificate
    if not proof.record_name:
        remove_challenge_file(certificate.site, token=proof.value)
        return
    if proof.credential is None:
        run.line(f"The credential of {proof.zone} was removed. Remove the TXT value of {proof.record_name} by hand.")
        return
    adapter = zones.adapter_of(proof.credential)
    try:
        zone = adapter.find_zone(proof.record_name)
    except NotFound:
        run.line(f"{proof.credential} has no zone {proof.zone} any more, and so nothing to remove.")
        return
    with zones.writing(run, proof.credential, zone):
        adapter.remove_record(zone, proof.record_name, "TXT", proof.value)
