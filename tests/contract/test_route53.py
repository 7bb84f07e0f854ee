"""DNS at Route 53, with a key that may do just what the policy says."""

from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from providers.base import Verdict
from providers.contracts.dns import WRITE_ATTEMPTS, Zone
from providers.dns import route53
from providers.dns.route53 import Route53
from providers.errors import Conflict, MissingPermission, NotFound
from tests.contract.aws import ROUTE53_ACTIONS, Moto, allow, without
from tests.contract.dns_checks import (
    NAME,
    test_a_name_has_one_alias,
    test_a_name_outside_of_the_zone_is_refused,
    test_a_value_at_the_apex,
    test_a_wildcard_is_a_name_like_others,
    test_any_text_can_be_a_value,
    test_every_value_of_a_zone_is_told,
    test_other_types_are_set_too,
    test_the_zone_of_a_name_is_the_nearest,
    test_two_values_stand_side_by_side_and_neighbours_stay,
    test_what_is_written_differently_is_the_same,
    test_zones_are_listed,
)

__all__ = [
    "test_a_name_has_one_alias",
    "test_a_name_outside_of_the_zone_is_refused",
    "test_a_value_at_the_apex",
    "test_a_wildcard_is_a_name_like_others",
    "test_any_text_can_be_a_value",
    "test_every_value_of_a_zone_is_told",
    "test_other_types_are_set_too",
    "test_the_zone_of_a_name_is_the_nearest",
    "test_two_values_stand_side_by_side_and_neighbours_stay",
    "test_what_is_written_differently_is_the_same",
    "test_zones_are_listed",
]
pytestmark = pytest.mark.usefixtures("at_moto")

POLICY = allow(ROUTE53_ACTIONS)
WITHOUT_LISTING = without(POLICY, "route53:ListHostedZones")


class Hosted:
    """The zones at moto, as the checks of DNS look at them."""

    def __init__(self, moto: Moto) -> None:
        self.moto = moto
        self.zones: dict[str, str] = {}

    def open(self, name: str, **more: Any) -> None:
        with self.moto.unguarded():
            made = self.moto.root("route53").create_hosted_zone(Name=name, CallerReference=name, **more)
        self.zones[name] = made["HostedZone"]["Id"].removeprefix("/hostedzone/")

    def add(self, zone: str, name: str, type: str, value: str, **more: Any) -> None:  # noqa: A002
        text = f'"{value}"' if type == "TXT" else value
        row = {"Name": name, "Type": type, "TTL": 300, "ResourceRecords": [{"Value": text}], **more}
        self.put(zone, {key: part for key, part in row.items() if part is not None})

    def put(self, zone: str, row: dict[str, Any]) -> None:
        batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": row}]}
        with self.moto.unguarded():
            self.moto.root("route53").change_resource_record_sets(HostedZoneId=self.zones[zone], ChangeBatch=batch)

    def raw(self, zone: str) -> list[dict[str, Any]]:
        with self.moto.unguarded():
            found = self.moto.root("route53").list_resource_record_sets(HostedZoneId=self.zones[zone])
        rows: list[dict[str, Any]] = found["ResourceRecordSets"]
        return [row for row in rows if row["Type"] not in ("NS", "SOA")]

    def values(self, zone: str, name: str, type: str = "TXT") -> list[str]:  # noqa: A002
        rows = [row for row in self.raw(zone) if (row["Name"].rstrip("."), row["Type"]) == (name, type)]
        values = [value["Value"] for row in rows for value in row["ResourceRecords"]]
        if type == "TXT":
            # Route 53 takes no other form.
            assert all(value.startswith('"') and value.endswith('"') for value in values)
        return sorted(value.strip('"') for value in values)


@pytest.fixture
def state(moto: Moto) -> Iterator[Hosted]:
    hosted = Hosted(moto)
    hosted.open("example.com")
    hosted.open("shop.example.com")
    yield hosted
    with moto.unguarded():
        root = moto.root("route53")
        for name, zone in hosted.zones.items():
            pages = root.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
            rows = [row for page in pages for row in page["ResourceRecordSets"] if row["Type"] not in ("NS", "SOA")]
            if rows:
                batch = {"Changes": [{"Action": "DELETE", "ResourceRecordSet": row} for row in rows]}
                root.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
            assert name
            root.delete_hosted_zone(Id=zone)


@pytest.fixture
def fixture() -> SimpleNamespace:
    """It takes every text."""
    return SimpleNamespace()


@pytest.fixture(scope="module")
def key(moto: Moto) -> dict[str, str]:
    return moto.new_key(POLICY)


