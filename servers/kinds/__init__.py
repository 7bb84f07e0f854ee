"""The kinds of background work on servers."""

from servers.kinds import (
    configuration,
    database_users,
    databases,
    logs,
    provisioning,
    removal,
    restart,
    scripts,
    trust,
)

__all__ = [
    "configuration",
    "database_users",
    "databases",
    "logs",
    "provisioning",
    "removal",
    "restart",
    "scripts",
    "trust",
]
