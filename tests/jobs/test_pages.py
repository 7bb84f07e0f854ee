"""The pages of jobs, as people of three organizations' corners see them."""

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.models import Job, JobLog, Status
from jobs.runner import run_job
from tests import factories
from tests.jobs.test_runner import fail
from tests.jobs.toy import Toy, enqueue

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(owner: Actor) -> Job:
    return enqueue(owner)


def text_of(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()


def test_the_list_shows_jobs_of_the_organization_only(
    job: Job, owner_client: Client, member_client: Client, outsider_client: Client
) -> None:
    for client in (owner_client, member_client):
        assert f"/jobs/{job.pk}" in text_of(client, "/jobs")
    page = text_of(outsider_client, "/jobs")
    assert job.pk not in page
    assert "No jobs yet" in page


def test_the_list_filters_by_status_and_subject(owner: Actor, owner_client: Client) -> None:
    waiting, done = enqueue(owner), enqueue(owner)
    Job.objects.filter(pk=done.pk).update(status=Status.SUCCEEDED, subject_id="A" * 26)
    page = text_of(owner_client, "/jobs?status=succeeded")
    assert done.pk in page
    assert waiting.pk not in page
    page = text_of(owner_client, f"/jobs?subject_type=organization&subject_id={owner.organization.pk}")
    assert waiting.pk in page
    assert done.pk not in page
    assert "No job matches" in text_of(owner_client, "/jobs?status=nonsense")


def test_routine_jobs_are_left_out_until_somebody_asks_for_them(owner: Actor, owner_client: Client) -> None:
    server = factories.server(owner.organization)
    work = enqueue(owner)
    reading, failed = (enqueue_job(owner, kind="read_log", subject=server, label="Read a log") for _ in range(2))
    Job.objects.filter(pk=failed.pk).update(status=Status.FAILED)
    page = text_of(owner_client, "/jobs")
    assert work.pk in page
    assert failed.pk in page, "what failed should be seen"
    assert reading.pk not in page
    assert "?routine=1" in page
    page = text_of(owner_client, "/jobs?routine=1&status=queued")
    assert reading.pk in page
    assert work.pk in page
    assert failed.pk not in page
    assert 'href="?status=queued">Leave them out' in page
    assert '<input type="hidden" name="routine" value="1">' in page, "a search keeps them"


def test_where_all_jobs_are_routine_the_page_says_how_to_see_them(owner: Actor, owner_client: Client) -> None:
    server = factories.server(owner.organization)
    reading = enqueue_job(owner, kind="check_configuration", subject=server, label="Check")
    page = text_of(owner_client, "/jobs")
    assert "No jobs yet" in page
    assert "?routine=1" in page
    assert reading.pk in text_of(owner_client, "/jobs?routine=1")


def test_the_page_of_a_server_leaves_routine_jobs_out(owner: Actor, owner_client: Client) -> None:
    server = factories.server(owner.organization)
    reading, restart = (
        enqueue_job(owner, kind=kind, subject=server, label=kind) for kind in ("read_log", "restart_server")
    )
    page = text_of(owner_client, f"/servers/{server.pk}/jobs")
    assert restart.pk in page
    assert reading.pk not in page


def test_the_list_comes_in_pages_with_the_same_number_of_queries(
    owner: Actor, owner_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    enqueue(owner)
    text_of(owner_client, "/jobs")
    with django_assert_num_queries(5) as few:
        text_of(owner_client, "/jobs")
    jobs = [enqueue(owner) for _ in range(29)]
    with django_assert_num_queries(len(few)):
        first = text_of(owner_client, "/jobs?status=queued")
    assert jobs[-1].pk in first
    assert jobs[0].pk not in first
    assert "1 to 25 of 30" in first
    assert "?status=queued&amp;page=2" in first
    assert jobs[0].pk in text_of(owner_client, "/jobs?status=queued&page=2")


def test_the_page_of_a_job_shows_steps_error_hint_and_log(owner: Actor, owner_client: Client, job: Job) -> None:
    Toy.behaviours["second"] = lambda run: fail("The disk is full.")
    run_job(job.pk)
    page = text_of(owner_client, f"/jobs/{job.pk}")
    for words in ("This job failed", "The disk is full.", "Look at the server."):
        assert words in page
    for words in ("First", "Third", "Started by", str(owner), "==&gt; First"):
        assert words in page
    assert f'value="{100 // 3}"' in page
    assert "Retry" in page
    assert "hx-get" not in page, "nothing will change any more"


def test_an_open_job_is_asked_for_again_and_an_ended_one_is_not(owner_client: Client, job: Job) -> None:
    page = text_of(owner_client, f"/jobs/{job.pk}")
    assert f'hx-get="/jobs/{job.pk}/state"' in page
    assert f'hx-get="/jobs/{job.pk}/log?after=0"' in page
    run_job(job.pk)
    state = text_of(owner_client, f"/jobs/{job.pk}/state", hx_request="true")
    assert "Succeeded" in state
    assert "hx-get" not in state


def test_the_log_goes_on_where_it_was_left(owner_client: Client, job: Job) -> None:
    JobLog.objects.create(job=job, offset=0, text="one\n<two>\n")
    Job.objects.filter(pk=job.pk).update(log_size=10)
    part = text_of(owner_client, f"/jobs/{job.pk}/log?after=4")
    assert "<pre>&lt;two&gt;\n</pre>" in part
    assert f"/jobs/{job.pk}/log?after=10" in part
    assert owner_client.get(f"/jobs/{job.pk}/log?after=10").status_code == 204
    for nonsense in ("-1", "x", "9" * 30):
        assert "one" in text_of(owner_client, f"/jobs/{job.pk}/log?after={nonsense}")
    Job.objects.filter(pk=job.pk).update(status=Status.SUCCEEDED)
    assert "hx-get" not in text_of(owner_client, f"/jobs/{job.pk}/log?after=10")


def test_the_whole_log_can_be_downloaded(owner_client: Client, outsider_client: Client, job: Job) -> None:
    JobLog.objects.create(job=job, offset=0, text="\x1b[31mred\x1b[0m\n")
    Job.objects.filter(pk=job.pk).update(log_size=13)
    response = owner_client.get(f"/jobs/{job.pk}/log.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert f"job-{job.pk}.log" in response["Content-Disposition"]
    assert response.getvalue() == b"red\n"
    assert outsider_client.get(f"/jobs/{job.pk}/log.txt").status_code == 404


def test_cancelling_and_retrying(owner_client: Client, job: Job) -> None:
    page = owner_client.post(f"/jobs/{job.pk}/cancel", follow=True).content.decode()
    assert "The job is being cancelled." in page
    assert "Retry" in page
    page = owner_client.post(f"/jobs/{job.pk}/retry", follow=True).content.decode()
    assert "The job is queued again." in page
    assert list(AuditEvent.objects.values_list("event", flat=True).order_by("id")) == ["job.cancelled", "job.retried"]


def test_a_running_job_says_that_it_is_being_cancelled(owner_client: Client, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(status=Status.RUNNING, started_at=timezone.now())
    owner_client.post(f"/jobs/{job.pk}/cancel")
    page = text_of(owner_client, f"/jobs/{job.pk}")
    assert "Cancelling" in page
    assert f"/jobs/{job.pk}/cancel" not in page


def test_what_cannot_be_done_now_is_said_as_a_page(owner_client: Client, job: Job) -> None:
    response = owner_client.post(f"/jobs/{job.pk}/retry")
    assert response.status_code == 409
    assert "This job is queued." in response.content.decode()


def test_a_viewer_reads_but_may_not_cancel(member_client: Client, job: Job) -> None:
    page = text_of(member_client, f"/jobs/{job.pk}")
    assert "Needs the ability job:update" in page
    assert f"/jobs/{job.pk}/cancel" not in page
    response = member_client.post(f"/jobs/{job.pk}/cancel")
    assert response.status_code == 403
    assert "job:update" in response.content.decode()
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_who_may_not_read_logs_sees_the_steps_and_what_is_missing(
    member_client: Client, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_job(job.pk)
    assert "==&gt; First" in text_of(member_client, f"/jobs/{job.pk}")
    monkeypatch.setattr("organizations.models.ROLES", {"viewer": ROLES["viewer"] - {"log:read"}})
    page = text_of(member_client, f"/jobs/{job.pk}")
    assert "First" in page
    assert "==&gt; First" not in page
    assert "needs the ability log:read" in page
    for path in ("/log", "/log.txt"):
        response = member_client.get(f"/jobs/{job.pk}{path}")
        assert response.status_code == 403
        assert b"log:read" in response.content


@pytest.mark.parametrize("path", ["", "/state", "/log", "/log.txt"])
def test_another_organization_finds_nothing(outsider_client: Client, job: Job, path: str) -> None:
    assert outsider_client.get(f"/jobs/{job.pk}{path}").status_code == 404


@pytest.mark.parametrize("path", ["cancel", "retry"])
def test_another_organization_changes_nothing(outsider_client: Client, job: Job, path: str) -> None:
    assert outsider_client.post(f"/jobs/{job.pk}/{path}").status_code == 404
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_a_job_links_to_what_it_is_about(owner: Actor, owner_client: Client, job: Job) -> None:
    server = factories.server(owner.organization, name="web-1")
    Job.objects.filter(pk=job.pk).update(subject_type="server", subject_id=server.pk)
    assert f'href="/servers/{server.pk}"' in text_of(owner_client, f"/jobs/{job.pk}")
    server.delete()
    text_of(owner_client, f"/jobs/{job.pk}")


def test_the_page_of_a_job_costs_as_many_queries_however_long_it_is(
    owner_client: Client, job: Job, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run_job(job.pk)
    text_of(owner_client, f"/jobs/{job.pk}")
    with django_assert_num_queries(6):
        text_of(owner_client, f"/jobs/{job.pk}")
