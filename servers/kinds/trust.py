"""Pins a new host key, if it is the one that a person has compared."""

from jobs.kinds import Step, register
from jobs.run import Run
from servers import ssh
from servers.kinds.base import ServerKind
from servers.ssh import HostKeyChanged


@register
class AcceptHostKey(ServerKind):
    name = "accept_host_key"
    ability = "server:update"
    steps = (Step("pin", "Pin the host key"),)

    def pin(self, run: Run) -> None:
        server, accepted = self.server(run), run.job.params["fingerprint"]
        line = " ".join(ssh.fetch_host_key(server.ip_address, server.ssh_port).split()[:2])
        presented = ssh.fingerprint(line)
        if presented != accepted:
            raise HostKeyChanged(server.ip_address, accepted, presented)
        server.host_key, server.host_key_fingerprint, server.refused_fingerprint = line, presented, None
        with run.write():
            server.save(update_fields=["host_key", "host_key_fingerprint", "refused_fingerprint", "updated_at"])
        run.line(f"Pinned the host key {presented}.")
