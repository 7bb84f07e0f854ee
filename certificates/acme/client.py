"""What is asked of a CA, and what it answers: accounts, orders, authorisations, certificates. RFC 8555, section 7."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from acme import errors as library
from acme import messages
from acme.client import ClientV2
from cryptography import x509
from django.utils import timezone
from josepy.errors import DeserializationError
from josepy.interfaces import JSONDeSerializable
from josepy.jwk import JWK
from requests.utils import parse_header_links

from certificates.acme.errors import AcmeError, misread
from certificates.acme.network import Network
from certificates.acme.objects import Authorization, Order, Window, parse_moment
from deploynix.http import Answer

T = TypeVar("T")
# What reading an answer of another shape raises.
MISREAD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, DeserializationError)
# Of a list of orders, which only a worker that was killed in the wrong moment makes us read.
MOST_PAGES = 100
# RFC 9773, section 4.3.3, for a CA that does not say when to ask again.
ASK_AGAIN_SECONDS = 21_600.0


class Acme:
    """One account, or one to be, at one directory. Every method raises AcmeError, Unreachable and Refused."""

    def __init__(self, directory_url: str, key: JWK, account_url: str = "") -> None:
        self.key = key
        self.host = urlsplit(directory_url).hostname or directory_url
        self._network = Network(key)
        with self._read():
            self._client = ClientV2(ClientV2.get_directory(directory_url, self._network), self._network)
        if account_url:
            self._be(account_url)

    @property
    def terms_url(self) -> str:
        return str(self._client.directory.meta.terms_of_service or "")

    @property
    def caa_identities(self) -> tuple[str, ...]:
        """The names by which CAA records know it; none where it does not say."""
        return tuple(self._client.directory.meta.caa_identities or ())

    @property
    def offers_renewal_info(self) -> bool:
        return "renewalInfo" in self._client.directory.to_partial_json()

    def register(self, email: str, kid: str = "", hmac_key: str = "") -> str:
        """The address of the account, which is made where the key has none. The terms are agreed to by whoever asks for
        a certificate. `kid` and `hmac_key` (base64url) bind it to a customer of the CA (section 7.3.4)."""
        # It signs by its key: the account is not known yet.
        self._network.account = None
        with self._read():
            binding = None
            if kid:
                public = self.key.public_key()
                binding = messages.ExternalAccountBinding.from_data(public, kid, hmac_key, self._client.directory)
            wanted = messages.NewRegistration.from_data(
                email=email or None, terms_of_service_agreed=True, external_account_binding=binding
            )
            try:
                url = self._client.new_account(wanted).uri
            except library.ConflictError as known:
                url = known.location
        self._be(url)
        return url

    def new_order(self, names: Sequence[str], replaces: str = "") -> Order:
        """`replaces` is the `ari_id` of the certificate that the new one takes the place of (RFC 9773, section 5)."""
        wanted: dict[str, Any] = {"identifiers": [{"type": "dns", "value": name} for name in names]}
        if replaces and self.offers_renewal_info:
            wanted["replaces"] = replaces
        response = self._post(self._client.directory["newOrder"], _Json(wanted))
        return self._parsed(Order.parse, response.headers.get("Location", ""), response)

    def order(self, url: str) -> Order:
        return self._parsed(Order.parse, url, self._post(url))

    def orders(self) -> Iterator[str]:
        """The addresses of the account's orders; none where the CA keeps no such list (section 7.1.2.1)."""
        page = self._post(self._network.account.uri).json().get("orders") if self._network.account else None
        for _ in range(MOST_PAGES):
            if not page:
                return
            response = self._post(page)
            yield from self._parsed(lambda _, found: [str(url) for url in found["orders"]], page, response)
            page = next(iter(_links(response, "next")), None)

    def authorization(self, url: str) -> Authorization:
        return self._parsed(Authorization.parse, url, self._post(url))

    def answer_challenge(self, url: str) -> None:
        """Says that the proof can be looked for (section 7.5.1)."""
        self._post(url, _Json({}))

    def finalize(self, order: Order, csr: bytes) -> None:
        """`csr` is in PEM. That it was finalised before is no error."""
        request = messages.CertificateRequest(csr=x509.load_pem_x509_csr(csr))
        try:
            self._post(order.finalize_url, request)
        except AcmeError as error:
            if error.problem != "orderNotReady":
                raise

    def chains(self, order: Order) -> list[str]:
        """The certificate with what leads to a root, in PEM; first as the CA prefers it, then its alternatives."""
        response = self._post(order.certificate_url)
        return [response.text, *(self._post(url).text for url in _links(response, "alternate"))]

    def revoke(self, certificate: x509.Certificate, reason: int) -> None:
        """Section 7.6. That it was revoked before is no error."""
        try:
            with self._read():
                self._client.revoke(certificate, reason)
        except AcmeError as error:
            if error.problem != "alreadyRevoked":
                raise

    def renewal_info(self, ari_id: str) -> Window:
        """When the CA wants the certificate to be renewed (RFC 9773, section 4.2)."""
        with self._read():
            url = f"{self._client.directory['renewalInfo'].rstrip('/')}/{ari_id}"
            response = self._network.get(url)
            found = response.json()["suggestedWindow"]
            pause = Answer(200, response.headers, b"").retry_after or ASK_AGAIN_SECONDS
            return Window(parse_moment(found["start"]), parse_moment(found["end"]), _in(pause))

    def _be(self, account_url: str) -> None:
        self._network.account = messages.RegistrationResource(body=messages.Registration(), uri=account_url)

    def _post(self, url: str, body: Any = None) -> Any:
        with self._read():
            return self._network.post(url, body, new_nonce_url=self._client.directory["newNonce"])

    def _parsed(self, parse: Callable[[str, Any], T], url: str, response: Any) -> T:
        with self._read():
            retry_after = Answer(response.status_code, response.headers, b"").retry_after
            return parse(url, response.json() | {"retry_after": retry_after})

    @contextmanager
    def _read(self) -> Iterator[None]:
        """The CA's answers are a stranger's: one of another shape is its failure."""
        try:
            yield
        except (library.Error, *MISREAD) as error:
            raise misread(self.host) from error


class _Json(JSONDeSerializable):
    """A body as it is."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def to_partial_json(self) -> dict[str, Any]:
        return self._values

    @classmethod
    def from_json(cls, jobj: Any) -> "_Json":
        return cls(jobj)

    def __bool__(self) -> bool:
        # An empty body is a body, too: the library sends none where it is false.
        return True


def _links(response: Any, relation: str) -> Iterable[str]:
    # `response.links` keeps one of a relation.
    for link in parse_header_links(response.headers.get("Link", "")):
        if link.get("rel") == relation and "url" in link:
            yield str(link["url"])


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)
