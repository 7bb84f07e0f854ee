"""The zones that an organization's DNS credentials hold, and writing to them one after the other."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from hashlib import sha256
from typing import cast

from deploynix.errors import Error
from domains.lookup.wire import at_once, require_live
from jobs.run import Run
from jobs.turns import turn
from organizations.models import Organization
from providers.base import Kind
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import NotFound, Unavailable
from providers.models import Credential, Status

Failures = Sequence[tuple[Credential, Error]]


def adapter_of(credential: Credential) -> DnsProvider:
    """Raises Unopenable."""
    return cast(DnsProvider, credential.adapter)


def credential_for(organization: Organization, name: str) -> tuple[Credential, Zone]:
    """The DNS credential that holds the zone of the name: the one with the longest apex, and of several such ones
    rather one that was found to be in order. All are asked at once; one that fails hides no other.

    Raises NotFound where none holds it, Unavailable where one that failed may answer a little later, and Refused in a
    dry run.
    """
    require_live(name)
    rows = Credential.objects.defer(None).filter(organization=organization, kind=Kind.DNS)
    credentials = list(rows.order_by("name"))
    answers = zip(credentials, at_once([_question(row, name) for row in credentials]), strict=True)
    found, failures = [], []
    for credential, answer in answers:
        if isinstance(answer, Zone):
            found.append((credential, answer))
        elif not isinstance(answer, NotFound):
            failures.append((credential, answer))
    if not found:
        raise _nothing(name, failures, is_connected=bool(credentials))
    return max(found, key=lambda pair: (len(pair[1].name), pair[0].status == Status.OK))


def writing(run: Run, credential: Credential, zone: Zone) -> AbstractContextManager[None]:
    """Inside, nobody else writes to the zone, where the provider keeps only what the last writer sent.

    Not to be entered inside a transaction. Raises as `jobs.turns.turn`.
    """
    if not adapter_of(credential).last_writer_wins:
        return nullcontext()
    # Whoever runs a server of their own holds up nobody but those who use it.
    place = (credential.provider, credential.settings.get("base_url", ""), zone.id, zone.name)
    return turn(run, f"zone:{sha256(repr(place).encode()).hexdigest()}", shown=f"the zone {zone.name}")


def _question(credential: Credential, name: str) -> Callable[[], Zone | Error]:
    """What asks for the zone. The secrets are opened here, since a thread would need a connection for that."""
    try:
        adapter = adapter_of(credential)
    except Error as error:
        return partial(_given, error)
    return partial(_asked, adapter, name)


def _given(error: Error) -> Error:
    return error


def _asked(adapter: DnsProvider, name: str) -> Zone | Error:
    try:
        return adapter.find_zone(name)
    except Error as error:
        return error


def _nothing(name: str, failures: Failures, *, is_connected: bool) -> Error:
    if not is_connected:
        return NotFound(
            f"No DNS provider is connected that could hold {name}.", "Connect the one that serves the domain."
        )
    if not failures:
        return NotFound(
            f"No connected DNS provider holds a zone for {name}.",
            "Connect the one that serves the domain, or let one of the credentials reach the zone.",
        )
    said = " ".join(f"{credential} could not be asked: {error.message}" for credential, error in failures)
    kind = Unavailable if any(error.retryable for _, error in failures) else NotFound
    return kind(f"No zone for {name} was found. {said}", "Mend the credential, or connect the provider that serves it.")
