"""The one table of abilities. Nothing else in the project writes one down without it being listed here."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from types import MappingProxyType

ABILITIES = MappingProxyType(
    {
        "server:read": "See servers, their logs and what differs from the desired configuration",
        "server:create": "Add servers",
        "server:update": "Change, restart and provision servers",
        "server:delete": "Remove servers",
        "site:read": "See sites, their releases and deployments",
        "site:create": "Add sites",
        "site:update": "Change the settings of sites",
        "site:delete": "Remove sites",
        "site:deploy": "Deploy sites",
        "site:rollback": "Roll sites back to an earlier release",
        "site:suspend": "Suspend and resume sites",
        "site:zero-downtime": "Turn zero-downtime releases on",
        "env:read": "See the names of environment variables",
        "env:update": "Add, change, import and remove environment variables",
        "env:reveal": "Read the values of environment variables",
        "database:read": "See databases",
        "database:create": "Create databases",
        "database:update": "Change databases and their users",
        "database:delete": "Delete databases",
        "crontab:read": "See cron jobs",
        "crontab:create": "Add cron jobs",
        "crontab:update": "Change cron jobs",
        "crontab:delete": "Remove cron jobs",
        "daemon:read": "See daemons",
        "daemon:create": "Add daemons",
        "daemon:update": "Change and restart daemons",
        "daemon:delete": "Remove daemons",
        "queue-worker:read": "See queue workers",
        "queue-worker:create": "Add queue workers",
        "queue-worker:update": "Change and restart queue workers",
        "queue-worker:delete": "Remove queue workers",
        "redirect:read": "See redirects",
        "redirect:create": "Add redirects",
        "redirect:update": "Change redirects",
        "redirect:delete": "Remove redirects",
        "network-rule:read": "See firewall rules",
        "network-rule:create": "Add firewall rules",
        "network-rule:delete": "Remove firewall rules",
        "ssh-key:read": "See SSH keys",
        "ssh-key:create": "Add SSH keys",
        "ssh-key:delete": "Remove SSH keys",
        "certificate:read": "See certificates",
        "certificate:create": "Issue certificates",
        "certificate:delete": "Revoke certificates",
        "provider:read": "See provider and Git credentials, never their secrets",
        "provider:create": "Connect providers and Git accounts",
        "provider:update": "Change provider and Git credentials",
        "provider:delete": "Disconnect providers and Git accounts",
        "job:read": "See jobs and their logs",
        "job:update": "Cancel and retry jobs",
        "member:read": "See who belongs to the organization",
        "member:create": "Invite people",
        "member:update": "Change people's roles",
        "member:delete": "Remove people and withdraw invitations",
        "organization:update": "Change the organization's name",
        "token:read": "See everybody's tokens, never their secrets",
        "token:delete": "Revoke everybody's tokens",
        "audit:read": "Read and export the audit log",
    }
)

# A person always manages their own tokens; token:* is about those of others.
_VIEWER = {name for name in ABILITIES if name.endswith(":read")} - {"audit:read", "token:read", "env:read"}
_BUILDER_RESOURCES = ("site", "env", "database", "crontab", "daemon", "queue-worker", "redirect", "certificate", "job")
_DEVELOPER = _VIEWER | {"server:update"} | {name for name in ABILITIES if name.partition(":")[0] in _BUILDER_RESOURCES}
_ADMIN = set(ABILITIES) - {"organization:update"}

ROLES: MappingProxyType[str, frozenset[str]] = MappingProxyType(
    {
        "owner": frozenset(ABILITIES),
        "admin": frozenset(_ADMIN),
        "developer": frozenset(_DEVELOPER),
        "viewer": frozenset(_VIEWER),
    }
)


def expand(patterns: Iterable[str]) -> frozenset[str]:
    """The abilities that `patterns` name: exact ones, or with `*` for a resource or an action (`*:read`, `site:*`).

    Raises ValueError, naming the pattern, for one that matches nothing.
    """
    matched: set[str] = set()
    for pattern in patterns:
        found = {name for name in ABILITIES if _matches(name, pattern)}
        if not found:
            raise ValueError(pattern)
        matched |= found
    return frozenset(matched)


def _matches(name: str, pattern: str) -> bool:
    if name == pattern or pattern == "*":
        return True
    resource, separator, action = pattern.partition(":")
    if not separator or "*" not in (resource, action):
        return False
    return fnmatchcase(name, pattern)
