"""What authorities answer, in the words that people get; and what ACME computes from keys and certificates."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from django.utils import timezone

from certificates.acme.directories import DIRECTORIES, staging_of, url_of
from certificates.acme.errors import LONGEST_QUOTE, RateLimited, error_of
from certificates.acme.keys import account_key, ari_id, dns_value, key_authorization, new_key
from certificates.acme.objects import Authorization, Order, parse_moment
from certificates.chains import chosen
from tests.certificates.authority import Authority

PREFIX = "urn:ietf:params:acme:error:"


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("caa", "CAA record"),
        ("dns", "name server"),
        ("unauthorized", "did not find the proof"),
        ("rejectedIdentifier", "choose another CA"),
        ("badCSR", "other type of key"),
        ("externalAccountRequired", "HMAC key"),
        ("userActionRequired", "new terms"),
    ],
)
def test_each_problem_has_its_advice(kind: str, advice: str) -> None:
    error = error_of({"type": PREFIX + kind, "detail": "No.", "status": 403}, host="ca.example")
    assert (error.message, error.problem, error.retryable) == ("ca.example refuses: No", kind, False)
    assert advice in error.hint


def test_subproblems_name_their_names() -> None:
    caa = {"type": f"{PREFIX}caa", "detail": "Forbidden", "identifier": {"type": "dns", "value": "shop.example"}}
    error = error_of({"type": f"{PREFIX}compound", "detail": "Several", "subproblems": [caa]}, host="ca.example")
    assert error.message == "ca.example refuses: Several; shop.example: Forbidden"
    assert "CAA record" in error.hint


def test_a_limit_says_when_to_go_on() -> None:
    document = {"type": f"{PREFIX}rateLimited", "detail": "Too many"}
    limited = error_of(document, host="ca.example", retry_after=90.0)
    assert isinstance(limited, RateLimited)
    assert limited.retry_after == 90.0
    unknown = error_of(document, host="ca.example")
    assert isinstance(unknown, RateLimited)
    assert unknown.retry_after == 3600.0


@pytest.mark.parametrize("document", [None, [], "no", {"type": 5}, {"detail": None}, {"subproblems": [None, 3]}])
def test_any_answer_becomes_an_error(document: object) -> None:
    assert error_of(document, host="ca.example").message.startswith("ca.example refuses: ")


def test_a_quote_is_short_and_one_line() -> None:
    error = error_of({"detail": "a\nb\x1b[31m" + "x" * 5000}, host="ca.example")
    assert len(error.message) < LONGEST_QUOTE + 50
    assert error.message.isprintable()


def test_proofs_are_made_of_the_token_and_the_account_s_key() -> None:
    key = account_key(new_key())
    text = key_authorization("token", key)
    assert text.startswith("token.")
    assert len(text.removeprefix("token.")) == len(dns_value("token", key)) == 43
    assert dns_value("token", key) != dns_value("another", key)


def test_the_example_of_the_standard_has_its_id() -> None:
    """RFC 9773, section 4.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example")])
    now = timezone.now()
    issuer = x509.AuthorityKeyIdentifier(bytes.fromhex("69885b6b87464041e1b37b847ba0ae2cde01c8d4"), None, None)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x8765_4321, now, now)
    assert ari_id(builder.sign(key, SHA256())) == ""
    assert ari_id(builder.add_extension(issuer, False).sign(key, SHA256())) == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE"


def test_the_chain_to_the_preferred_root() -> None:
    one, other = Authority(), Authority("Other")
    chains = [authority.issue("shop.example")[0] for authority in (one, other)]
    assert chosen(chains, "Other Root") == chains[1]
    assert chosen(chains, "Nobody") == chosen(chains, "") == chains[0]


def test_directories_are_known_by_name() -> None:
    assert url_of("") == DIRECTORIES["letsencrypt"].url
    assert url_of("zerossl") == "https://acme.zerossl.com/v2/DV90"
    assert url_of("https://ca.example/directory") == "https://ca.example/directory"
    assert staging_of(DIRECTORIES["letsencrypt"].url) == DIRECTORIES["letsencrypt-staging"]
    assert staging_of(DIRECTORIES["zerossl"].url) is None
    assert staging_of("https://ca.example/directory") is None


def test_orders_and_authorisations_are_read() -> None:
    challenge = {"type": "dns-01", "url": "u", "token": "t", "status": "invalid", "error": {"type": "x"}}
    found = {"identifier": {"type": "dns", "value": "Shop.Example"}, "wildcard": True, "status": "invalid"}
    authorization = Authorization.parse("a", found | {"challenges": [challenge], "retry_after": 3.0})
    assert (authorization.full_name, authorization.error) == ("*.shop.example", {"type": "x"})
    assert authorization.challenge("http-01") is None
    with pytest.raises(LookupError):
        Order.parse("o", {"status": "pending"})
    with pytest.raises(ValueError, match="zone"):
        parse_moment("2026-03-01T00:00:00")
