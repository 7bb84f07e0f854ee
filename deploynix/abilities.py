"""The one table of abilities, and the vocabularies over it: roles, permissions of API keys, scopes of access tokens.

Nothing else in the project writes an ability down without it being listed here.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

ABILITIES = MappingProxyType(
    {
        "server:read": "See servers, and what differs from the desired configuration",
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
        "site:schedule": "Schedule deployments, and call them off",
        "site:zero-downtime": "Turn zero-downtime releases on",
        "env:read": "See the names of environment variables",
        "env:update": "Add, change, import and remove environment variables",
        "env:reveal": "Read the values of environment variables",
        "project:read": "See projects",
        "project:create": "Add projects",
        "project:update": "Change projects, and which sites belong to them",
        "project:delete": "Remove projects",
        "script:read": "See automation scripts and their runs",
        "script:create": "Add automation scripts",
        "script:update": "Change automation scripts",
        "script:delete": "Remove automation scripts",
        "script:run": "Run automation scripts on servers",
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
        "backup:read": "See and download backups",
        "backup:create": "Make backups",
        "backup:update": "Change backup schedules",
        "backup:restore": "Restore and verify backups",
        "backup:delete": "Remove backups",
        "provider:read": "See provider and Git credentials, never their secrets",
        "provider:create": "Connect providers and Git accounts",
        "provider:update": "Change provider and Git credentials, and the records of DNS zones",
        "provider:delete": "Disconnect providers and Git accounts",
        "job:read": "See jobs",
        "job:update": "Cancel jobs, and retry those that one may ask for",
        "log:read": "Read the logs of servers, deployments and jobs",
        "activity:read": "See activity and its analytics",
        "activity:create": "Report activity",
        "error:read": "See errors that applications reported",
        "error:create": "Report errors of an application",
        "error:update": "Resolve and reopen errors",
        "member:read": "See who belongs to the organization",
        "member:create": "Invite people",
        "member:update": "Change people's roles",
        "member:delete": "Remove people and withdraw invitations",
        "organization:read": "See the organization",
        "organization:create": "Add organizations",
        "organization:update": "Change the organization's name",
        "billing:read": "See invoices",
        "token:read": "See everybody's tokens, API keys and access tokens, never their secrets",
        "token:create": "Make API keys and access tokens",
        "token:update": "Change and rotate API keys",
        "token:delete": "Revoke everybody's tokens, API keys and access tokens",
        "audit:read": "Read and export the audit log",
    }
)

# A person always manages their own tokens; token:* is about those of others.
_VIEWER = {name for name in ABILITIES if name.endswith(":read")} - {
    "audit:read",
    "billing:read",
    "env:read",
    "token:read",
}
_BUILDER_RESOURCES = (
    *("site", "project", "env", "database", "crontab", "daemon", "queue-worker", "redirect", "certificate", "job"),
    *("activity", "error"),
)
_DEVELOPER = (
    _VIEWER
    | {"server:update", "backup:create"}
    | {name for name in ABILITIES if name.partition(":")[0] in _BUILDER_RESOURCES}
)
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
    if pattern == "*":
        return True
    wanted, own = pattern.split(":"), name.split(":")
    return len(wanted) == len(own) and all(part in ("*", word) for part, word in zip(wanted, own, strict=True))


def _without(patterns: Iterable[str], removed: Iterable[str]) -> frozenset[str]:
    return expand(patterns) - expand(removed)


def _with_wildcards(permissions: dict[str, frozenset[str]], resources: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Adds `servers:*`, which stands for every action on the resource, and `*:read`, which stands for all of these."""
    wildcards = {f"{word}:*": expand([f"{resource}:*"]) for word, resource in resources.items()}
    for action in ("read", "write", "delete"):
        wildcards[f"*:{action}"] = _union(opened for name, opened in permissions.items() if name.endswith(f":{action}"))
    return permissions | wildcards


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


# What API keys whose permissions name a resource may hold. An instance is a site, a team an organization.
RESOURCE_PERMISSIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    _with_wildcards(
        {
            "servers:read": expand(["server:read"]),
            "servers:write": expand(["server:create", "server:update"]),
            "servers:delete": expand(["server:delete"]),
            "instances:read": expand(["site:read"]),
            "instances:write": expand(["site:create", "site:update"]),
            "instances:delete": expand(["site:delete"]),
            "backups:read": expand(["backup:read"]),
            "backups:write": expand(["backup:create"]),
            "teams:read": expand(["organization:read"]),
            "teams:write": expand(["organization:create", "organization:update"]),
            "billing:read": expand(["billing:read"]),
        },
        {
            "servers": "server",
            "instances": "site",
            "backups": "backup",
            "teams": "organization",
            "billing": "billing",
        },
    )
)
# What API keys whose permissions name a duty may hold. An app is a site.
DUTY_PERMISSIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "read": _without(["*:read"], ["log:*", "token:*"]),
        "write": _without(["*:create", "*:update"], ["member:*", "token:*"]),
        "delete": _without(["*:delete"], ["member:*", "token:*"]),
        "deploy": expand(["site:read", "site:deploy"]),
        "manage_servers": expand(["server:*"]),
        "manage_projects": expand(["project:*"]),
        "manage_apps": expand(["site:*"]),
        "view_logs": expand(["log:read"]),
        "manage_backups": expand(["backup:*"]),
    }
)
_SCOPES = {
    "basic_deployment": expand(["site:read", "site:deploy"]),
    "advanced_deployment": expand(
        ["site:read", "site:deploy", "site:rollback", "site:schedule", "site:suspend", "site:zero-downtime"]
    ),
    "activity_tracker": expand(["activity:create"]),
    "activity_tracker_analytics": expand(["activity:read"]),
    "error_tracker": expand(["error:create", "error:read"]),
    "modify_env": expand(["env:read", "env:update", "env:reveal"]),
    "run_scripts": expand(["script:read", "script:run"]),
}
# What access tokens may hold.
SCOPES: Mapping[str, frozenset[str]] = MappingProxyType({"all": _union(_SCOPES.values()), **_SCOPES})
