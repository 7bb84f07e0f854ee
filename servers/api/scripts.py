"""Automation scripts, and their runs."""

from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest

from deploynix.api.operations import Maybe, operation
from deploynix.api.serializers import JobAddressOutput
from deploynix.api.views import Response
from servers import actions
from servers.api.script_serializers import (
    QueuedRunOutput,
    RunInput,
    ScriptChanges,
    ScriptInput,
    ScriptOutput,
    ScriptRunOutput,
    ScriptRunWithBody,
    ScriptWithBody,
)
from servers.api.views import ServerView
from servers.models import AutomationScript, ScriptRun

STARTED = "The script is queued."


class ScriptView(ServerView):
    """What the views of scripts share."""

    tag = "Scripts"

    @property
    def scripts(self) -> QuerySet[AutomationScript]:
        return AutomationScript.objects.visible_to(self.actor)

    @property
    def runs(self) -> QuerySet[ScriptRun]:
        return ScriptRun.objects.visible_to(self.actor).annotate(
            server_name=F("server__name"),
            status=F("job__status"),
            requested_by=F("job__actor"),
            started_at=F("job__started_at"),
        )

    def script_answer(self, script: AutomationScript) -> dict[str, Any]:
        return self.row(self.scripts.filter(pk=script.pk), ScriptWithBody)


class Scripts(ScriptView):
    abilities = {"GET": "script:read", "POST": "script:create"}

    @operation("List scripts", page=ScriptOutput)
    def get(self, request: HttpRequest) -> Response:
        return self.page(self.scripts, ScriptOutput)

    @operation("Create a script", input=ScriptInput, one=ScriptWithBody, status=201)
    def post(self, request: HttpRequest) -> Response:
        script = actions.create_script(self.actor, **self.input(ScriptInput))
        return Response({"data": self.script_answer(script)}, 201)


class ScriptDetail(ScriptView):
    abilities = {"GET": "script:read", "PUT": "script:update", "DELETE": "script:delete"}

    @operation("Show a script", one=ScriptWithBody)
    def get(self, request: HttpRequest, script: str) -> Response:
        return self.one(self.scripts.filter(pk=script), ScriptWithBody)

    @operation("Update a script", input=ScriptChanges, one=ScriptWithBody)
    def put(self, request: HttpRequest, script: str) -> Response:
        """Changes the fields that are sent; `parameters` are replaced as a whole. Runs that are under way go on with
        what they were started with."""
        row = self.find(self.scripts, script)
        actions.update_script(self.actor, script=row, **self.input(ScriptChanges))
        return Response({"data": self.script_answer(row)})

    @operation("Delete a script", status=204)
    def delete(self, request: HttpRequest, script: str) -> Response:
        """Its runs stay, with what was run, and those that are under way go on."""
        actions.delete_script(self.actor, script=self.find(self.scripts, script))
        return self.done()


class RunScript(ScriptView):
    abilities = {"POST": "script:run"}

    @operation(
        "Run a script",
        input=RunInput,
        status=202,
        message=STARTED,
        extra={"data": [QueuedRunOutput], "jobs": [JobAddressOutput], "job": Maybe(JobAddressOutput)},
    )
    def post(self, request: HttpRequest, script: str) -> Response:
        """Queues one job for each server, and answers its run: `data` and `jobs` are in the order of `servers`, `job`
        is null where there are several. If one of the servers or values will not do, the script runs nowhere."""
        found = self.find(self.scripts, script)
        runs = actions.run_script(self.actor, script=found, **self.input(RunInput))
        jobs = [self.job_address(run.job) for run in runs]
        queued = self.runs.filter(pk__in=[run.pk for run in runs]).values(*ScriptRunOutput.columns())
        rows = {row["id"]: row for row in queued}
        data = [rows[run.pk] | {"job": job} for run, job in zip(runs, jobs, strict=True)]
        return Response(
            {"message": STARTED, "data": data, "jobs": jobs, "job": jobs[0] if len(jobs) == 1 else None}, 202
        )


class ScriptRuns(ScriptView):
    abilities = {"GET": "script:read"}

    @operation("List the runs of a script", page=ScriptRunOutput)
    def get(self, request: HttpRequest, script: str) -> Response:
        """Those on servers that the token may see."""
        return self.page(self.runs.filter(script=self.find(self.scripts, script)), ScriptRunOutput)


class ScriptRunDetail(ScriptView):
    abilities = {"GET": "script:read"}

    @operation("Show a run of a script", one=ScriptRunWithBody)
    def get(self, request: HttpRequest, run: str) -> Response:
        """What the script printed is in the log of its job."""
        return self.one(self.runs.filter(pk=run), ScriptRunWithBody)
