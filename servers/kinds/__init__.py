"""The kinds of background work on servers."""

from servers.kinds import configuration, logs, provisioning, removal, restart, scripts, trust

__all__ = ["configuration", "logs", "provisioning", "removal", "restart", "scripts", "trust"]
