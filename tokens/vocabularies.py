"""The words that tokens carry, by the prefix of the token, and what each of them opens."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from deploynix.abilities import ABILITIES, DUTY_PERMISSIONS, RESOURCE_PERMISSIONS, ROLES, SCOPES
from tokens.wire import ACCESS_PREFIX, DUTY_PREFIX, LIVE_PREFIX, PERSONAL_PREFIX, TEST_PREFIX


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`opens` maps each word to the abilities it opens, `texts` to what it means; `noun` is what a word is called."""

    noun: str
    opens: Mapping[str, frozenset[str]]
    texts: Mapping[str, str]


ABILITY_WORDS = Vocabulary("ability", {name: frozenset([name]) for name in ABILITIES}, ABILITIES)
RESOURCE_WORDS = Vocabulary(
    "permission",
    RESOURCE_PERMISSIONS,
    MappingProxyType(
        {
            "servers:read": "See servers",
            "servers:write": "Add servers, and change, restart and provision them",
            "servers:delete": "Remove servers",
            "servers:*": "Everything about servers",
            "instances:read": "See sites",
            "instances:write": "Add and change sites",
            "instances:delete": "Remove sites",
            "instances:*": "Everything about sites, deploying included",
            "backups:read": "See and download backups",
            "backups:write": "Make backups",
            "backups:*": "Everything about backups, restoring included",
            "teams:read": "See the organization",
            "teams:write": "Add organizations, and change this one's name",
            "teams:*": "Everything about organizations",
            "billing:read": "See invoices",
            "billing:*": "Everything about billing",
            "*:read": "Every permission to read",
            "*:write": "Every permission to write",
            "*:delete": "Every permission to delete",
        }
    ),
)
DUTY_WORDS = Vocabulary(
    "permission",
    DUTY_PERMISSIONS,
    MappingProxyType(
        {
            "read": "See everything but logs, the values of environment variables, and tokens",
            "write": "Add and change everything but members and tokens",
            "delete": "Remove everything but members and tokens",
            "deploy": "See and deploy sites",
            "manage_servers": "Everything about servers",
            "manage_projects": "Everything about projects",
            "manage_apps": "Everything about sites",
            "view_logs": "Read the logs of servers, deployments and jobs",
            "manage_backups": "Everything about backups",
        }
    ),
)
SCOPE_WORDS = Vocabulary(
    "scope",
    SCOPES,
    MappingProxyType(
        {
            "all": "Everything that the other scopes open",
            "basic_deployment": "See and deploy sites",
            "advanced_deployment": "Also roll back, schedule, suspend, resume, and turn zero-downtime releases on",
            "activity_tracker": "Report activity",
            "activity_tracker_analytics": "Read activity and its analytics",
            "error_tracker": "Report and read errors of applications",
            "modify_env": "Read and change the environment variables of sites",
            "run_scripts": "See and run automation scripts",
        }
    ),
)
VOCABULARIES: Mapping[str, Vocabulary] = MappingProxyType(
    {
        PERSONAL_PREFIX: ABILITY_WORDS,
        LIVE_PREFIX: RESOURCE_WORDS,
        TEST_PREFIX: RESOURCE_WORDS,
        DUTY_PREFIX: DUTY_WORDS,
        ACCESS_PREFIX: SCOPE_WORDS,
    }
)


@lru_cache(maxsize=4096)
def opened(prefix: str, words: tuple[str, ...], role: str) -> frozenset[str]:
    """The abilities that the words open to someone of this role; a word that no longer exists opens nothing."""
    opens = VOCABULARIES[prefix].opens
    return ROLES[role] & frozenset[str]().union(*(opens.get(word, ()) for word in words))
