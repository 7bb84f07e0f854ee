"""The names of everything the audit log records. An event that is not listed here cannot be recorded."""

from types import MappingProxyType

EVENTS = MappingProxyType(
    {
        "user.signed-up": "Signed up",
        "user.updated": "Changed their own name",
        "user.signed-in": "Signed in",
        "user.sign-in-failed": "Failed to sign in",
        "user.signed-out": "Signed out",
        "user.password-changed": "Changed the password",
        "user.second-factor-added": "Turned the second factor on",
        "user.second-factor-removed": "Turned the second factor off",
        "user.recovery-codes-made": "Made new recovery codes",
        "organization.created": "Created the organization",
        "organization.updated": "Changed the organization",
        "audit.exported": "Exported the audit log",
        "member.invited": "Invited someone",
        "member.invitation-withdrawn": "Withdrew an invitation",
        "member.joined": "Joined the organization",
        "member.role-changed": "Changed a role",
        "member.removed": "Removed a member",
        "member.left": "Left the organization",
        "token.created": "Created a token",
        "token.revoked": "Revoked a token",
        "job.cancelled": "Cancelled a job",
        "job.retried": "Retried a job",
        "server.created": "Added a server",
        "server.updated": "Changed a server",
        "server.deleted": "Removed a server",
        "server.restarted": "Restarted a server",
        "server.provisioned": "Provisioned a server",
        "server.converged": "Applied the desired configuration",
        "server.host-key-accepted": "Accepted a new host key",
        "site.created": "Added a site",
        "site.updated": "Changed a site",
        "site.deleted": "Removed a site",
        "site.deployed": "Deployed a site",
        "site.rolled-back": "Rolled a site back",
        "site.suspended": "Suspended a site",
        "site.resumed": "Resumed a site",
        "site.zero-downtime-enabled": "Turned zero-downtime releases on",
        "site.host-key-forgotten": "Forgot the host key of a site's repository",
        "env.updated": "Changed environment variables",
        "env.deleted": "Removed an environment variable",
        "env.pulled": "Imported environment variables from the server",
        "env.revealed": "Read the value of an environment variable",
    }
)

# What an event can be about, by model name.
TARGETS = MappingProxyType(
    {
        "organization": "Organization",
        "membership": "Member",
        "invitation": "Invitation",
        "user": "Person",
        "token": "Token",
        "job": "Job",
        "server": "Server",
        "site": "Site",
    }
)
