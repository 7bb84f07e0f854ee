"""From the request that deploys a static site to the first answer with its new page."""

import itertools
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from bench.install import install
from bench.report import Report, WrongAnswer, run_part
from tests.peers import wait_until
from tools.demo.parts import Repository, repository
from tools.processes import Install, running_install

if TYPE_CHECKING:
    from deploynix.actor import Actor
    from servers.models import Server

DOMAIN = "bench.deploynix.test"
START_SECONDS = 60
DEPLOY_SECONDS = 60
POLL_SECONDS = 0.01


def measure(report: Report, quick: bool) -> None:
    rounds = 2 if quick else 7
    report.about = {"rounds": rounds, "site": "static, one page, a public repository, no build command"}
    with install():
        from bench.lab import provisioned
        from organizations.models import Role
        from tests import factories

        actor = factories.actor(factories.organization(), Role.OWNER)
        with (
            provisioned(actor.organization, 1) as (lab, [server]),
            repository(lab.gateway) as source,
            deploynix() as url,
        ):
            site = Site(url, actor, server, source)
            # The first one makes the site's user and folders, too.
            first, *times = [site.deploy() for _ in range(1 + rounds)]
    report.add("from click to serving", statistics.median(times), "s", "at most", 3)
    report.add("the slowest", max(times), "s")
    report.add("the first deploy of a site", first, "s")


@contextmanager
def deploynix() -> Iterator[str]:
    """The whole of Deploynix on this install; yields its address."""
    data = Path(os.environ["DATA"])
    here = Install(data, data)
    with running_install(here, os.environ):
        yield here.url


class Site:
    """A static site, made through the API."""

    def __init__(self, url: str, actor: "Actor", server: "Server", source: Repository) -> None:
        from tokens.actions import create_token

        self._source = source
        self._address = f"http://{server.ip_address}/"
        self._numbers = itertools.count(1)
        self._api = requests.Session()
        self._api.headers["Authorization"] = f"Bearer {create_token(actor, name='bench')[1]}"
        sites = f"{url}/api/v1/servers/{server.pk}/sites"
        source.commit("nothing yet")
        made = self._post(sites, domain=DOMAIN, type="static", repository_url=source.url, branch="main")
        self._deploy = f"{sites}/{made['data']['id']}/deploy"

    def deploy(self) -> float:
        """Seconds from the request until the server answers with a page that was just committed."""
        from jobs.models import Job

        text = f"version {next(self._numbers)}"
        self._source.commit(text)
        started = time.perf_counter()
        job = self._post(self._deploy)["job"]["id"]
        self._wait_for(text, job)
        seconds = time.perf_counter() - started
        wait_until(lambda: not Job.objects.open().filter(pk=job).exists(), DEPLOY_SECONDS, "the end of the job")
        return seconds

    def _wait_for(self, text: str, job_id: str) -> None:
        from jobs.models import Job

        deadline = time.monotonic() + DEPLOY_SECONDS
        while f"<p>{text}</p>" not in requests.get(self._address, headers={"Host": DOMAIN}, timeout=10).text:
            if time.monotonic() > deadline:
                job = Job.objects.get(pk=job_id)
                raise WrongAnswer(f"the page was not served; the job {job.status}: {job.error} {job.hint}")
            time.sleep(POLL_SECONDS)

    def _post(self, url: str, **fields: str) -> Any:
        response = self._api.post(url, json=fields, timeout=30)
        if not response.ok:
            raise WrongAnswer(f"{url} answered {response.status_code}: {response.text}")
        return response.json()


if __name__ == "__main__":
    run_part(measure)
