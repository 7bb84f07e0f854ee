"""Amazon Route 53. https://docs.aws.amazon.com/Route53/latest/APIReference/"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError
from django.utils.functional import cached_property

from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.clients.aws import (
    ALARM_NOTE,
    HOME_REGION,
    IAM_CONSOLE,
    KEY_FIELDS,
    NEEDED,
    OPTIONAL,
    OPTIONAL_NOTE,
    OWN_USER_PERMISSION,
    REGION,
    USER_STEPS,
    AwsProvider,
    allow,
    code_of,
    policy_of,
)
from providers.contracts.dns import PROBE_LABEL, SHORTEST_TTL, Record, RecordSet, RecordSetDns, Zone, records_of
from providers.contracts.zone_file import from_zone_file, to_zone_file
from providers.errors import Conflict, MissingPermission, ProviderError

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

LIST_ZONES, GET_ZONE = "route53:ListHostedZones", "route53:GetHostedZone"
CHANGE, LIST_RECORDS = "route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"
GET_CHANGE = "route53:GetChange"
# Changes reach all name servers within 60 seconds, as a rule.
SYNC_SECONDS, SYNC_PAUSE = 90.0, 3.0
NO_CHANGE = "C00000000000000"
INVALID_BATCH = "InvalidChangeBatch"
# In answers all characters of a name but letters, digits, "-", "_" and "." are written so: "\052" is "*".
OCTAL = re.compile(r"\\([0-7]{3})")
Change = Mapping[str, Any]


class Route53(RecordSetDns, AwsProvider):
    key = "route53"
    label = "AWS Route 53"
    last_writer_wins = False
    service = "route53"
    console_url = IAM_CONSOLE
    fields = (
        *KEY_FIELDS,
        replace(REGION, required=False, default=HOME_REGION, help_text="Route 53 is the same in all regions."),
        Field(
            "zone",
            "Hosted Zone ID",
            required=False,
            pattern=r"(/hostedzone/)?Z[A-Z0-9]{1,31}",
            help_text="For example Z123ABC. With it, the key need not be allowed to list the account's zones.",
        ),
    )
    permissions = (
        Permission(GET_ZONE, GET_ZONE, "Reads which domain a hosted zone is for."),
        Permission(LIST_RECORDS, LIST_RECORDS, "Reads the values of a name, so that those of others stay."),
        Permission(CHANGE, CHANGE, "Makes and removes the TXT records that prove the domain is yours."),
        Permission(
            LIST_ZONES, LIST_ZONES, "Finds the zone of a domain. Without it give the Hosted Zone ID.", optional=True
        ),
        Permission(
            GET_CHANGE,
            GET_CHANGE,
            "Waits until all name servers have a new value. Without it they are asked for it themselves.",
            optional=True,
        ),
        OWN_USER_PERMISSION,
    )
    used_for = (
        "Find the zone of a domain",
        "Make and remove TXT records for DNS-01 challenges",
        "Show the records of its zones, and add and remove some",
    )
    steps = USER_STEPS
    notes = (
        "A user that has the policy for EC2 may be given this one besides it.",
        "Alias records and records with a routing policy are never touched.",
        OPTIONAL_NOTE,
        ALARM_NOTE,
    )

    @cached_property
    def client(self) -> "Route53Client":
        return cast("Route53Client", self.connect("route53"))

    @property
    def zone_id(self) -> str:
        return self.values.get("zone", "").removeprefix("/hostedzone/")

    def zones(self) -> Iterable[Zone]:
        return self._zones

    def zone_named(self, name: str) -> Zone | None:
        return next((zone for zone in self._zones if zone.name == name), None)

    @cached_property
    def _zones(self) -> Sequence[Zone]:
        """The given one, or all public ones. Asked for once: finding the zone of a name looks many times."""
        with self.asking():
            if self.zone_id:
                row = self.client.get_hosted_zone(Id=self.zone_id)["HostedZone"]
                return [_zone(row)]
            pages = self.client.get_paginator("list_hosted_zones").paginate()
            rows = [row for page in pages for row in page["HostedZones"]]
        return [_zone(row) for row in rows if not row.get("Config", {}).get("PrivateZone")]

    def all_records(self, zone: Zone) -> Iterable[Record]:
        """An alias has no values; of records with a routing policy each one's are told."""
        with self.asking():
            for page in self.client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone.id):
                for row in page["ResourceRecordSets"]:
                    rows = [each["Value"] for each in row.get("ResourceRecords", [])]
                    yield from records_of(_name(row["Name"]), row["Type"], rows, row.get("TTL", 0))

    def read_set(self, zone: Zone, name: str, type: str) -> RecordSet:  # noqa: A002 -- its name in DNS
        """Raises Conflict for an alias, and for records that are routed."""
        with self.asking():
            found = self.client.list_resource_record_sets(
                HostedZoneId=zone.id, StartRecordName=name, StartRecordType=cast(Any, type), MaxItems="1"
            )["ResourceRecordSets"]
        for row in found:
            if (_name(row["Name"]), row["Type"]) == (name, type):
                return RecordSet({from_zone_file(type, text): text for text in _rows(row)}, row.get("TTL", 0), row)
        return RecordSet({})

    def write_set(self, zone: Zone, name: str, type: str, seen: RecordSet, rows: Sequence[Any], ttl: int) -> None:  # noqa: A002
        """In one batch, of which Route 53 makes all or nothing: it refuses to delete what is not just as it was seen,
        and to create what is there.

        https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
        """
        changes = [_change("DELETE", seen.version)] if seen.version else []
        changes += [_change("CREATE", _record_set(name, type, rows, ttl))] if rows else []
        change = self._submit(zone, changes)
        if len(rows) > len(seen.rows):
            self._wait(change)

    def verify(self) -> Findings:
        """Reads a zone, and puts a TXT value under a name of its own there, reads it back and removes it."""
        owner, zones = self.owner(), list[Zone]()
        finding = self.tried(
            LIST_ZONES, lambda: zones.extend(map(_zone, self.client.list_hosted_zones(MaxItems="1")["HostedZones"]))
        )
        waiting = self.tried(GET_CHANGE, lambda: self.client.get_change(Id=NO_CHANGE))
        zone_id = self.zone_id or next((zone.id for zone in zones), "")
        checks = self._zone_checks(zone_id) if zone_id else map(_untested, (GET_ZONE, LIST_RECORDS, CHANGE))
        return Findings((*checks, finding, waiting, owner.check), account=owner.arn)

    def _zone_checks(self, zone_id: str) -> tuple[PermissionCheck, ...]:
        # Both calls tell what the zone is called: a zone's first records are those of its apex.
        names = list[str]()
        getting = self.tried(
            GET_ZONE, lambda: names.append(self.client.get_hosted_zone(Id=zone_id)["HostedZone"]["Name"])
        )
        reading = self.tried(LIST_RECORDS, lambda: names.extend(self._first_name(zone_id)))
        if not names:
            return getting, reading, _untested(CHANGE)
        zone, can_read = Zone(zone_id, _name(names[0])), reading.verdict == Verdict.GRANTED
        return getting, reading, self.tried(CHANGE, lambda: self._probe(zone, can_read))

    def _first_name(self, zone_id: str) -> list[str]:
        found = self.client.list_resource_record_sets(HostedZoneId=zone_id, MaxItems="1")
        return [row["Name"] for row in found["ResourceRecordSets"]]

    def _probe(self, zone: Zone, can_read: bool) -> None:
        # A name of its own: two checks at once do not meet.
        name, value = f"{token_hex(8)}.{PROBE_LABEL}.{zone.name}", token_hex(16)
        made = _record_set(name, "TXT", [to_zone_file("TXT", value)], SHORTEST_TTL)
        self._submit(zone, [_change("CREATE", made)])
        try:
            if can_read and [record.value for record in self.records(zone, name, "TXT")] != [value]:
                raise ProviderError(f"{self.label} took a value at {name}, but does not show it.")
        finally:
            self._submit(zone, [_change("DELETE", made)])

    def _submit(self, zone: Zone, changes: Sequence[Change]) -> str:
        """The id of the change."""
        with self.asking():
            answer = self.client.change_resource_record_sets(
                HostedZoneId=zone.id, ChangeBatch=cast(Any, {"Changes": changes})
            )
        return answer["ChangeInfo"]["Id"]

    def error_of(self, error: ClientError) -> ProviderError:
        found = super().error_of(error)
        if code_of(error) == INVALID_BATCH:
            return Conflict(found.message, "Look at what the name has in the Route 53 console.")
        return found

    def _wait(self, change: str) -> None:
        """Until all name servers have it, if the key may ask; those who need to know ask the servers anyway."""
        deadline = time.monotonic() + SYNC_SECONDS
        try:
            while time.monotonic() < deadline:
                with self.asking():
                    if self.client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC":
                        return
                time.sleep(SYNC_PAUSE)
        except MissingPermission:
            return

    def policy(self) -> Mapping[str, Any]:
        """For one zone what it takes; without a given zone, for finding it among all."""
        if self.zone_id:
            needed = allow(NEEDED, [CHANGE, LIST_RECORDS, GET_ZONE], f"arn:aws:route53:::hostedzone/{self.zone_id}")
        else:
            needed = allow(NEEDED, [LIST_ZONES, GET_ZONE, CHANGE, LIST_RECORDS], "*")
        return policy_of(needed, allow(OPTIONAL, GET_CHANGE, "arn:aws:route53:::change/*"))


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(row["Id"].removeprefix("/hostedzone/"), _name(row["Name"]))


def _name(text: str) -> str:
    return OCTAL.sub(lambda found: chr(int(found[1], 8)), text).rstrip(".")


def _rows(found: Mapping[str, Any]) -> Sequence[str]:
    if "ResourceRecords" not in found or "SetIdentifier" in found:
        raise Conflict(
            f"{_name(found['Name'])} has an alias record, or records with a routing policy.",
            "Change it in the Route 53 console: writing it from here would undo what it is for.",
        )
    return [row["Value"] for row in found["ResourceRecords"]]


def _record_set(name: str, type: str, rows: Sequence[str], ttl: int) -> Mapping[str, Any]:  # noqa: A002 -- its name in DNS
    return {"Name": name, "Type": type, "TTL": ttl, "ResourceRecords": [{"Value": row} for row in rows]}


def _change(action: str, record_set: Mapping[str, Any]) -> Change:
    return {"Action": action, "ResourceRecordSet": record_set}


def _untested(permission: str) -> PermissionCheck:
    fix = "Give the Hosted Zone ID, or let the key list the zones, then check again."
    return PermissionCheck(permission, Verdict.UNTESTABLE, "There is no zone to try it on.", fix)
