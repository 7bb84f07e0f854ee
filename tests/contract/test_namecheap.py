"""What only Namecheap does: XML, addresses that it knows, and domains that are written as a whole."""

from collections.abc import Callable, Iterator

import pytest

from providers.base import Verdict
from providers.clients.xml import parsed
from providers.dns.namecheap import ALLOWLIST, Namecheap
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from tests.contract.dns import namecheap as fixture
from tests.contract.state import DnsState
from tests.contract.vendor import Reply, Vendor, standing_in

NAME = "_acme-challenge.example.com"
ROWS = (
    '<host HostId="1" Name="@" Type="A" Address="192.0.2.1" MXPref="10" TTL="1799" />',
    '<host HostId="2" Name="@" Type="MX" Address="mail.example.net." MXPref="20" TTL="300" />',
    '<host HostId="3" Name="go" Type="URL301" Address="https://example.net/?a=1&amp;b=+2" MXPref="10" TTL="1799" />',
    '<host HostId="4" Name="@" Type="CAA" Address="0 issue &quot;letsencrypt.org&quot;" MXPref="10" TTL="60" />',
    '<host HostId="5" Name="@" Type="TXT" Address="v=spf1 include:a.example.net ~all" MXPref="10" TTL="1799" />',
)
PARAMETERS = ("HostName", "RecordType", "Address", "MXPref", "TTL")
WRITTEN = (
    ("@", "A", "192.0.2.1", "10", "1799"),
    ("@", "MX", "mail.example.net.", "20", "300"),
    ("go", "URL301", "https://example.net/?a=1&b=+2", "10", "1799"),
    ("@", "CAA", '0 issue "letsencrypt.org"', "10", "60"),
    ("@", "TXT", "v=spf1 include:a.example.net ~all", "10", "1799"),
    ("_acme-challenge", "TXT", "a+b=&c", "10", "60"),
)
API_KEY = fixture.VALUES["api_key"]
BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
FILE = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/hostname">]>'


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    [found] = fixture.vendors(DnsState())
    with standing_in(found):
        yield found


@pytest.fixture
def provider(vendor: Vendor) -> Namecheap:
    return Namecheap(fixture.VALUES)


def hosts(*rows: str, mail: str = "MX", domain: str = "example.com", is_ours: str = "true") -> Reply:
    attributes = f'Domain="{domain}" EmailType="{mail}" IsUsingOurDNS="{is_ours}"'
    result = f"<DomainDNSGetHostsResult {attributes}>{''.join(rows)}</DomainDNSGetHostsResult>"
    return fixture.ok("namecheap.domains.dns.gethosts", result)


def written(success: str = "true") -> Reply:
    result = f'<DomainDNSSetHostsResult Domain="example.com" IsSuccess="{success}" />'
    return fixture.ok("namecheap.domains.dns.sethosts", result)


def answer_in_turn(vendor: Vendor, *replies: Reply) -> None:
    left = iter(replies)
    vendor.on("POST", "", lambda call: next(left))


def test_the_fields_are_taken_as_one_text() -> None:
    assert Namecheap.parse(fixture.ONE_STRING) == fixture.VALUES


@pytest.mark.parametrize("text", ["", "acme", "acme:key", "acme::192.0.2.1", "acme:key:2001:db8::1", "a:b:192.0.2.1:d"])
def test_an_incomplete_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give apiUser:apiKey:clientIp"):
        Namecheap.parse(text)
    with pytest.raises(ValueError, match="no IPv4 address"):
        Namecheap.parse("acme:key:here")


def test_all_neighbours_are_sent_back_as_they_were(provider: Namecheap, vendor: Vendor) -> None:
    zone = provider.find_zone(NAME)
    answer_in_turn(vendor, hosts(*ROWS), written(), hosts(*ROWS))
    provider.ensure_record(zone, NAME, "TXT", "a+b=&c")
    sent = fixture.form(vendor.calls[-2])
    for name in ("ApiUser", "ApiKey", "UserName", "ClientIp"):
        del sent[name]
    rows = {
        f"{parameter}{number}": value
        for number, row in enumerate(WRITTEN, 1)
        for parameter, value in zip(PARAMETERS, row, strict=True)
    }
    domain = {"SLD": "example", "TLD": "com", "EmailType": "MX"}
    assert sent == {"Command": "namecheap.domains.dns.setHosts", **domain, **rows}


