"""What people want for a domain: one form for what is possible, and a field named for what is not."""

import pytest

from deploynix.errors import Invalid
from domains.wanted import MOST_RECORDS, Wanted, plain_domain, plain_records

DOMAIN = "shop.example.com"


@pytest.mark.parametrize(
    ("given", "plain"),
    [("Shop.Example.com.", DOMAIN), ("bücher.example", "xn--bcher-kva.example"), ("example.co.uk", "example.co.uk")],
)
def test_a_domain_has_one_form(given: str, plain: str) -> None:
    assert plain_domain(given) == plain


@pytest.mark.parametrize("given", ["", "localhost", "192.0.2.1", "*.example.com", "co.uk", "a b.example", "-x.example"])
def test_what_nobody_can_own_is_refused(given: str) -> None:
    with pytest.raises(Invalid) as refusal:
        plain_domain(given)
    assert list(refusal.value.errors) == ["domain"]


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        ({"type": "A", "value": "192.0.2.1"}, Wanted("A", "", "192.0.2.1", 300)),
        ({"type": "A", "name": "@", "value": " 192.0.2.1 ", "ttl": 60}, Wanted("A", "", "192.0.2.1", 60)),
        ({"type": "A", "name": DOMAIN, "value": "192.0.2.1"}, Wanted("A", "", "192.0.2.1")),
        ({"type": "AAAA", "name": f"WWW.{DOMAIN}.", "value": "2001:DB8:0::1"}, Wanted("AAAA", "www", "2001:db8::1")),
        ({"type": "CNAME", "name": "*", "value": "Bücher.example."}, Wanted("CNAME", "*", "xn--bcher-kva.example")),
        ({"type": "TXT", "name": "_a.b", "value": 'say "hi"'}, Wanted("TXT", "_a.b", 'say "hi"')),
    ],
)
def test_a_record_has_one_form(row: dict[str, object], plain: Wanted) -> None:
    assert plain_records(DOMAIN, [row]) == [plain]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"type": "MX", "value": "10 mail.example"}, "type"),
        ({"type": "A", "value": "2001:db8::1"}, "value"),
        ({"type": "A", "value": "192.0.2.256"}, "value"),
        ({"type": "AAAA", "value": "192.0.2.1"}, "value"),
        ({"type": "CNAME", "value": "192.0.2.1"}, "value"),
        ({"type": "CNAME", "value": "nothing"}, "value"),
        ({"type": "TXT", "value": ""}, "value"),
        ({"type": "TXT", "value": "two\nlines"}, "value"),
        ({"type": "TXT", "value": "x" * 2049}, "value"),
        ({"type": "A", "name": "a b", "value": "192.0.2.1"}, "name"),
        ({"type": "A", "name": "www.example.net/", "value": "192.0.2.1"}, "name"),
        ({"type": "A", "name": "x" * 64, "value": "192.0.2.1"}, "name"),
        ({"type": "TXT", "name": "_deploynix", "value": "mine"}, "name"),
        ({"type": "A", "value": "192.0.2.1", "ttl": 59}, "ttl"),
        ({"type": "A", "value": "192.0.2.1", "ttl": 86_401}, "ttl"),
    ],
)
def test_what_makes_no_record_is_named(row: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        plain_records(DOMAIN, [{"type": "TXT", "name": "first", "value": "fine"}, row])
    assert list(refusal.value.errors) == [f"records.1.{field}"]


def test_an_alias_stands_alone() -> None:
    alias, address = {"type": "CNAME", "value": "a.example"}, {"type": "A", "value": "192.0.2.1"}
    for rows in ([alias, address], [address, alias], [alias, {**alias, "value": "b.example"}]):
        with pytest.raises(Invalid) as refusal:
            plain_records(DOMAIN, rows)
        assert list(refusal.value.errors) == ["records.1.type"]
    assert len(plain_records(DOMAIN, [alias, {**address, "name": "www"}])) == 2


def test_a_record_is_wanted_once_and_there_are_not_too_many() -> None:
    address = {"type": "A", "value": "192.0.2.1"}
    with pytest.raises(Invalid):
        plain_records(DOMAIN, [address, {**address, "name": "@"}])
    for rows in ([], [{**address, "name": f"n{number}"} for number in range(MOST_RECORDS + 1)]):
        with pytest.raises(Invalid) as refusal:
            plain_records(DOMAIN, rows)
        assert list(refusal.value.errors) == ["records"]
