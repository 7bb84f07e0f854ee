"""Who hosts a domain, by the names of its servers, and how a record's name is typed there."""

import pytest

from domains.hosts import ANY, HOSTS, Host, host_named, host_of
from providers.base import Kind
from providers.registry import providers_of


@pytest.mark.parametrize(
    ("servers", "label", "provider"),
    [
        (["amy.ns.cloudflare.com", "bob.ns.cloudflare.com"], "Cloudflare", "cloudflare"),
        (["ns-1.awsdns-12.co.uk.", "NS-2.awsdns-01.com"], "AWS Route 53", "route53"),
        (["ns51.domaincontrol.com"], "GoDaddy", "godaddy"),
        (["ns1-03.azure-dns.com", "ns2-03.azure-dns.net"], "Azure DNS", "azuredns"),
        (["ns01.squarespacedns.com"], "Squarespace", ""),
        (["ns1.notcloudflare.com", "cloudflare.com.evil.example"], ANY.label, ""),
        ([], ANY.label, ""),
    ],
)
def test_a_provider_is_known_by_its_name_servers(servers: list[str], label: str, provider: str) -> None:
    host = host_of(servers)
    assert (host.label, host.provider) == (label, provider)
    assert host_named(label) == host


def test_every_host_leads_to_a_provider_that_there_is() -> None:
    assert {host.provider for host in HOSTS} - {""} <= providers_of(Kind.DNS).keys()
    assert len({host.label for host in HOSTS}) == len(HOSTS)


def test_names_are_typed_as_the_provider_wants_them() -> None:
    relative, empty, whole = Host("a", ()), Host("b", (), apex=""), Host("c", (), is_absolute=True)
    assert [host.entered("www", "www.example.com") for host in (relative, empty, whole)] == [
        "www",
        "www",
        "www.example.com",
    ]
    assert [host.entered("", "example.com") for host in (relative, empty, whole)] == ["@", "", "example.com"]
