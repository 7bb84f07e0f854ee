"""The one door to the outside: every request that Deploynix makes to a provider, a store or a CA passes it.

An address that a user typed, or that a name resolves to, must not lead into our own network. The check sits where the
connection is made, on the address that is then connected to, so that no name can point elsewhere a moment later.
"""

import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from deploynix.errors import Error
from deploynix.guard import GUARDED_POOLS

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
# A whole answer, however slowly it trickles in.
TOTAL_SECONDS = 60.0
LARGEST_BODY = 8 * 1024 * 1024
ATTEMPTS = 4
# Seconds; each pause is twice as long as the one before.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
RETRIED = frozenset({429, 502, 503, 504})
# What may be sent twice, because the second time changes nothing more.
REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_CHUNK = 64 * 1024


class Unreachable(Error):
    """Nothing came back, or not all of it. `retryable` as in every error."""

    status = 502
    code = "unreachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `text` and `json` are for small bodies; all of them are smaller than LARGEST_BODY."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON; None for an empty one. Raises ValueError."""
        return json.loads(self.body) if self.body.strip() else None

    @property
    def retry_after(self) -> float | None:
        """Seconds, as the header says, in one of its two forms (RFC 9110, 10.2.3); None without one."""
        text = self.headers.get("Retry-After", "")
        if text.isdecimal():
            return float(text)
        moment = parsedate_tz(text)
        return None if moment is None else max(0.0, mktime_tz(moment) - time.time())


class Client:
    """Sends requests to one party, on connections that are kept. `headers` go with each of them.

    Redirects are answers, not followed; the environment's proxies are not used.
    """

    def __init__(self, headers: Mapping[str, str] | None = None, *, largest: int = LARGEST_BODY) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(headers or {})
        self._largest = largest
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _GuardedAdapter())

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """`options` are those of `requests.request`: params, json, data, headers, auth.

        What may be sent twice is, where nothing came back or the other side is busy, after the pause that it asks
        for. Raises Unreachable, and Refused.
        """
        pause = FIRST_PAUSE
        for attempt in range(1, ATTEMPTS + 1):
            is_last = attempt == ATTEMPTS
            try:
                answer = self.send_once(method, url, **options)
            except Unreachable as error:
                if is_last or method not in REPEATABLE or not error.retryable:
                    raise
            else:
                asked = answer.retry_after or 0.0
                if is_last or not _is_worth_another(method, answer) or asked > LONGEST_PAUSE:
                    return answer
                pause = max(pause, asked)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        raise AssertionError("the last attempt returns or raises")

    def send_once(self, method: str, url: str, **options: Any) -> Answer:
        """As `send`, without another attempt: for what is never sent twice in the same words."""
        host = urlsplit(url).hostname or url
        deadline = time.monotonic() + TOTAL_SECONDS
        try:
            with self._session.request(
                method, url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True, **options
            ) as response:
                return Answer(response.status_code, response.headers, self._read(response, host, deadline))
        except requests.exceptions.InvalidURL as error:
            raise Unreachable(f"{host} is no address that can be called.") from error
        except requests.exceptions.SSLError as error:
            raise Unreachable(f"The certificate of {host} is not valid for it.") from error
        # Their texts may hold the address with its query, and so a secret: they are not shown.
        except (requests.exceptions.RequestException, HTTPError, OSError) as error:
            raise Unreachable(f"{host} cannot be reached.", "Try again in a moment.", retryable=True) from error

    def _read(self, response: requests.Response, host: str, deadline: float) -> bytes:
        body = bytearray()
        # A piece of a size would wait until all of it is there, however slowly it comes.
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > self._largest:
                raise Unreachable(f"{host} answered more than {self._largest // 1024} KiB.")
            if time.monotonic() > deadline:
                raise Unreachable(f"{host} took longer than {TOTAL_SECONDS:.0f} seconds to answer.", retryable=True)
        return bytes(body)


def _is_worth_another(method: str, answer: Answer) -> bool:
    """A 429 did nothing, so that it may be repeated whatever the method."""
    return answer.status == 429 or (answer.status in RETRIED and method in REPEATABLE)


class _GuardedAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=outbound_context())
        self.poolmanager.pool_classes_by_scheme = GUARDED_POOLS


def outbound_context() -> ssl.SSLContext:
    """Believes the authorities of OUTBOUND_CA_BUNDLE; urllib3 adds the well-known ones when it connects."""
    context = create_urllib3_context()
    if bundle := settings.OUTBOUND_CA_BUNDLE:
        context.load_verify_locations(bundle)
    return context
