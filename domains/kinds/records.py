"""The jobs that change the zones of DNS credentials, one value at a time."""

from abc import abstractmethod

from deploynix.errors import Conflict
from domains.contents import ADD, REMOVE, Value, zone_called
from domains.zones import adapter_of, writing
from jobs.kinds import JobKind, Step, register
from jobs.run import Run
from providers.base import Kind
from providers.contracts.dns import DnsProvider, Zone
from providers.errors import ProviderError
from providers.models import Credential


class ChangeZone(JobKind):
    """What the provider shows afterwards is read back; what name servers answer is another matter, and takes longer."""

    queue = "provider"
    ability = "provider:update"
    steps = (Step("change", "Change the zone"), Step("read_back", "Read it back"))
    # What is expected of the value in the end.
    is_there: bool

    @abstractmethod
    def write(self, adapter: DnsProvider, zone: Zone, value: Value, ttl: int) -> None: ...

    def change(self, run: Run) -> None:
        credential, zone, value = place_of(run)
        with writing(run, credential, zone):
            self.write(adapter_of(credential), zone, value, run.job.params.get("ttl", 0))
        run.line(f"{credential} took the change of {value.type} {value.name}.")

    def read_back(self, run: Run) -> None:
        credential, zone, value = place_of(run)
        found = adapter_of(credential).records(zone, value.name, value.type)
        if any(record.value == value.value for record in found) == self.is_there:
            run.line(f"{value.name} has {len(found)} {value.type} value{'' if len(found) == 1 else 's'} there now.")
            return
        shows = "does not show the value" if self.is_there else "still shows the value"
        raise ProviderError(
            f"{credential} took the change of {value.name}, but {shows}.",
            f"Look at the zone {zone.name} at {credential.declaration.label}.",
            retryable=True,
        )


@register
class AddRecord(ChangeZone):
    name = ADD
    is_there = True

    def write(self, adapter: DnsProvider, zone: Zone, value: Value, ttl: int) -> None:
        adapter.ensure_record(zone, value.name, value.type, value.value, ttl)


@register
class RemoveRecord(ChangeZone):
    name = REMOVE
    is_there = False

    def write(self, adapter: DnsProvider, zone: Zone, value: Value, ttl: int) -> None:
        adapter.remove_record(zone, value.name, value.type, value.value)


def place_of(run: Run) -> tuple[Credential, Zone, Value]:
    """Raises Conflict where the credential was removed meanwhile, and ProviderError."""
    params = run.job.params
    credential = Credential.objects.defer(None).filter(pk=run.job.subject_id, kind=Kind.DNS).first()
    if credential is None:
        raise Conflict("The credential has been removed.")
    zone = zone_called(adapter_of(credential), params["zone"])
    return credential, zone, Value.of(zone.name, params["record"])
