"""What a provider declares about itself, and the calls that all of them make alike."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import quote

from django.conf import settings
from requests.utils import parse_header_links

from deploynix.http import Answer, Client, Unreachable
from providers.answers import MISREAD, Told, read_safely
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)

DEFAULT_PAUSE = 60.0
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# More pages than any account that a person looks after has.
MOST_PAGES = 200


class Kind(StrEnum):
    SERVER = "server"
    DNS = "dns"
    GIT = "git"
    STORAGE = "storage"


# What people call them.
KIND_LABELS = {Kind.SERVER: "Server", Kind.DNS: "DNS", Kind.GIT: "Git", Kind.STORAGE: "Backup"}


class Verdict(StrEnum):
    """`excess`: the credential may do more than is needed; `untestable`: the provider does not tell."""

    GRANTED = "granted"
    DENIED = "denied"
    EXCESS = "excess"
    UNTESTABLE = "untestable"


@dataclass(frozen=True, slots=True)
class Field:
    """One input of a credential's form. A `secret` one is stored encrypted and never shown again."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    help_text: str = ""
    pattern: str = ""
    choices: Sequence[tuple[str, str]] = ()
    default: str = ""
    # Shown in a text area: a key file, for example.
    is_long: bool = False
    # No secret itself, but another one with each new secret: a key's ID.
    changes_with_secret: bool = False


@dataclass(frozen=True, slots=True)
class Permission:
    """What the credential must be allowed, in the provider's own words (`label`), and what we need it for.

    Without an `optional` one everything works but what `reason` says.
    """

    key: str
    label: str
    reason: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class PermissionCheck:
    """What was found out about a permission: the `evidence` is the call and its answer, the `fix` what to do."""

    permission: str
    verdict: Verdict
    evidence: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Findings(Told):
    """Of one verification. `expires_at` is when the credential ends, where the provider tells."""

    checks: tuple[PermissionCheck, ...]
    expires_at: datetime | None = None
    account: str = ""

    def with_excess(self, permission: str, evidence: str, fix: str) -> "Findings":
        """The same, but what was granted of the permission turned out to come with more than is needed."""
        checks = (
            PermissionCheck(permission, Verdict.EXCESS, f"{check.evidence} {evidence}", fix)
            if check.permission == permission and check.verdict == Verdict.GRANTED
            else check
            for check in self.checks
        )
        return replace(self, checks=tuple(checks))


class Provider(ABC):
    """One provider of one kind. A subclass declares what people have to know, and makes the calls of its kind.

    `values` are the fields of a credential, by name.
    """

    kind: ClassVar[Kind]
    key: ClassVar[str]
    label: ClassVar[str]
    # What the credential is called at the provider: "API Token".
    credential: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    permissions: ClassVar[tuple[Permission, ...]]
    used_for: ClassVar[tuple[str, ...]]
    steps: ClassVar[tuple[str, ...]]
    # What an account must fulfil before its credentials work at all.
    gates: ClassVar[tuple[str, ...]] = ()
    notes: ClassVar[tuple[str, ...]] = ()
    # Where people make the credential.
    console_url: ClassVar[str] = ""
    # Pages show the declaration, which is the class itself.
    do_not_call_in_templates = True

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def __init_subclass__(cls, **options: Any) -> None:
        """What a contract promises raises nothing but what it says, whatever the provider answers."""
        super().__init_subclass__(**options)
        promised = {name for base in cls.mro() for name in getattr(base, "__abstractmethods__", ())}
        for name, member in [*vars(cls).items()]:
            if name in promised and inspect.isfunction(member):
                setattr(cls, name, read_safely(member))

    @classmethod
    def needed(cls) -> frozenset[str]:
        """The keys of the permissions without which something does not work."""
        return frozenset(permission.key for permission in cls.permissions if not permission.optional)

    @abstractmethod
    def verify(self) -> Findings:
        """Probes each declared permission by the calls that are really made, without lasting effect.

        Raises InvalidCredential where the provider knows no such credential, RateLimited and Unavailable.
        """

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """The fields of a credential that was given as one string; by default it is the only field."""
        required = [field.name for field in cls.fields if field.required]
        if len(required) != 1:
            raise ValueError("give the fields one by one")
        return {required[0]: text}

    def policy(self) -> Mapping[str, Any] | None:
        """The smallest policy document that opens all permissions, with the credential's own names filled in.

        What opens those that are optional stands in parts of its own, named so, which can be left out.
        """
        return None


