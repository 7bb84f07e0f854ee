"""Amazon Route 53. https://docs.aws.amazon.com/Route53/latest/APIReference/"""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast

from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.clients.aws import (
    ALARM_NOTE,
    HOME_REGION,
    IAM_CONSOLE,
    KEY_FIELDS,
    OWN_USER_PERMISSION,
    REGION,
    USER_STEPS,
    AwsProvider,
)
from providers.contracts.dns import PROBE_LABEL, SHORTEST_TTL, Record, RecordSetDns, Zone, quoted, unquoted
from providers.errors import Conflict, MissingPermission, ProviderError

if TYPE_CHECKING:
    from mypy_boto3_route53 import Route53Client

LIST_ZONES, GET_ZONE = "route53:ListHostedZones", "route53:GetHostedZone"
CHANGE, LIST_RECORDS = "route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"
GET_CHANGE = "route53:GetChange"
# Changes reach all name servers within 60 seconds, as a rule.
SYNC_SECONDS, SYNC_PAUSE = 90.0, 3.0
NO_CHANGE = "C00000000000000"
# In answers all characters of a name but letters, digits, "-", "_" and "." are written so: "\052" is "*".
OCTAL = re.compile(r"\\([0-7]{3})")


class Route53(RecordSetDns, AwsProvider):
    key = "route53"
    label = "AWS Route 53"
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
    used_for = ("Find the zone of a domain", "Make and remove TXT records for DNS-01 challenges")
    steps = USER_STEPS
    notes = (
        "A user that has the policy for EC2 may be given this one besides it.",
        "Alias records and records with a routing policy are never touched.",
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

    def records(self, zone: Zone, name: str, type: str) -> Sequence[Record]:  # noqa: A002 -- its name in DNS
        """Raises Conflict for an alias, and for records that are routed."""
        with self.asking():
            found = self.client.list_resource_record_sets(
                HostedZoneId=zone.id, StartRecordName=name, StartRecordType=cast(Any, type), MaxItems="1"
            )["ResourceRecordSets"]
        return [
            Record(name, type, _plain(type, row["Value"]), each.get("TTL", 0))
            for each in found
            if (_name(each["Name"]), each["Type"]) == (name, type)
            for row in _rows(each)
        ]

    def write_values(self, zone: Zone, name: str, type: str, values: Sequence[str], ttl: int) -> None:  # noqa: A002
        if values:
            self._wait(self._change(zone, "UPSERT", name, type, values, ttl))
        elif there := self.records(zone, name, type):
            self._change(zone, "DELETE", name, type, [record.value for record in there], there[0].ttl)

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
        self._change(zone, "UPSERT", name, "TXT", [value], SHORTEST_TTL)
        try:
            if can_read and [record.value for record in self.records(zone, name, "TXT")] != [value]:
                raise ProviderError(f"{self.label} took a value at {name}, but does not show it.")
        finally:
            self._change(zone, "DELETE", name, "TXT", [value], SHORTEST_TTL)

    def _change(self, zone: Zone, action: str, name: str, type: str, values: Sequence[str], ttl: int) -> str:  # noqa: A002
        """The id of the change."""
        rows = [{"Value": quoted(value) if type == "TXT" else value} for value in values]
        change = {
            "Action": action,
            "ResourceRecordSet": {"Name": name, "Type": type, "TTL": ttl, "ResourceRecords": rows},
        }
        with self.asking():
            answer = self.client.change_resource_record_sets(
                HostedZoneId=zone.id, ChangeBatch=cast(Any, {"Changes": [change]})
            )
        return answer["ChangeInfo"]["Id"]

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
            actions, resource = [CHANGE, LIST_RECORDS, GET_ZONE], f"arn:aws:route53:::hostedzone/{self.zone_id}"
        else:
            actions, resource = [LIST_ZONES, GET_ZONE, CHANGE, LIST_RECORDS], "*"
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}


def _zone(row: Mapping[str, Any]) -> Zone:
    return Zone(row["Id"].removeprefix("/hostedzone/"), _name(row["Name"]))


def _name(text: str) -> str:
    return OCTAL.sub(lambda found: chr(int(found[1], 8)), text).rstrip(".")


def _rows(found: Mapping[str, Any]) -> Sequence[Mapping[str, str]]:
    if "ResourceRecords" not in found or "SetIdentifier" in found:
        raise Conflict(
            f"{_name(found['Name'])} has an alias record, or records with a routing policy.",
            "Change it in the Route 53 console: writing it from here would undo what it is for.",
        )
    return cast(Sequence[Mapping[str, str]], found["ResourceRecords"])


def _plain(type: str, value: str) -> str:  # noqa: A002 -- its name in DNS
    return unquoted(value) if type == "TXT" else value.rstrip(".")


def _untested(permission: str) -> PermissionCheck:
    fix = "Give the Hosted Zone ID, or let the key list the zones, then check again."
    return PermissionCheck(permission, Verdict.UNTESTABLE, "There is no zone to try it on.", fix)
