"""Reads EMAIL_URL: `console:` prints mail, `smtp://user:password@host:587?tls=1` sends it."""

from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

CONSOLE = "deploynix.mail_backends.ConsoleBackend"
SMTP = "deploynix.mail_backends.SmtpBackend"
_PORTS = {"smtp": 25, "smtps": 465}


def email_settings(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings. `smtps:` is TLS from the first byte, `?tls=1` is STARTTLS.

    User and password are URL-encoded. Raises ImproperlyConfigured, which does not repeat the password.
    """
    parts = urlsplit(url)
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": CONSOLE}
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ImproperlyConfigured("EMAIL_URL is neither console: nor smtp://user:password@host:port?tls=1.")
    return {
        "EMAIL_BACKEND": SMTP,
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": _port(parts),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": parts.scheme == "smtps",
        "EMAIL_USE_TLS": _starts_tls(parts),
        "EMAIL_TIMEOUT": 10,
    }


def _port(parts: SplitResult) -> int:
    try:
        return parts.port or _PORTS[parts.scheme]
    except ValueError as error:
        raise ImproperlyConfigured("EMAIL_URL: the port is not a number up to 65535.") from error


def _starts_tls(parts: SplitResult) -> bool:
    options = parse_qs(parts.query, keep_blank_values=True)
    value = options.pop("tls", ["0"])[-1]
    if options or value not in {"0", "1"} or (value == "1" and parts.scheme == "smtps"):
        raise ImproperlyConfigured("EMAIL_URL: the only option is ?tls=1, and only of smtp://.")
    return value == "1"