@pytest.fixture
def provider(key: dict[str, str], state: Hosted) -> Route53:
    return Route53(key)


@pytest.mark.parametrize("prefix", ["", "/hostedzone/"])
def test_a_given_zone_is_found_without_listing(moto: Moto, state: Hosted, prefix: str) -> None:
    zone_id = state.zones["example.com"]
    provider = Route53({**moto.new_key(WITHOUT_LISTING), "zone": f"{prefix}{zone_id}"})
    zone = provider.find_zone(NAME)
    assert zone == Zone(zone_id, "example.com")
    assert list(provider.zones()) == [zone]
    provider.ensure_record(zone, NAME, "TXT", "one")
    assert state.values("example.com", NAME) == ["one"]
    with pytest.raises(NotFound):
        provider.find_zone("www.elsewhere.org")


def test_without_a_zone_and_without_listing_nothing_can_be_tried(moto: Moto, state: Hosted) -> None:
    checks = {check.permission: check for check in Route53(moto.new_key(WITHOUT_LISTING)).verify().checks}
    assert checks["route53:ListHostedZones"].verdict == Verdict.DENIED
    for action in ROUTE53_ACTIONS[1:]:
        assert checks[action].verdict == Verdict.UNTESTABLE
        assert "Hosted Zone ID" in checks[action].fix


def test_private_zones_are_none_of_ours(provider: Route53, state: Hosted) -> None:
    vpc = {"VPCRegion": "eu-central-1", "VPCId": "vpc-1234"}
    state.open("internal.example.com", VPC=vpc, HostedZoneConfig={"PrivateZone": True})
    assert provider.find_zone("db.internal.example.com").name == "example.com"


