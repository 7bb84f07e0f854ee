"""Restarts a service, or the machine."""

import time

from deploynix.errors import Error
from jobs.kinds import Step, register
from jobs.run import Run
from servers import ssh
from servers.actions import REBOOT
from servers.checks import services
from servers.kinds.base import ServerKind
from servers.ssh import ConnectionLost, LoginRefused, Target, TimedOut, Unreachable
from servers.target import target_of

REBOOT_SECONDS = 600
BOOT_ID = ["cat", "/proc/sys/kernel/random/boot_id"]


@register
class RestartServer(ServerKind):
    name = "restart_server"
    ability = "server:update"
    steps = (Step("restart", "Restart"), Step("verify", "See that it is back"))

    def restart(self, run: Run) -> None:
        server = self.server(run)
        target, what = target_of(server), run.job.params["what"]
        if what == REBOOT:
            reboot(run, target)
            return
        result = ssh.run_script(
            target, "restart_service.sh", values={"UNIT": services(server)[what]}, timeout=180, check=False
        )
        run.output(result.output)
        if result.exit_status:
            raise Error(f"{what} could not be restarted.", "The log holds what it says.")

    def verify(self, run: Run) -> None:
        server = self.server(run)
        if run.job.params["what"] == REBOOT:
            wait_for_boot(run, target_of(server))
            return
        unit = services(server)[run.job.params["what"]]
        if ssh.run(target_of(server), ["systemctl", "is-active", "--quiet", unit], check=False).exit_status:
            raise Error(f"{unit} stopped again right after its start.", f"See `journalctl -u {unit}` on the server.")
        run.line(f"{unit} runs.")


def boot_id(target: Target) -> str:
    return ssh.run(target, BOOT_ID).output.decode().strip()


def reboot(run: Run, target: Target) -> None:
    """Sends the order once: a second attempt at the step sees by the boot id that the server has obeyed."""
    before = run.job.result.get("boot_id")
    if before and boot_id(target) != before:
        return
    run.result(boot_id=before or boot_id(target))
    run.line("Rebooting.")
    try:
        ssh.run(target, ["systemctl", "--no-block", "reboot"], timeout=20)
    except (ConnectionLost, TimedOut):
        run.line("The connection is gone, as it should be.")


def wait_for_boot(run: Run, target: Target) -> None:
    deadline = time.monotonic() + REBOOT_SECONDS
    while time.monotonic() < deadline:
        run.check()
        try:
            if boot_id(target) != run.job.result["boot_id"]:
                run.line("The server is back.")
                return
        except (ConnectionLost, TimedOut, Unreachable, LoginRefused):
            # While it goes down or comes up, sshd may answer but let nobody in yet.
            pass
        run.stopping.wait(1)
    raise Error(
        f"The server did not come back within {REBOOT_SECONDS // 60} minutes.",
        "Look at its console at your provider.",
    )
