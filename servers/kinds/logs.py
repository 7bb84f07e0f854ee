"""Reads the last lines of a log of the server."""

from django.utils import timezone

from jobs.kinds import Step, register
from jobs.run import Run
from servers import ssh
from servers.kinds.base import ServerKind
from servers.models import LogReading
from servers.target import target_of


@register
class ReadLog(ServerKind):
    name = "read_log"
    ability = "log:read"
    is_routine = True
    steps = (Step("read", "Read the log"),)

    def read(self, run: Run) -> None:
        server, params = self.server(run), run.job.params
        values = {"LOG": params["name"], "LINES": str(params["lines"]), "PHP_VERSION": server.php_version or ""}
        result = ssh.run_script(target_of(server), "read_log.sh", values=values)
        text = run.redact(result.output.decode(errors="replace").replace("\0", "\ufffd"))
        with run.write():
            LogReading.objects.update_or_create(
                server=server, name=params["name"], defaults={"text": text, "read_at": timezone.now()}
            )
        run.line(f"Read {len(text.splitlines())} lines.")
