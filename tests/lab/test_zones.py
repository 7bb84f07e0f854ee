"""Zones and records on real name servers: listed, changed through the API, and followed until all of them answer."""

from typing import Any, cast

import pytest

from deploynix.actor import Actor
from domains import contents
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers.actions import create_credential
from providers.base import Kind
from providers.models import Credential
from tests.apiclient import ApiClient
from tests.lab.names import Names
from tests.peers import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
VALUE = "v=one; two"


@pytest.fixture
def bind(names: Names, owner: Actor) -> Credential:
    values = names.bind.values()
    return create_credential(owner, kind=Kind.DNS, provider="rfc2136", name="BIND", values=values)


@pytest.fixture
def pdns(names: Names, owner: Actor) -> Credential:
    values = names.pdns.values()
    return create_credential(owner, kind=Kind.DNS, provider="powerdns", name="PowerDNS", values=values)


def data(api: ApiClient, credential: Credential, rest: str) -> list[dict[str, Any]]:
    response = api.get(f"/dns-providers/{credential.pk}/zones{rest}")
    assert response.status_code == 200, response.content
    return cast(list[dict[str, Any]], response.json()["data"])


def run_latest() -> None:
    job = Job.objects.order_by("-id")[0]
    run_job(job.pk)
    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED, job.error


def answers(api: ApiClient, credential: Credential, name: str) -> dict[str, Any]:
    """By server of the zone."""
    zone = name.partition(".")[2]
    rows = data(api, credential, f"/{zone}/propagation?name={name}&type=TXT")
    return {row["server"]: row["values"] for row in rows if row["is_authoritative"]}


@pytest.fixture(autouse=True)
def _asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "ANSWERS_SECONDS", 0)
    # Nobody outside is asked.
    monkeypatch.setattr(contents, "public_answers", lambda *asked: [])


@pytest.mark.parametrize(("server", "zone"), [("bind", "example.test"), ("pdns", "pdns.test")])
def test_a_record_is_added_seen_and_removed(
    request: pytest.FixtureRequest, api: ApiClient, server: str, zone: str
) -> None:
    credential: Credential = request.getfixturevalue(server)
    assert {"name": zone} in data(api, credential, "")
    there = data(api, credential, f"/{zone}/records")
    name = f"www.{zone}"
    body = {"name": "www", "type": "TXT", "value": VALUE, "ttl": 120}
    assert api.post(f"/dns-providers/{credential.pk}/zones/{zone}/records", body).status_code == 202
    run_latest()
    (row,) = [row for row in data(api, credential, f"/{zone}/records") if row not in there]
    assert (row["name"], row["type"], row["value"], row["ttl"]) == (name, "TXT", VALUE, 120)
    assert list(answers(api, credential, name).values()) == [[VALUE]]

    assert api.delete(f"/dns-providers/{credential.pk}/zones/{zone}/records/{row['id']}").status_code == 202
    run_latest()
    assert data(api, credential, f"/{zone}/records") == there
    assert list(answers(api, credential, name).values()) == [[]]


def test_a_server_that_lags_is_seen_to(api: ApiClient, bind: Credential, names: Names) -> None:
    body = {"name": "late", "type": "TXT", "value": VALUE}
    assert api.post(f"/dns-providers/{bind.pk}/zones/slow.test/records", body).status_code == 202
    run_latest()
    assert answers(api, bind, "late.slow.test") == {"ns1.slow.test": [VALUE], "ns2.slow.test": []}
    names.secondary.catch_up("slow.test")
    wait_until(
        lambda: answers(api, bind, "late.slow.test")["ns2.slow.test"] == [VALUE], 10, "the second server to answer it"
    )


def test_a_server_that_knows_nothing_of_the_zone_is_named(api: ApiClient, bind: Credential) -> None:
    rows = data(api, bind, "/lame.test/propagation?name=www.lame.test&type=TXT")
    refusing = next(row for row in rows if row["server"] == "ns2.lame.test")
    assert refusing["values"] is None
    assert "REFUSED" in refusing["error"]


def test_a_key_that_may_not_transfer_is_told_how_to(api: ApiClient, owner: Actor, names: Names) -> None:
    values = names.bind.values(key="reader")
    reader = create_credential(owner, kind=Kind.DNS, provider="rfc2136", name="Reader", values=values)
    response = api.get(f"/dns-providers/{reader.pk}/zones/example.test/records")
    assert response.status_code == 422
    assert "allow-transfer" in response.json()["hint"]
