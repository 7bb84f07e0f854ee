"""The pages of jobs: the list, and one that follows its job."""

import re
from typing import Any, cast

from django.apps import apps
from django.contrib import messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from jobs.actions import cancel_job, retry_job
from jobs.log import read_end, read_log, stream_log
from jobs.models import Job, JobQuerySet, Status
from organizations.pages import ListPage, PageMixin


class JobList(ListPage[Job]):
    """`?status=`, `?subject_type=&subject_id=` for the jobs of one subject, and `?routine=1` with routine ones."""

    model = Job
    ability = "job:read"
    template_name = "jobs/list.html"
    search_fields = ("label",)
    filters = ("status", "subject_type", "subject_id", "routine")

    def get_queryset(self) -> QuerySet[Job]:
        wanted = {name: value for name, value in self.given.items() if value}
        jobs = cast(JobQuerySet, super().get_queryset())
        rows = jobs if wanted.pop("routine", "") else jobs.without_routine()
        return rows.filter(**wanted)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(statuses=Status, **kwargs)


class JobPage(PageMixin):
    """What all pages of one job share."""

    ability = "job:read"

    @property
    def job(self) -> Job:
        return get_object_or_404(Job.objects.visible_to(self.actor), pk=self.kwargs["pk"])


class JobDetail(JobPage):
    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        job = self.job
        part = read_end(job) if self.actor.can("log:read") else None
        context = {"job": job, "steps": job.steps.all(), "part": part, "subject": subject_of(job)}
        return render(request, "jobs/detail.html", context)


class JobState(JobPage):
    """The part of the page that is asked for again and again while the job is open."""

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        job = self.job
        return render(request, "jobs/state.html", {"job": job, "steps": job.steps.all()})


class JobLogPart(JobPage):
    """What follows `?after=`; 204 while there is nothing new."""

    ability = "log:read"

    def get(self, request: HttpRequest, pk: str) -> HttpResponse:
        job, after = self.job, request.GET.get("after", "")
        part = read_log(job, int(after) if re.fullmatch("[0-9]{1,18}", after) else 0)
        if not part.text and not part.ended:
            return HttpResponse(status=204)
        return render(request, "components/log_part.html", {"job": job, "part": part})


class JobLogFile(JobPage):
    ability = "log:read"

    def get(self, request: HttpRequest, pk: str) -> StreamingHttpResponse:
        job = self.job
        return StreamingHttpResponse(
            stream_log(job),
            content_type="text/plain; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="job-{job.pk}.log"'},
        )


class CancelJob(JobPage):
    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        cancel_job(self.actor, job=self.job)
        messages.info(request, "The job is being cancelled.")
        return redirect("job_detail", pk)


class RetryJob(JobPage):
    def post(self, request: HttpRequest, pk: str) -> HttpResponse:
        retry_job(self.actor, job=self.job)
        messages.info(request, "The job is queued again. It goes on at the step that did not succeed.")
        return redirect("job_detail", pk)


def subject_of(job: Job) -> Model | None:
    """The row that the job is about, where it still exists and has a page."""
    named = (model for model in apps.get_models() if model._meta.model_name == job.subject_type)
    model = next((model for model in named if hasattr(model, "get_absolute_url")), None)
    return model._default_manager.filter(pk=job.subject_id).first() if model else None