class HttpProvider(Provider):
    """A provider with an HTTP API that speaks JSON."""

    # The vendor's own; the operator's setting PROVIDER_URLS overrides it. One without is told where to ask.
    base_url: str
    # What a provider answers to somebody who lacks a permission.
    denials: ClassVar[tuple[type[ProviderError], ...]] = (MissingPermission,)
    # Secrets that are none of the credential's, and are sent to the provider: no error shows them.
    hidden: frozenset[str] = frozenset()

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        if url := settings.PROVIDER_URLS.get(f"{self.kind}:{self.key}"):
            self.base_url = url
        self._client = Client({"Accept": "application/json", "User-Agent": "Deploynix", **self.headers()})

    def headers(self) -> Mapping[str, str]:
        """What signs each request."""
        return {}

    @property
    def address(self) -> str:
        """What paths are appended to."""
        return self.base_url

    def call(self, method: str, path: str, permission: str = "", **options: Any) -> Any:
        """The answer's JSON. `permission` is what is missing where the provider answers 403.

        Raises ProviderError.
        """
        return self.exchange(method, path, permission, **options)[0]

    def exchange(self, method: str, path: str, permission: str = "", **options: Any) -> tuple[Any, Mapping[str, str]]:
        """As `call`, and the answer's headers too."""
        answer = self.ask(method, path, **options)
        if not answer.is_ok:
            raise self.error_of(answer, permission)
        try:
            return answer.json(), answer.headers
        except (ValueError, RecursionError) as error:
            raise Unavailable(f"{self.label} answered something that is no JSON.") from error

    def linked_pages(self, path: str, permission: str = "", **options: Any) -> Iterator[Any]:
        """The JSON of each page of a listing whose `Link` headers (RFC 8288) lead from one to the next."""
        for _ in range(MOST_PAGES):
            page, headers = self.exchange("GET", path, permission, **options)
            yield page
            links = parse_header_links(headers.get("Link", ""))
            path, options = next((link["url"] for link in links if link.get("rel") == "next"), ""), {}
            # The credential goes nowhere else.
            if not path.startswith(f"{self.address}/"):
                return

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        """The answer, whatever its status. `path` may be a whole address. Raises Unavailable."""
        url = path if path.startswith(("https://", f"{self.address}/")) else f"{self.address}{path}"
        try:
            return self._client.send(method, url, **options)
        except Unreachable as error:
            raise Unavailable(f"{self.label}: {error.message}") from error
        except UnicodeEncodeError:
            # A header has no more than Latin-1. The error itself holds the text.
            raise InvalidCredential(
                f"The {self.credential} holds a character that none can have.", "Copy it once more."
            ) from None
        except ValueError:
            raise ProviderError(f"{self.label} has no such address.", "Correct the address.") from None

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        said = f"{self.label} answered {answer.status}"
        detail = self.said(answer)
        message = f"{said}: {detail.rstrip('.')}." if detail else f"{said}."
        if answer.status == 401:
            return InvalidCredential(message, f"Make a new {self.credential} and replace this one with it.")
        if answer.status == 403:
            return MissingPermission(permission, message, self.how_to_grant(permission))
        if answer.status == 404:
            return NotFound(message)
        if answer.status in (409, 412):
            return Conflict(message)
        if answer.status == 429:
            return RateLimited(self.label, answer.retry_after or DEFAULT_PAUSE)
        if answer.status >= 500:
            return Unavailable(message)
        if answer.status in REDIRECTS:
            return ProviderError(message, "It sends us elsewhere, where no credential is sent to.")
        return ProviderError(message)

    def said(self, answer: Answer) -> str:
        """The provider's own words about an error, shortened; empty where it has none."""
        try:
            text = self.error_text(answer.json())
        except MISREAD:
            return ""
        shown = "".join(letter if letter.isprintable() else " " for letter in str(text))
        return self.redacted(" ".join(shown.split()))[:300] if text else ""

    def error_text(self, body: Any) -> str:
        """What an error body says; how it says so differs by provider."""
        return str(body.get("message") or body.get("error") or "")

    def redacted(self, text: str) -> str:
        """Without the secrets of the credential, and those that were sent along."""
        secrets = {self.values.get(field.name, "") for field in self.fields if field.secret} | self.hidden
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= 6:
                text = text.replace(secret, "[secret]").replace(quote(secret, safe=""), "[secret]")
        return text

    def how_to_grant(self, permission: str) -> str:
        labels = [declared.label for declared in self.permissions if declared.key == permission]
        return f"Give the {self.credential} the permission {labels[0]}, then check it again." if labels else ""

    def probe(self, permission: str, method: str, path: str, **options: Any) -> PermissionCheck:
        """Whether a call that needs the permission is let through: one of `denials` says no, anything else yes.

        Raises InvalidCredential, RateLimited and Unavailable.
        """
        answer = self.ask(method, path, **options)
        evidence = f"{method} {path.partition('?')[0]}: {answer.status}"
        error = None if answer.is_ok else self.error_of(answer, permission)
        if isinstance(error, self.denials):
            return PermissionCheck(permission, Verdict.DENIED, evidence, self.how_to_grant(permission))
        if isinstance(error, InvalidCredential | RateLimited | Unavailable) or (error and answer.status in REDIRECTS):
            raise error
        return PermissionCheck(permission, Verdict.GRANTED, evidence)


def numbered_pages(fetch: Any, most: int = MOST_PAGES) -> Iterator[Any]:
    """The items of `fetch(1)`, `fetch(2)`, ...: each returns its items and whether there is another page."""
    for number in range(1, most + 1):
        items, is_last = fetch(number)
        yield from items
        if is_last:
            return
