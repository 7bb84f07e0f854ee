"""A DNS credential at a vendor that stands in, and name servers that answer as they are told to."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from deploynix.actor import Actor
from domains import contents
from domains.lookup import Answer, Authority, NameServer
from jobs.models import Job
from jobs.runner import run_job
from providers.actions import create_credential
from providers.base import Kind
from providers.models import Credential
from tests.contract.dns import cloudflare
from tests.contract.state import DnsState
from tests.contract.vendor import Vendor, standing_in

SECRET = cloudflare.VALUES["api_token"]
WWW = "www.example.com"


@pytest.fixture
def state() -> DnsState:
    found = DnsState()
    found.add("example.com", WWW, "A", "203.0.113.1")
    found.add("example.com", "example.com", "TXT", "v=spf1 -all", ttl=3600)
    found.add("example.com", "example.com", "MX", "10 mail.example.com")
    found.add("example.com", "*.shop.example.com", "CNAME", "target.example.net")
    return found


@pytest.fixture(autouse=True)
def vendor(state: DnsState) -> Iterator[Vendor]:
    (found,) = cloudflare.vendors(state)
    with standing_in(found):
        yield found


@pytest.fixture
def dns(owner: Actor) -> Credential:
    return connected(owner)


def connected(actor: Actor, name: str = "Cloudflare") -> Credential:
    return create_credential(actor, kind=Kind.DNS, provider="cloudflare", name=name, values=cloudflare.VALUES)


def run_latest() -> Job:
    """Runs the job that was queued last."""
    job = Job.objects.order_by("-id")[0]
    run_job(job.pk)
    job.refresh_from_db()
    return job


@dataclass
class NameServers:
    """What they answer: by the server's name."""

    values: dict[str, tuple[str, ...] | None] = field(default_factory=dict)

    def authority(self, name: str) -> Authority:
        return Authority("example.com", tuple(NameServer(each, ("203.0.113.53",)) for each in self.values))

    def answers(self, authority: Authority, name: str, type: str) -> list[Answer]:  # noqa: A002 -- its name in DNS
        return [
            Answer(server, "203.0.113.53", values, "" if values is not None else f"{server} does not answer.")
            for server, values in self.values.items()
        ]


@pytest.fixture
def name_servers(monkeypatch: pytest.MonkeyPatch) -> NameServers:
    """tests/lab asks real ones."""
    found = NameServers({"ns1.example.net": ("203.0.113.1",), "ns2.example.net": ("203.0.113.1",)})
    monkeypatch.setattr(contents, "authority_of", found.authority)
    monkeypatch.setattr(contents, "answers", found.answers)
    monkeypatch.setattr(contents, "public_answers", lambda *asked: [Answer("Quad9", "9.9.9.9", ())])
    return found
