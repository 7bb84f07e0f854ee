"""Deployments that wait for their time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from jobs.actions import retry_job
from jobs.models import Job
from jobs.runner import run_job
from sites.actions.deployments import deploy_site
from sites.actions.schedule import cancel_scheduled_deploy, schedule_deploy
from sites.actions.sites import delete_site, suspend_site
from sites.models import Deployment, Site
from tests.apiclient import ApiClient
from tests.sites.conftest import address_of
from tests.sites.test_api import read
from tests.sites.test_pages import text_of

pytestmark = pytest.mark.django_db


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


def come(job: Job) -> None:
    """Its time comes."""
    Job.objects.filter(pk=job.pk).update(run_after=timezone.now())
    run_job(job.pk)
    job.refresh_from_db()


def scheduled(site: Site) -> Job | None:
    return site.scheduled_deploy


def weaker(owner: Actor, *abilities: str) -> Actor:
    return Actor(organization=owner.organization, abilities=frozenset(abilities), user=owner.user)


def test_it_waits_and_then_deploys_in_the_name_of_who_scheduled_it(owner: Actor, live: Site) -> None:
    at = later(hours=2)
    job = schedule_deploy(weaker(owner, "site:schedule"), site=live, scheduled_at=at, ref="v2")
    assert scheduled(live) == job
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.status, job.run_after) == ("queued", at)
    assert not Deployment.objects.exists()

    come(job)
    deployment = Deployment.objects.get()
    assert deployment.job
    assert (job.status, deployment.ref, deployment.job.lane) == ("succeeded", "v2", live.lane)
    assert job.result == {"deployment": deployment.pk}
    assert scheduled(live) is None
    events = AuditEvent.objects.order_by("id").exclude(event="site.created").values_list("event", "user")
    assert owner.user
    assert list(events) == [("site.deploy-scheduled", owner.user.pk), ("site.deployed", owner.user.pk)]


def test_without_a_ref_it_takes_the_branch_of_its_time(owner: Actor, live: Site) -> None:
    job = schedule_deploy(owner, site=live, scheduled_at=later(days=30))
    Site.objects.update(branch="production")
    come(job)
    assert Deployment.objects.get().ref == "production"


def test_it_is_newer_than_what_was_deployed_meanwhile(owner: Actor, live: Site) -> None:
    job = schedule_deploy(owner, site=live, scheduled_at=later(days=1))
    at_once = deploy_site(owner, site=live)
    come(job)
    newest = Deployment.objects.order_by("-id").first()
    assert newest
    assert newest.pk > at_once.pk
    row: Any = Site.objects.with_last_deployment().get()
    assert row.last_deployment_id == newest.pk


def test_a_worker_that_died_after_starting_it_does_not_start_it_twice(owner: Actor, live: Site) -> None:
    job = schedule_deploy(owner, site=live, scheduled_at=later(days=1))
    come(job)
    job.steps.update(status="running")
    Job.objects.filter(pk=job.pk).update(status="queued")
    run_job(job.pk)
    assert Deployment.objects.count() == 1


def test_what_the_site_cannot_take_by_then_fails_by_name(owner: Actor, live: Site) -> None:
    job = schedule_deploy(owner, site=live, scheduled_at=later(days=1))
    live.server.provisioned_at = None
    live.server.save()
    come(job)
    assert (job.status, job.error) == ("failed", "The server web-1 is not provisioned yet.")
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"scheduled_at": timedelta(0)}, "scheduled_at"),
        ({"scheduled_at": timedelta(days=-1)}, "scheduled_at"),
        ({"scheduled_at": timedelta(days=366)}, "scheduled_at"),
        ({"ref": "--upload-pack=x"}, "ref"),
    ],
)
def test_bad_values_schedule_nothing(owner: Actor, live: Site, changes: dict[str, Any], field: str) -> None:
    at = timezone.now() + changes.pop("scheduled_at", timedelta(days=1))
    with pytest.raises((Invalid, ValidationError)) as refusal:
        schedule_deploy(owner, site=live, scheduled_at=at, **changes)
    error: Any = refusal.value
    assert set(error.errors if isinstance(error, Invalid) else error.message_dict) == {field}
    assert not Job.objects.exists()


def test_one_at_a_time_and_the_second_is_told_when_the_first_begins(owner: Actor, live: Site) -> None:
    at = later(hours=2)
    schedule_deploy(owner, site=live, scheduled_at=at)
    with pytest.raises(Conflict, match=f"{at:%Y-%m-%d %H:%M:%S} UTC") as refusal:
        schedule_deploy(owner, site=live, scheduled_at=later(hours=1))
    assert "cancel-scheduled-deploy" in refusal.value.hint
    cancel_scheduled_deploy(weaker(owner, "site:schedule"), site=live)
    assert scheduled(live) is None
    with pytest.raises(Conflict, match="No deployment"):
        cancel_scheduled_deploy(owner, site=live)
    schedule_deploy(owner, site=live, scheduled_at=later(hours=1))


def test_one_that_was_cancelled_and_is_retried_begins_at_once(owner: Actor, live: Site) -> None:
    job = schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    cancel_scheduled_deploy(owner, site=live)
    retry_job(owner, job=job)
    run_job(job.pk)
    assert Deployment.objects.count() == 1


def test_suspending_and_deleting_cancel_it(owner: Actor, live: Site) -> None:
    first = schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    suspend_site(weaker(owner, "site:suspend"), site=live)
    first.refresh_from_db()
    assert first.status == "cancelled"
    Site.objects.update(status="suspended")
    with pytest.raises(Conflict, match="suspended"):
        schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    Site.objects.update(status="active")
    Job.objects.update(status="succeeded")
    second = schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    assert delete_site(weaker(owner, "site:delete"), site=live)
    second.refresh_from_db()
    assert second.status == "cancelled"
    with pytest.raises(Conflict, match="being removed"):
        schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    assert AuditEvent.objects.filter(event="site.scheduled-deploy-cancelled").count() == 2


def test_forgetting_a_site_leaves_no_job_that_would_deploy_it(owner: Actor, site: Site) -> None:
    job = schedule_deploy(owner, site=site, scheduled_at=later(hours=2))
    assert delete_site(owner, site=site) is None
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_it_does_not_keep_other_work_waiting(owner: Actor, live: Site, owner_client: Client) -> None:
    schedule_deploy(owner, site=live, scheduled_at=later(days=7))
    assert "every 2s" not in text_of(owner_client, address_of(live)), "nothing is under way"
    assert "Nothing is running" in text_of(owner_client, "/")
    Site.objects.update(installed_at=None)
    assert delete_site(owner, site=live, force=True) is None


def test_a_viewer_may_neither_schedule_nor_cancel(owner: Actor, member: Actor, live: Site) -> None:
    schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    for attempt in (
        lambda: schedule_deploy(member, site=live, scheduled_at=later(hours=1)),
        lambda: cancel_scheduled_deploy(weaker(owner, "site:deploy", "job:update"), site=live),
    ):
        with pytest.raises(Denied) as refusal:
            attempt()
        assert refusal.value.ability == "site:schedule"
    assert scheduled(live)


def test_the_api(owner: Actor, api: ApiClient, live: Site) -> None:
    scheduler = ApiClient.signed_in(owner, ["site:schedule"])
    at = f"{later(hours=3):%Y-%m-%dT%H:%M:%S}"
    response = scheduler.post(address_of(live, "/schedule-deploy"), {"scheduled_at": f"{at}+00:00", "ref": "v2"})
    assert response.status_code == 202
    answer = read(response)
    assert (answer["message"], answer["data"]["scheduled_deploy_at"]) == ("Deployment scheduled.", f"{at}Z")
    assert answer["data"]["last_deployment_id"] is None
    job = read(api.get(f"/jobs/{answer['job']['id']}"))["data"]
    assert (job["status"], job["run_after"]) == ("queued", f"{at}Z")
    response = scheduler.post(address_of(live, "/schedule-deploy"), {"scheduled_at": at})
    assert (response.status_code, at.replace("T", " ") in read(response)["message"]) == (409, True)
    assert read(api.get("/sites"))["data"][0]["scheduled_deploy_at"] == f"{at}Z"
    response = scheduler.post(address_of(live, "/cancel-scheduled-deploy"))
    assert (response.status_code, read(response)["data"]["scheduled_deploy_at"]) == (200, None)
    assert scheduler.post(address_of(live, "/cancel-scheduled-deploy")).status_code == 409
    # A time without an offset is in UTC.
    response = scheduler.post(address_of(live, "/schedule-deploy"), {"scheduled_at": at})
    assert read(response)["data"]["scheduled_deploy_at"] == f"{at}Z"


@pytest.mark.parametrize("value", [None, "", "tomorrow", 5, "2020-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00"])
def test_bad_input_of_the_api(api: ApiClient, live: Site, value: Any) -> None:
    response = api.post(address_of(live, "/schedule-deploy"), {"scheduled_at": value})
    assert (response.status_code, set(read(response)["errors"])) == (422, {"scheduled_at"})
    assert not Job.objects.exists()


def test_the_api_for_a_viewer_and_a_stranger(member_api: ApiClient, outsider_api: ApiClient, live: Site) -> None:
    body = {"scheduled_at": f"{later(hours=3):%Y-%m-%dT%H:%M:%SZ}"}
    for client, status in ((member_api, 403), (outsider_api, 404)):
        assert client.post(address_of(live, "/schedule-deploy"), body).status_code == status
        assert client.post(address_of(live, "/cancel-scheduled-deploy")).status_code == status
    assert not Job.objects.exists()


def test_the_pages(owner_client: Client, live: Site) -> None:
    assert "in UTC" in text_of(owner_client, address_of(live, "/schedule-deploy"))
    late = {"scheduled_at": "2020-01-01T10:00", "ref": ""}
    response = owner_client.post(address_of(live, "/schedule-deploy"), late)
    assert response.status_code == 422
    assert "must be a time in the future" in response.content.decode()
    assert 'value="2020-01-01T10:00"' in response.content.decode()
    at = later(days=2)
    form = {"scheduled_at": f"{at:%Y-%m-%dT%H:%M}", "ref": "v2"}
    page = owner_client.post(address_of(live, "/schedule-deploy"), form, follow=True).content.decode()
    assert f"{at:%H:%M} UTC" in page
    assert "v2" in page
    job = Job.objects.get()
    assert "Starts" in text_of(owner_client, f"/jobs/{job.pk}")
    assert "Cancel" in text_of(owner_client, address_of(live, "/schedule-deploy"))
    page = owner_client.post(address_of(live, "/cancel-scheduled-deploy"), follow=True).content.decode()
    assert "The scheduled deployment is cancelled." in page
    assert "is scheduled</span>" not in page


def test_the_pages_for_a_viewer_and_a_stranger(
    owner: Actor, member_client: Client, outsider_client: Client, live: Site
) -> None:
    schedule_deploy(owner, site=live, scheduled_at=later(hours=2))
    assert "needs the ability site:schedule" in text_of(member_client, address_of(live))
    for client, status in ((member_client, 403), (outsider_client, 404)):
        assert client.get(address_of(live, "/schedule-deploy")).status_code == status
        assert client.post(address_of(live, "/cancel-scheduled-deploy")).status_code == status
    assert scheduled(live)
