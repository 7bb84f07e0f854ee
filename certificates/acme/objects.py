"""Orders and authorisations as a CA describes them. RFC 8555, section 7.1."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

PENDING, READY, PROCESSING, VALID = "pending", "ready", "processing", "valid"


@dataclass(frozen=True, slots=True)
class Challenge:
    """`error` is a problem document, or None."""

    type: str
    url: str
    token: str
    status: str
    error: Any


@dataclass(frozen=True, slots=True)
class Authorization:
    """`name` is without the `*.` of a wildcard. `retry_after` is in seconds, None where the CA names no pause."""

    url: str
    name: str
    is_wildcard: bool
    status: str
    challenges: tuple[Challenge, ...]
    retry_after: float | None = None

    @classmethod
    def parse(cls, url: str, found: Mapping[str, Any]) -> Self:
        """Raises LookupError, TypeError and ValueError."""
        challenges = tuple(
            Challenge(
                str(each["type"]), str(each["url"]), str(each.get("token", "")), str(each["status"]), each.get("error")
            )
            for each in found["challenges"]
        )
        name = str(found["identifier"]["value"]).lower()
        is_wildcard = bool(found.get("wildcard"))
        return cls(url, name, is_wildcard, str(found["status"]), challenges, found["retry_after"])

    @property
    def full_name(self) -> str:
        return f"*.{self.name}" if self.is_wildcard else self.name

    def challenge(self, kind: str) -> Challenge | None:
        return next((each for each in self.challenges if each.type == kind), None)

    @property
    def error(self) -> Any:
        """Why it is not valid: the problem document of the challenge that failed, or None."""
        return next((each.error for each in self.challenges if each.error), None)


@dataclass(frozen=True, slots=True)
class Order:
    """`error` is a problem document, or None."""

    url: str
    status: str
    names: frozenset[str]
    authorization_urls: tuple[str, ...]
    finalize_url: str
    certificate_url: str
    error: Any
    retry_after: float | None = None

    @classmethod
    def parse(cls, url: str, found: Mapping[str, Any]) -> Self:
        """Raises LookupError, TypeError and ValueError."""
        return cls(
            url=url,
            status=str(found["status"]),
            names=frozenset(str(each["value"]).lower() for each in found["identifiers"]),
            authorization_urls=tuple(str(each) for each in found["authorizations"]),
            finalize_url=str(found["finalize"]),
            certificate_url=str(found.get("certificate", "")),
            error=found.get("error"),
            retry_after=found["retry_after"],
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Between these a certificate is to be renewed, and the CA wants to be asked for it again at `ask_at`."""

    start: datetime
    end: datetime
    ask_at: datetime


def parse_moment(text: str) -> datetime:
    """RFC 3339. Raises ValueError for a moment without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no time zone")
    return moment
