"""Vendors that stand in for those whose servers nobody can run at home, and the tokens that they know."""

from datetime import UTC, datetime, timedelta

from providers.dns.cloudflare import Cloudflare
from providers.git.gitlab import GitLab
from providers.servers.hetzner import WRITE, HetznerServers
from tests.contract.dns import cloudflare
from tests.contract.git import gitlab
from tests.contract.git_state import GitState
from tests.contract.served import Service
from tests.contract.servers import hetzner
from tests.contract.state import DnsState, ServerState

HETZNER, HETZNER_THAT_READS = "hetzner-reads-and-writes", "hetzner-only-reads"
CLOUDFLARE = "cloudflare-edit"
GITLAB, GITLAB_OF_AN_ADMINISTRATOR = "glpat-of-octocat", "glpat-of-root"


def services() -> list[Service]:
    soon = (datetime.now(UTC) + timedelta(days=5)).date().isoformat()
    too_much = {"scopes": ["api", "sudo"], "expires": soon}
    return [
        Service(HetznerServers, hetzner, ServerState(), {HETZNER: {}, HETZNER_THAT_READS: {"denied": {WRITE}}}),
        Service(Cloudflare, cloudflare, DnsState(), {CLOUDFLARE: {}}),
        Service(GitLab, gitlab, GitState(), {GITLAB: {}, GITLAB_OF_AN_ADMINISTRATOR: too_much}),
    ]
