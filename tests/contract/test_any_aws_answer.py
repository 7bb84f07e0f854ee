"""Whatever comes in Amazon's place: a custom store's address may lead anywhere."""

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import HTTPResponse

from providers.base import Kind
from providers.clients.aws import AwsProvider
from providers.contracts.dns import DnsProvider, Zone
from providers.contracts.servers import ServerSpec
from providers.contracts.storage import StorageProvider
from providers.dns import route53
from providers.dns.route53 import Route53
from providers.errors import ProviderError
from providers.registry import providers_of
from providers.servers import aws
from providers.servers.aws import AmazonEc2
from tests.examples import share

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
VALUES = {
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": SECRET,
    "region": "eu-central-1",
    "bucket": "acme-backups",
    "endpoint": "https://s3.example.com",
}
NAME, ZONE = "_acme-challenge.example.com", Zone("Z123ABC", "example.com")
SPEC = ServerSpec("01JD5W8Q2M7R4T6V9X1Z3B5C7D", "web-1", "eu-central-1", "t3.small", "debian-13")
# The parts that answers are made of.
STORE = ["ListBucketResult", "Contents", "Key", "Size", "LastModified", "IsTruncated", "NextContinuationToken", "Error"]
ZONES = [
    *("ListHostedZonesResponse", "HostedZones", "HostedZone", "Id", "Name", "IsTruncated", "ResourceRecordSets"),
    *("ListResourceRecordSetsResponse", "ResourceRecordSet", "ResourceRecords", "ResourceRecord", "Value", "TTL"),
    *("Type", "ErrorResponse", "InvalidChangeBatch", "Messages", "ChangeInfo", "Status"),
]
CLOUD = [
    *("DescribeInstancesResponse", "reservationSet", "item", "instancesSet", "instanceId", "instanceState", "name"),
    *("regionInfo", "regionName", "imagesSet", "creationDate", "keySet", "keyName", "Response", "Errors", "tagSet"),
]
COMMON = ["Code", "Message", "Error", "RequestId"]
WORDS = [
    "",
    "0",
    "-1",
    "true",
    "NoSuchBucket",
    "AccessDenied",
    "Throttling",
    "2026-01-01T00:00:00Z",
    "x",
    "\\052.a.",
    "&#0;",
]


def documents(names: list[str]) -> st.SearchStrategy[bytes]:
    tags = st.sampled_from([*names, *COMMON])
    whole = st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.lists(st.tuples(tags, inner), max_size=4).map(
            lambda parts: "".join(f"<{tag}>{part}</{tag}>" for tag, part in parts)
        ),
        max_leaves=12,
    )
    xml = st.tuples(tags, whole).map(lambda root: f"<{root[0]}>{root[1]}</{root[0]}>".encode())
    return xml | st.binary(max_size=20) | st.sampled_from([b"", b"{}", b"[]", b"<", b"<!DOCTYPE x><x/>"])


def store_calls(provider: StorageProvider) -> Mapping[str, Callable[[], Any]]:
    return {
        "put": lambda: provider.put("one", b"1"),
        "get": lambda: provider.get("one", 10),
        "delete": lambda: provider.delete("one"),
        "objects": lambda: list(zip(range(50), provider.objects(), strict=False)),
        "verify": provider.verify,
    }


def zone_calls(provider: DnsProvider) -> Mapping[str, Callable[[], Any]]:
    return {
        "zones": lambda: list(provider.zones()),
        "all_records": lambda: list(zip(range(50), provider.all_records(ZONE), strict=False)),
        "records": lambda: provider.records(ZONE, NAME, "TXT"),
        "ensure_record": lambda: provider.ensure_record(ZONE, NAME, "TXT", "one"),
        "remove_record": lambda: provider.remove_record(ZONE, NAME, "TXT", "one"),
        "verify": provider.verify,
    }


def cloud_calls(provider: AmazonEc2) -> Mapping[str, Callable[[], Any]]:
    there = "eu-central-1/i-0123456789abcdef0"
    return {
        "regions": provider.regions,
        "sizes": lambda: provider.sizes("eu-central-1"),
        "images": lambda: provider.images("eu-central-1"),
        "create": lambda: provider.create(SPEC),
        "get": lambda: provider.get(there),
        "reboot": lambda: provider.reboot(there),
        "rebuild": lambda: provider.rebuild(there, "debian-13"),
        "delete": lambda: provider.delete(there),
        "ssh_keys": provider.ssh_keys,
        "verify": provider.verify,
    }


STORES: list[Any] = [(provider, STORE, store_calls) for provider in providers_of(Kind.STORAGE).values()]
EACH: list[Any] = [*STORES, (Route53, ZONES, zone_calls), (AmazonEc2, CLOUD, cloud_calls)]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is waited for: neither between attempts, nor for what takes its time."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(aws, "REBUILD_SECONDS", 0.0)
    monkeypatch.setattr(route53, "SYNC_SECONDS", 0.0)


@pytest.mark.soak
@pytest.mark.parametrize(("declaration", "names", "calls"), EACH, ids=[each[0].key for each in EACH])
@settings(max_examples=share(5))
@given(data=st.data())
def test_any_answer_is_an_error_of_the_tree_or_makes_sense(
    declaration: type[AwsProvider], names: list[str], calls: Any, data: st.DataObject
) -> None:
    bodies = data.draw(st.lists(documents(names), min_size=1, max_size=3))
    status = data.draw(st.sampled_from([200, 200, 200, 204, 301, 307, 400, 403, 404, 409, 412, 429, 500, 503]))
    number = iter(range(10_000))

    def send(self: object, request: AWSPreparedRequest) -> AWSResponse:
        body = bodies[next(number) % len(bodies)]
        raw = HTTPResponse(BytesIO(body), status=status, preload_content=False)
        return AWSResponse(request.url, status, {"Content-Length": str(len(body))}, raw)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(URLLib3Session, "send", send)
        found = calls(declaration(VALUES))
        assert SECRET not in said_by(found[data.draw(st.sampled_from(sorted(found)))])


def said_by(call: Callable[[], Any]) -> str:
    try:
        return repr(call())
    except ProviderError as error:
        return f"{error.message} {error.hint}"