def test_nothing_is_written_where_nothing_changes(provider: Namecheap, vendor: Vendor) -> None:
    zone = provider.find_zone(NAME)
    answer_in_turn(vendor, hosts(*ROWS), hosts(*ROWS))
    provider.ensure_record(zone, "example.com", "A", "192.0.2.1")
    provider.remove_record(zone, "example.com", "A", "192.0.2.9")


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (hosts(*ROWS, domain="other.example"), Unavailable),
        (hosts(is_ours="false"), Conflict),
        (fixture.ok("namecheap.domains.dns.gethosts", ""), Unavailable),
        ((200, fixture.error("2030288", "Cannot complete this command")), Conflict),
    ],
)
def test_nothing_is_written_where_the_records_were_not_read_whole(
    provider: Namecheap, vendor: Vendor, reply: Reply, error: type[Exception]
) -> None:
    zone = provider.find_zone(NAME)
    answer_in_turn(vendor, reply)
    with pytest.raises(error):
        provider.ensure_record(zone, NAME, "TXT", "one")


def test_a_neighbour_that_namecheap_drops_is_named(provider: Namecheap, vendor: Vendor) -> None:
    zone = provider.find_zone(NAME)
    answer_in_turn(vendor, hosts(*ROWS), written(), hosts(ROWS[0], *ROWS[2:]))
    with pytest.raises(ProviderError, match=r"dropped records of example\.com: MX @ mail\.example\.net\."):
        provider.ensure_record(zone, NAME, "TXT", "one")


def test_a_write_that_was_not_taken_is_an_error(provider: Namecheap, vendor: Vendor) -> None:
    zone = provider.find_zone(NAME)
    answer_in_turn(vendor, hosts(*ROWS), written("false"))
    with pytest.raises(ProviderError, match="did not take"):
        provider.ensure_record(zone, NAME, "TXT", "one")


def test_an_address_that_is_not_listed_is_said_so(provider: Namecheap, vendor: Vendor) -> None:
    vendor.on("POST", "", (200, fixture.error("1011150", "Invalid request IP: 198.51.100.4")))
    verdicts = {check.permission: check for check in provider.verify().checks}
    assert verdicts.pop(ALLOWLIST).verdict == Verdict.DENIED
    assert {check.verdict for check in verdicts.values()} == {Verdict.UNTESTABLE}
    with pytest.raises(MissingPermission, match=r"198\.51\.100\.4") as failure:
        provider.find_zone(NAME)
    assert failure.value.permission == ALLOWLIST
    assert "192.0.2.10" in failure.value.hint


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("1011102", InvalidCredential),
        ("1017101", InvalidCredential),
        ("2016166", NotFound),
        ("2011170", ProviderError),
        ("3031510", Unavailable),
        ("5050900", Unavailable),
        ("500000", RateLimited),
    ],
)
def test_numbers_become_the_errors_of_one_tree(
    provider: Namecheap, vendor: Vendor, number: str, error: type[Exception]
) -> None:
    vendor.on("POST", "", (200, fixture.error(number, f"No, {API_KEY} is wrong")))
    calls: list[Callable[[], object]] = [provider.verify, lambda: provider.find_zone(NAME)]
    for call in calls:
        with pytest.raises(error) as failure:
            call()
        assert API_KEY not in str(failure.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("declared", [BOMB, FILE, "<!DOCTYPE ApiResponse>"])
def test_an_answer_with_a_document_type_is_refused(declared: str, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{declared}<ApiResponse Status="OK">ok</ApiResponse>'
    with pytest.raises(ValueError, match="a document type is refused"):
        parsed(text.encode(encoding))
    assert parsed(text.replace(declared, "").encode(encoding)).text == "ok"
