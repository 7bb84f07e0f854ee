"""Figures for Prometheus, at /metrics. https://prometheus.io/docs/instrumenting/exposition_formats/

They tell of all organizations, so they are for the operator alone: by address, or by a token.
"""

import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from deploynix.client import client_ip

logger = logging.getLogger(__name__)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure that goes up and down. `samples` are values by their labels; `name` ends with the unit."""

    name: str
    description: str
    samples: Iterable[tuple[Mapping[str, str], float]]


Source = Callable[[], Iterable[Gauge]]
_sources: list[Source] = []


def register_metrics(source: Source) -> Source:
    """Registers a function that reads the figures of an app."""
    _sources.append(source)
    return source


def metrics(request: HttpRequest) -> HttpResponse:
    """200, or 403 to whoever may not ask, or 503 while the database cannot be reached."""
    if not _may_ask(request):
        return _answer("Not from here, and not without the token: see METRICS_ALLOW and METRICS_TOKEN.\n", 403)
    try:
        return _answer("".join(_lines(gauge) for source in _sources for gauge in source()), 200)
    except DatabaseError as error:
        logger.warning("no metrics: the database cannot be asked: %s", error)
        return _answer("The database cannot be reached.\n", 503)


def _answer(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, CONTENT_TYPE, status, headers={"Cache-Control": "no-store"})


def _lines(gauge: Gauge) -> str:
    head = f"# HELP {gauge.name} {gauge.description}\n# TYPE {gauge.name} gauge\n"
    return head + "".join(f"{gauge.name}{_labels(labels)} {_number(value)}\n" for labels, value in gauge.samples)


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _number(value: float) -> str:
    return "+Inf" if value == float("inf") else f"{value:.15g}"


def _may_ask(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and settings.METRICS_TOKEN:
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    return _is_near(request)


def _is_near(request: HttpRequest) -> bool:
    # Behind a proxy that nobody has told us of, everybody has the address of the proxy.
    if not settings.TRUSTED_PROXIES and {"X-Forwarded-For", "Forwarded"} & set(request.headers):
        return False
    address = client_ip(request)
    return address is not None and any(ip_address(address) in ip_network(net) for net in settings.METRICS_ALLOW)
