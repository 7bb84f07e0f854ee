"""Jobs under /api/v1/jobs."""

import pytest
from pytest_django import DjangoAssertNumQueries

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job, JobLog, Status
from jobs.runner import run_job
from tests.apiclient import ApiClient
from tests.jobs.toy import enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(owner: Actor) -> Job:
    return enqueue(owner)


def test_the_list_holds_the_jobs_of_the_organization(
    job: Job, api: ApiClient, member_api: ApiClient, outsider_api: ApiClient
) -> None:
    for client in (api, member_api):
        body = client.get("/jobs").json()
        assert [row["id"] for row in body["data"]] == [job.pk]
        assert body["meta"]["total"] == 1
    assert outsider_api.get("/jobs").json()["data"] == []


def test_the_list_filters(job: Job, owner: Actor, api: ApiClient) -> None:
    run_job(job.pk)
    other = enqueue(owner)

    def ids(query: str) -> list[str]:
        return [row["id"] for row in api.get(f"/jobs?{query}").json()["data"]]

    assert ids("status=succeeded") == [job.pk]
    assert ids("status=queued") == [other.pk]
    assert ids(f"subject_type=organization&subject_id={owner.organization.pk}") == [other.pk, job.pk]
    assert ids("subject_type=server") == []
    reading = enqueue_job(owner, kind="read_log", subject=owner.organization, label="Read a log")
    assert ids("kind=read_log") == [reading.pk]
    assert ids("") == [reading.pk, other.pk, job.pk], "the API leaves nothing out"
    assert ids("kind=nonsense") == []
    response = api.get("/jobs?status=lost")
    assert response.status_code == 422
    assert response.json()["errors"] == {"status": ["The selected status is invalid."]}


def test_the_list_costs_as_many_queries_however_long_it_is(
    owner: Actor, api: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    enqueue(owner)
    api.get("/jobs")
    with django_assert_num_queries(2):
        api.get("/jobs")
    for _ in range(20):
        enqueue(owner)
    with django_assert_num_queries(2):
        assert len(api.get("/jobs").json()["data"]) == 15


def test_one_job_with_its_steps(job: Job, api: ApiClient) -> None:
    run_job(job.pk)
    data = api.get(f"/jobs/{job.pk}").json()["data"]
    assert (data["status"], data["progress"], data["actor"], data["error"]) == ("succeeded", 100, "owner@acme.test", "")
    assert data["created_at"].endswith("Z")
    assert [(step["name"], step["status"]) for step in data["steps"]] == [
        ("first", "succeeded"),
        ("second", "succeeded"),
        ("third", "succeeded"),
    ]
    assert "params" not in data


def test_the_log_is_read_in_parts(job: Job, api: ApiClient) -> None:
    JobLog.objects.create(job=job, offset=0, text="one\ntwo\nthr")
    Job.objects.filter(pk=job.pk).update(log_size=11)
    assert api.get(f"/jobs/{job.pk}/log").json() == {"data": {"text": "one\ntwo\n", "next": 8, "ended": False}}
    assert api.get(f"/jobs/{job.pk}/log?after=4").json()["data"]["text"] == "two\n"
    Job.objects.filter(pk=job.pk).update(status=Status.FAILED)
    assert api.get(f"/jobs/{job.pk}/log?after=8").json() == {"data": {"text": "thr", "next": 11, "ended": True}}


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 20])
def test_a_log_offset_that_is_none_is_refused(job: Job, api: ApiClient, after: str) -> None:
    response = api.get(f"/jobs/{job.pk}/log?after={after}")
    assert response.status_code == 422
    assert "after" in response.json()["errors"]


def test_the_log_needs_an_ability_of_its_own(job: Job, owner: Actor, member_api: ApiClient) -> None:
    assert member_api.get(f"/jobs/{job.pk}/log").status_code == 200
    without = ApiClient.signed_in(owner, ["job:read"])
    assert without.get(f"/jobs/{job.pk}").status_code == 200
    response = without.get(f"/jobs/{job.pk}/log")
    assert response.status_code == 403
    assert "log:read" in response.json()["message"]
    assert ApiClient.signed_in(owner, ["log:read"]).get(f"/jobs/{job.pk}/log").status_code == 200


def test_cancelling_and_retrying(job: Job, api: ApiClient) -> None:
    response = api.post(f"/jobs/{job.pk}/cancel")
    assert response.status_code == 202
    body = response.json()
    assert body["message"] == "Job cancellation requested."
    assert body["data"]["status"] == "cancelled"
    assert body["job"]["id"] == job.pk
    assert body["job"]["url"].endswith(f"/api/v1/jobs/{job.pk}")

    response = api.post(f"/jobs/{job.pk}/retry")
    assert response.status_code == 202
    assert response.json()["data"]["status"] == "queued"

    response = api.post(f"/jobs/{job.pk}/retry")
    assert response.status_code == 409
    assert response.json()["error"]["code"] == "conflict"


def test_a_viewer_may_not_cancel(job: Job, member_api: ApiClient) -> None:
    response = member_api.post(f"/jobs/{job.pk}/cancel")
    assert response.status_code == 403
    assert "job:update" in response.json()["message"]
    job.refresh_from_db()
    assert job.status == Status.QUEUED


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/log"), ("POST", "/cancel"), ("POST", "/retry")])
def test_another_organization_finds_nothing(job: Job, outsider_api: ApiClient, method: str, path: str) -> None:
    assert outsider_api.call(method, f"/jobs/{job.pk}{path}").status_code == 404


def test_without_a_token_nothing_is_told(job: Job) -> None:
    assert ApiClient().get(f"/jobs/{job.pk}").status_code == 401
