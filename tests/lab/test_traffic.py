"""Visitors notice nothing: 2,000 requests while five deploys and two rollbacks happen."""

import threading
import time
from collections.abc import Callable

import pytest

from sites.models import Release, Site
from tests.lab.sites import Shop, php_files, succeeded
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
REQUESTS = 2000
VISITORS = 4
CHANGES = ["deploy", "deploy", "rollback", "deploy", "deploy", "rollback", "deploy"]


class Traffic:
    """Visitors who ask for the site again and again, and keep what they were answered."""

    def __init__(self, visit: Callable[[], tuple[int, str]]) -> None:
        self._visit = visit
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on) for _ in range(VISITORS)]
        self.answers: list[tuple[int, str]] = []

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self) -> None:
        while not self._stop.is_set():
            try:
                self.answers.append(self._visit())
            except OSError as error:
                self.answers.append((0, str(error)))

    def wait_for(self, count: int) -> None:
        wait_until(lambda: len(self.answers) >= count, 120, f"{count} requests")


def test_no_request_fails_or_sees_two_releases(shop: Shop) -> None:
    repository = shop.repository(php_files("v0"))
    site = shop.site(repository, type="php", web_root="public")
    succeeded(shop.deploy(site))
    began = time.monotonic()
    with Traffic(lambda: shop.visit(site)) as traffic:
        for number, change in enumerate(CHANGES, start=1):
            traffic.wait_for(number * REQUESTS // (len(CHANGES) + 1))
            if change == "deploy":
                repository.commit(php_files(f"v{number}"), f"Version {number}")
                succeeded(shop.deploy(site))
            else:
                succeeded(shop.rollback(site))
        traffic.wait_for(max(REQUESTS, len(traffic.answers) + 50))
    print(f"{len(traffic.answers)} requests in {time.monotonic() - began:.1f} s")
    assert {status for status, _ in traffic.answers} == {200}
    assert {text for _, text in traffic.answers} == whole_pages(site)


def whole_pages(site: Site) -> set[str]:
    """What the page says in each of the releases, all of its parts from that one."""
    versions = dict(Release.objects.filter(site=site).values_list("pk", "message"))
    numbers = {pk: message.removeprefix("Version ") for pk, message in versions.items()}
    tags = {pk: "v0" if number == "First version" else f"v{number}" for pk, number in numbers.items()}
    return {f"{pk} {tag} {tag} {tag} {site.username}" for pk, tag in tags.items()}
