"""A vendor that is slow to answer about one credential holds up no other."""

import json
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from deploynix import redact
from deploynix.http import Answer
from jobs.models import Job
from jobs.run import Run
from providers.base import HttpProvider
from providers.dns.dnsimple import DnSimple
from providers.dns.netlify import Netlify
from providers.dns.vultr import VultrDns

WAIT_SECONDS = 5


def at_once(first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
    """What both return, each called in a thread of its own."""
    returned: list[Any] = []
    threads = [Thread(target=lambda each=each: returned.append(each())) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return returned


@pytest.mark.parametrize(
    ("adapter", "values", "asked", "body"),
    [
        (VultrDns, {"api_key": "0" * 36}, lambda adapter: adapter.account, {"account": {"name": "Acme"}}),
        (DnSimple, {"access_token": "0" * 32}, lambda adapter: adapter._account, {"data": {"account": {"id": 1}}}),
        (Netlify, {"access_token": "0" * 40}, lambda adapter: adapter._zones, []),
    ],
)
def test_two_credentials_of_a_vendor_are_asked_about_at_once(
    adapter: type[HttpProvider],
    values: dict[str, str],
    asked: Callable[[HttpProvider], Any],
    body: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = Barrier(2, timeout=WAIT_SECONDS)

    def answer(*given: Any, **options: Any) -> Answer:
        both.wait()
        return Answer(200, {}, json.dumps(body).encode())

    monkeypatch.setattr(HttpProvider, "ask", answer)
    first, second = adapter(values), adapter(values)
    assert len(at_once(lambda: asked(first), lambda: asked(second))) == 2


def test_two_jobs_collect_the_secrets_of_their_organizations_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2, timeout=WAIT_SECONDS)

    def source(organization_id: str) -> list[str]:
        both.wait()
        return [f"secret of {organization_id}"]

    monkeypatch.setattr(redact, "_sources", [source])
    first, second = Run(Job(organization_id="one")), Run(Job(organization_id="two"))
    told = at_once(lambda: first.redact("secret of one"), lambda: second.redact("secret of one"))
    assert sorted(told) == [redact.MASK, "secret of one"]
