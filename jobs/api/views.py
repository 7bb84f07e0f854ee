"""Jobs under /api/v1/jobs."""

from django.db.models import QuerySet
from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response, View
from jobs.actions import cancel_job, retry_job
from jobs.api.serializers import JobOutput, JobQuery, JobWithSteps, LogOutput, LogQuery, StepOutput
from jobs.log import read_log
from jobs.models import Job


class JobView(View):
    tag = "Jobs"

    def jobs(self) -> QuerySet[Job]:
        return Job.objects.visible_to(self.actor)

    def accept(self, message: str, job: Job) -> Response:
        return self.accepted(message, job=job, data=self.row(self.jobs().filter(pk=job.pk), JobOutput))


class JobList(JobView):
    abilities = {"GET": "job:read"}

    @operation("List jobs", query=JobQuery, page=JobOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.jobs().filter(**self.query(JobQuery)), JobOutput)


class JobDetail(JobView):
    abilities = {"GET": "job:read"}

    @operation("Show a job", one=JobWithSteps)
    def get(self, request: HttpRequest, pk: str) -> Response:
        """`steps` come in the order in which they run."""
        row = self.row(self.jobs().filter(pk=pk), JobOutput)
        steps = self.jobs().get(pk=pk).steps.values(*StepOutput.columns())
        return Response({"data": row | {"steps": list(steps)}})


class JobLog(JobView):
    abilities = {"GET": "log:read"}

    @operation("Read a job's log", query=LogQuery, one=LogOutput)
    def get(self, request: HttpRequest, pk: str) -> Response:
        """At most 64 KB of whole lines after `after`. Ask again with `next` until `ended` is true."""
        part = read_log(self.find(self.jobs(), pk), self.query(LogQuery)["after"])
        return Response({"data": {"text": part.text, "next": part.next, "ended": part.ended}})


class CancelJob(JobView):
    abilities = {"POST": "job:update"}

    @operation("Cancel a job", one=JobOutput, status=202, job=True, message="Job cancellation requested.")
    def post(self, request: HttpRequest, pk: str) -> Response:
        return self.accept("Job cancellation requested.", cancel_job(self.actor, job=self.find(self.jobs(), pk)))


class RetryJob(JobView):
    abilities = {"POST": "job:update"}

    @operation("Retry a job", one=JobOutput, status=202, job=True, message="Job queued again.")
    def post(self, request: HttpRequest, pk: str) -> Response:
        """The job goes on at the step that did not succeed. Takes, too, what asking for it takes: `script:run` for a
        script."""
        return self.accept("Job queued again.", retry_job(self.actor, job=self.find(self.jobs(), pk)))
