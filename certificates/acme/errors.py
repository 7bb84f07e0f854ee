"""What a certificate authority refuses, in words that help. RFC 8555, section 6.7: problem documents.

What the CA says is quoted, cut to a size; it holds no key and no secret, for none is ever sent to it.
"""

import re
from typing import Any

from deploynix.errors import Error

LONGEST_QUOTE = 600
# Where the CA names no time.
PAUSE_SECONDS = 3600.0
PREFIX = "urn:ietf:params:acme:error:"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")

HINTS = {
    "accountDoesNotExist": "The CA has forgotten the account. Try again: it is registered anew.",
    "badCSR": "The CA does not take a key of this type, or one of the names. Try the other type of key.",
    "caa": "A CAA record of the domain names other authorities. Add one for this CA, or choose the one that it names.",
    "connection": "The CA could not reach the server. Its firewall and every A and AAAA record must lead to port 80.",
    "dns": "The CA could not look the name up. See what each name server of the domain answers.",
    "dnssec": "The domain's DNSSEC is broken: its signatures do not match what its registry says.",
    "externalAccountRequired": "This CA serves its customers only. Enter the key id and HMAC key that it gave you.",
    "incorrectResponse": "The CA saw another proof. See what each name server answers, and where the names lead. "
    "What it saw a few minutes ago it may still remember: then try again later.",
    "invalidContact": "The CA does not take the e-mail address. Use another one.",
    "rejectedIdentifier": "The CA issues no certificate for one of these names. Leave it out, or choose another CA.",
    "serverInternal": "The CA has a fault of its own. Try again later.",
    "tls": "The CA could not speak TLS with the server.",
    "unauthorized": "The CA did not find the proof. Each name has to lead to this server (HTTP-01), or its zone has to "
    "be the one that the DNS credential opens (DNS-01), and an answer of a few minutes ago may still be remembered.",
    "unsupportedContact": "The CA does not take the e-mail address. Use another one.",
    "userActionRequired": "The CA wants somebody to act, such as to agree to new terms. Its message says where.",
}


class AcmeError(Error):
    """The CA did not do what was asked. `problem` is its type, without the prefix; empty where it named none."""

    status = 502
    code = "acme_error"

    def __init__(self, message: str, hint: str = "", *, problem: str = "", retryable: bool = False) -> None:
        super().__init__(message, hint, retryable=retryable)
        self.problem = problem


class RateLimited(AcmeError):
    """The CA wants a pause of `retry_after` seconds."""

    code = "acme_rate_limited"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, "Deploynix goes on by itself after the pause.", problem="rateLimited")
        self.retry_after = retry_after


def error_of(document: Any, *, host: str, retry_after: float | None = None) -> AcmeError:
    """The error that a problem document stands for, its subproblems (section 6.7.1) included."""
    kind = _kind_of(document)
    parts = [_quote(document), *(_quote_of_name(each) for each in _subproblems(document))]
    quote = "; ".join(part for part in parts if part)[:LONGEST_QUOTE] or "it gives no reason"
    message = f"{host} refuses: {quote}"
    if kind == "rateLimited":
        return RateLimited(message, PAUSE_SECONDS if retry_after is None else retry_after)
    subkinds = [_kind_of(each) for each in _subproblems(document)]
    hint = next((HINTS[one] for one in (kind, *subkinds) if one in HINTS), "")
    return AcmeError(message, hint, problem=kind, retryable=kind in ("serverInternal", "accountDoesNotExist"))


def misread(host: str) -> AcmeError:
    return AcmeError(f"{host} answers what is not ACME.", "Check the address of the directory.")


def _subproblems(document: Any) -> list[Any]:
    found = document.get("subproblems") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _kind_of(document: Any) -> str:
    return str(document.get("type", "")).removeprefix(PREFIX) if isinstance(document, dict) else ""


def _quote(document: Any) -> str:
    text = document.get("detail") or document.get("title") if isinstance(document, dict) else ""
    return _CONTROL.sub(" ", str(text or "")).strip().rstrip(".")


def _quote_of_name(document: Any) -> str:
    identifier = document.get("identifier") if isinstance(document, dict) else None
    name = identifier.get("value") if isinstance(identifier, dict) else None
    return f"{name}: {_quote(document)}" if name else _quote(document)
