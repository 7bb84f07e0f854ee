"""Runs a stored script on a server: once, whatever becomes of the worker, the connection or the server."""

from django.utils import timezone

from deploynix.errors import Conflict, Error
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run
from servers import units
from servers.kinds.base import ServerKind
from servers.models import ScriptRun
from servers.steps import asked_to_stop
from servers.target import target_of

# By timeout(1): the script was ended by SIGTERM, or 5 seconds later by SIGKILL.
STOPPED = (124, 137)
# The server itself stops the script in time; this is for one that cannot.
GRACE_SECONDS = 60


@register
class RunScript(ServerKind):
    name = "run_script"
    ability = "script:run"
    # Many servers at once, for hours perhaps: a worker of its own can be given to them.
    queue = "bulk"
    steps = (Step("run", "Run the script"),)

    def run(self, run: Run) -> None:
        server = self.server(run)
        script_run = ScriptRun.objects.get(pk=run.job.params["run"])
        if script_run.finished_at:
            raise Conflict("This run has ended.", "Its secrets are forgotten, so run the script again instead.")
        script_run.server = server
        if script_run.exit_code is None:
            script_run.exit_code = execute_once(run, script_run)
            with run.write():
                ScriptRun.objects.filter(pk=script_run.pk).update(exit_code=script_run.exit_code)
        # Not before the exit code is stored: without either, the next attempt would run the script again.
        units.clean(target_of(server), unit_of(run))
        run.check()
        judge(run, script_run)

    def on_succeeded(self, job: Job) -> None:
        end(job)

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        end(job)

    def on_cancelled(self, job: Job) -> None:
        end(job)


def unit_of(run: Run) -> str:
    return f"dnx-{run.job.pk}-run"


def execute_once(run: Run, script_run: ScriptRun) -> int:
    try:
        return execute(run, script_run)
    except units.Interrupted:
        units.clean(target_of(script_run.server), unit_of(run))
        raise Error(
            "The server was restarted before the script had ended.",
            "What it had done by then stays done. A script that restarts the server itself should leave itself the time"
            " to end: `shutdown -r +1`.",
        ) from None


def execute(run: Run, script_run: ScriptRun) -> int:
    """Starts the script, or follows the one that an earlier attempt started, to its exit code."""
    # Parameters are in capitals, so none of them can take the place of these.
    own = {"script_body": script_run.body, "script_timeout": str(script_run.timeout)}
    return units.start_or_follow(
        target_of(script_run.server),
        unit_of(run),
        "run_script.sh",
        values={**script_run.values, **own},
        on_output=run.output,
        should_stop=asked_to_stop(run),
        timeout=script_run.timeout + GRACE_SECONDS,
        user=script_run.run_as,
        once=True,
    )


def judge(run: Run, script_run: ScriptRun) -> None:
    """Raises Error where the script has failed."""
    code = script_run.exit_code
    if not code:
        return
    hint = "See its output in the log. What it had done by then stays done."
    if code in STOPPED and ran_out(run, script_run):
        raise Error(f"The script was stopped: it had not ended after {script_run.timeout} seconds.", hint)
    raise Error(f"The script ended with exit code {code}.", hint)


def ran_out(run: Run, script_run: ScriptRun) -> bool:
    """Whether its time was over. A script may also end with one of the codes of timeout(1) by itself."""
    began_at = run.job.started_at or timezone.now()
    return (timezone.now() - began_at).total_seconds() >= script_run.timeout


def end(job: Job) -> None:
    ScriptRun.objects.filter(job=job).update(finished_at=timezone.now(), secrets={})