def test_every_page_of_a_zone_is_read(provider: Route53, state: Hosted, moto: Moto) -> None:
    """An answer of Route 53 has at most 300 sets."""
    names = [f"host-{number}.example.com" for number in range(310)]
    sets = [{"Name": name, "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"there"'}]} for name in names]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]}
    with moto.unguarded():
        moto.root("route53").change_resource_record_sets(HostedZoneId=state.zones["example.com"], ChangeBatch=batch)
    found = list(provider.all_records(provider.find_zone("example.com")))
    assert sorted(record.name for record in found) == sorted(names)


def test_what_is_routed_is_listed_by_its_values(provider: Route53, state: Hosted) -> None:
    alias = {"HostedZoneId": "Z2FDTNDATAQYW2", "DNSName": "d1.cloudfront.net", "EvaluateTargetHealth": False}
    state.add("example.com", "www.example.com", "A", "", TTL=None, ResourceRecords=None, AliasTarget=alias)
    state.add("example.com", "shop.example.com", "A", "192.0.2.1", SetIdentifier="blue", Weight=1)
    state.add("example.com", "shop.example.com", "A", "192.0.2.2", SetIdentifier="green", Weight=1)
    found = list(provider.all_records(provider.find_zone("example.com")))
    assert [(record.name, record.value) for record in found] == [
        ("shop.example.com", "192.0.2.1"),
        ("shop.example.com", "192.0.2.2"),
    ]


def test_a_neighbour_keeps_its_time_to_live(provider: Route53, state: Hosted) -> None:
    state.add("example.com", NAME, "TXT", "somebody else's", TTL=7200)
    zone = provider.find_zone(NAME)
    provider.ensure_record(zone, NAME, "TXT", "one")
    assert [row["TTL"] for row in state.raw("example.com")] == [7200]
    provider.remove_record(zone, NAME, "TXT", "one")
    assert [row["TTL"] for row in state.raw("example.com")] == [7200]


@pytest.mark.parametrize(
    "routed",
    [
        {
            "TTL": None,
            "ResourceRecords": None,
            "AliasTarget": {
                "HostedZoneId": "Z2FDTNDATAQYW2",
                "DNSName": "d1.cloudfront.net",
                "EvaluateTargetHealth": False,
            },
        },
        {"SetIdentifier": "blue", "Weight": 1},
    ],
    ids=["alias", "weighted"],
)
def test_routed_records_are_left_alone(provider: Route53, state: Hosted, routed: dict[str, Any]) -> None:
    state.add("example.com", "www.example.com", "A", "192.0.2.1", **routed)
    before = state.raw("example.com")
    with pytest.raises(Conflict, match=r"www\.example\.com has an alias") as failure:
        provider.ensure_record(provider.find_zone("www.example.com"), "www.example.com", "A", "192.0.2.2")
    assert failure.value.hint
    assert state.raw("example.com") == before


def test_a_value_is_waited_for_where_the_key_may_ask(
    moto: Moto, state: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto's changes are everywhere at once: the first answers are made up."""
    provider = Route53(moto.new_key(allow([*ROUTE53_ACTIONS, "route53:GetChange"])))
    answers: Iterator[Any] = iter(["PENDING", "PENDING"])
    asked = []
    get_change = provider.client.get_change

    def slow(Id: str) -> Any:  # noqa: N803 -- as boto3 has it
        asked.append(Id)
        answer = get_change(Id=Id)
        answer["ChangeInfo"]["Status"] = next(answers, "INSYNC")
        return answer

    monkeypatch.setattr(provider.client, "get_change", slow)
    monkeypatch.setattr(route53, "SYNC_PAUSE", 0.0)
    provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
    assert len(asked) == 3


class Slow(Route53):
    """Somebody else does something after the values of a name have been read, and before they are written."""

    def meanwhile(self, *doings: Callable[[], object]) -> None:
        self.doings = list(doings)

    def write_set(self, *what: Any) -> None:
        if self.doings:
            self.doings.pop(0)()
        super().write_set(*what)


@pytest.fixture
def slow(key: dict[str, str], state: Hosted) -> Slow:
    return Slow(key)


@pytest.mark.parametrize("before", [[], ["somebody else's"]])
def test_two_writers_of_a_name_keep_what_both_wrote(
    provider: Route53, slow: Slow, state: Hosted, before: list[str]
) -> None:
    for value in before:
        state.add("example.com", NAME, "TXT", value, TTL=7200)
    zone = provider.find_zone(NAME)
    slow.meanwhile(lambda: provider.ensure_record(zone, NAME, "TXT", "theirs"))
    slow.ensure_record(zone, NAME, "TXT", "ours")
    assert state.values("example.com", NAME) == sorted([*before, "ours", "theirs"])

    slow.meanwhile(lambda: provider.ensure_record(zone, NAME, "TXT", "another"))
    slow.remove_record(zone, NAME, "TXT", "ours")
    assert state.values("example.com", NAME) == sorted([*before, "another", "theirs"])

    slow.meanwhile(lambda: provider.remove_record(zone, NAME, "TXT", "theirs"))
    slow.remove_record(zone, NAME, "TXT", "another")
    assert state.values("example.com", NAME) == before


def test_the_same_value_from_two_writers_is_there_once(provider: Route53, slow: Slow, state: Hosted) -> None:
    zone = provider.find_zone(NAME)
    slow.meanwhile(lambda: provider.ensure_record(zone, NAME, "TXT", "one"))
    slow.ensure_record(zone, NAME, "TXT", "one")
    assert state.values("example.com", NAME) == ["one"]
    slow.meanwhile(lambda: provider.remove_record(zone, NAME, "TXT", "one"))
    slow.remove_record(zone, NAME, "TXT", "one")
    assert state.raw("example.com") == []


def test_a_name_that_never_rests_is_a_conflict_and_keeps_what_others_wrote(
    provider: Route53, slow: Slow, state: Hosted
) -> None:
    zone = provider.find_zone(NAME)
    values = [f"value {number}" for number in range(WRITE_ATTEMPTS)]
    slow.meanwhile(*(partial(provider.ensure_record, zone, NAME, "TXT", value) for value in values))
    with pytest.raises(Conflict, match="InvalidChangeBatch") as failure:
        slow.ensure_record(zone, NAME, "TXT", "ours")
    assert failure.value.hint
    assert state.values("example.com", NAME) == values


def test_neighbours_are_written_back_as_they_were(provider: Route53, state: Hosted) -> None:
    rows = [r'"caf\303\251"', '"two" "strings"', r'"\377"']
    values = [{"Value": row} for row in rows]
    state.put("example.com", {"Name": NAME, "Type": "TXT", "TTL": 60, "ResourceRecords": values})
    provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
    (found,) = state.raw("example.com")
    assert [row["Value"] for row in found["ResourceRecords"]] == [*rows, '"one"']


def test_what_is_denied_changes_nothing(moto: Moto, state: Hosted) -> None:
    state.add("example.com", NAME, "TXT", "somebody else's")
    before = state.raw("example.com")
    for action in ("route53:ListResourceRecordSets", "route53:ChangeResourceRecordSets"):
        provider = Route53(moto.new_key(without(POLICY, action)))
        with pytest.raises(MissingPermission) as failure:
            provider.ensure_record(provider.find_zone(NAME), NAME, "TXT", "one")
        assert failure.value.permission == action
    assert state.raw("example.com") == before
