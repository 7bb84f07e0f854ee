"""Makes a fresh machine a server of ours, or makes sure that one still is."""

import http.client
from collections.abc import Mapping
from typing import Any

from django.db.models import DateTimeField
from django.db.models.functions import Coalesce
from django.utils import timezone

from deploynix.errors import Error
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run
from servers import ssh
from servers.configuration import text_of
from servers.kinds.base import ServerKind, settle
from servers.kinds.configuration import apply
from servers.models import MANAGED_USER, Server, Status
from servers.ssh import CommandFailed, LoginRefused, Target
from servers.steps import Report, run_unit
from servers.target import first_target_of, target_of

OLDEST_SYSTEMS = "debian 12 ubuntu 22.04"
FIRST_CONTACT_SECONDS = 900
STEP_SECONDS = 300
INSTALL_SECONDS = 3600


@register
class ProvisionServer(ServerKind):
    name = "provision_server"
    ability = "server:update"
    steps = (
        Step("connect", "Connect, and see what is there"),
        Step("account", f"Make the user {MANAGED_USER}"),
        Step("packages", "Install nginx, PHP, database, Redis and Supervisor"),
        Step("database", "Secure the database"),
        Step("configuration", "Apply the desired configuration, firewall and SSH included"),
        Step("verify", "Read back that everything works"),
    )

    def server(self, run: Run) -> Server:
        server = super().server(run)
        if server.status != Status.PROVISIONING:
            # A retry of a job that had failed.
            with run.write():
                Server.objects.filter(pk=server.pk).update(status=Status.PROVISIONING, status_reason="")
        return server

    def connect(self, run: Run) -> None:
        server = self.server(run)
        pin_host_key(run, server)
        target = reach(run, server)
        report = prepare(run, target)
        run.line(report.os)
        with run.write():
            Server.objects.filter(pk=server.pk).update(operating_system=report.os[:64])
        self.note_changes(run, "connect", len(report.changes))

    def account(self, run: Run) -> None:
        server = self.server(run)
        values = {"user": server.ssh_user, "public_key": server.public_key, "sudoers": text_of("sudoers").decode()}
        self.run_step(run, reach(run, server), "account", STEP_SECONDS, values)

    def packages(self, run: Run) -> None:
        server = self.server(run)
        values = {"php_version": server.php_version, "database_type": server.database_type}
        self.run_step(run, target_of(server), "packages", INSTALL_SECONDS, values)

    def database(self, run: Run) -> None:
        server = self.server(run)
        self.run_step(run, target_of(server), "database", STEP_SECONDS, {"database_type": server.database_type})

    def configuration(self, run: Run) -> None:
        changes = apply(run, self.server(run), with_diffs=False)
        self.note_changes(run, "configuration", len(changes))

    def verify(self, run: Run) -> None:
        server = self.server(run)
        values = {
            "php_version": server.php_version,
            "database_type": server.database_type,
            "ssh_port": server.ssh_port,
        }
        self.run_step(run, target_of(server), "verify", STEP_SECONDS, values)
        ssh.open_fresh_login(target_of(server))
        run.line(f"ok: a new login as {server.ssh_user} works")
        warn_if_closed(run, server)
        changes = run.job.result["changes"]
        run.line(f"{changes} changes." if changes else "Nothing to change.")

    def run_step(self, run: Run, target: Target, step: str, timeout: float, values: Mapping[str, Any]) -> None:
        report = run_unit(run, target, "provision", step=step, values={"step": step, **values}, timeout=timeout)
        self.note_changes(run, step, len(report.changes))

    def note_changes(self, run: Run, step: str, count: int) -> None:
        by_step = {**run.job.result.get("changes_by_step", {}), step: count}
        run.result(changes_by_step=by_step, changes=sum(by_step.values()))

    def on_succeeded(self, job: Job) -> None:
        now = timezone.now()
        Server.objects.filter(pk=job.subject_id).update(
            status=Status.ACTIVE,
            status_reason="",
            provisioned_at=Coalesce("provisioned_at", now, output_field=DateTimeField()),
            login_key=None,
            updated_at=now,
        )

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        Server.objects.filter(pk=job.subject_id).update(
            status=Status.FAILED, status_reason=f"{error.message} {error.hint}".strip(), updated_at=timezone.now()
        )

    def on_cancelled(self, job: Job) -> None:
        settle(job, "The provisioning was cancelled.")


def pin_host_key(run: Run, server: Server) -> None:
    """Trusts the key that is shown at first contact, where none was given."""
    if server.host_key:
        return
    line = " ".join(ssh.fetch_host_key(server.ip_address, server.ssh_port).split()[:2])
    server.host_key, server.host_key_fingerprint = line, ssh.fingerprint(line)
    with run.write():
        server.save(update_fields=["host_key", "host_key_fingerprint", "updated_at"])
    run.line(f"Pinned the host key {server.host_key_fingerprint}.")


def reach(run: Run, server: Server) -> Target:
    """The first login that works, as the managed user or as the one that was there before."""
    logins = [first_target_of(server), target_of(server)]
    if server.provisioned_at:
        logins.reverse()
    try:
        return _checked(logins[0])
    except LoginRefused as refused:
        try:
            return _checked(logins[1])
        except LoginRefused:
            raise refused from None


def _checked(target: Target) -> Target:
    try:
        ssh.run(target, ["true"])
    except CommandFailed:
        raise Error(
            f"{target.username} may not use sudo without a password.",
            f"Add `{target.username} ALL=(ALL) NOPASSWD: ALL` to a file in /etc/sudoers.d, or sign in as root.",
        ) from None
    return target


def prepare(run: Run, target: Target) -> Report:
    """Sees whether the machine will do, and installs what the other steps need to run at all."""
    result = ssh.run_script(
        target, "prepare.sh", values={"OLDEST": OLDEST_SYSTEMS}, timeout=FIRST_CONTACT_SECONDS, check=False
    )
    report = Report()
    report.feed(result.output + b"\n")
    if result.exit_status and not report.refused:
        run.output(result.output)
    report.check("Looking at the server", result.exit_status)
    return report


def warn_if_closed(run: Run, server: Server) -> None:
    """Whether the web is open from outside is up to a firewall before the server, so it is no failure."""
    connection = http.client.HTTPConnection(server.ip_address, 80, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
        run.line("ok: port 80 is open from here")
    except (OSError, http.client.HTTPException) as error:
        run.line(f"Warning: port 80 cannot be reached from here ({error}). Is there a firewall before the server?")
    finally:
        connection.close()
