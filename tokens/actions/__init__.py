"""Every change of state of tokens, and the ways to come by one."""

from tokens.actions.access_tokens import create_access_token, refuse_change
from tokens.actions.api_keys import create_api_key, update_api_key
from tokens.actions.dry_run import record_dry_run
from tokens.actions.handover import collect_secret, find_handover, mail_handovers, rotate_due_keys
from tokens.actions.leaks import report_leak
from tokens.actions.making import require_api_access
from tokens.actions.personal import create_token, revoke_token, revoke_tokens, revoke_tokens_of_member
from tokens.actions.rotation import close_rotation, rotate_api_key
from tokens.actions.sign_in import register_with_token, sign_in
from tokens.actions.unused import remove_unused

__all__ = [
    "close_rotation",
    "collect_secret",
    "create_access_token",
    "create_api_key",
    "create_token",
    "find_handover",
    "mail_handovers",
    "record_dry_run",
    "refuse_change",
    "register_with_token",
    "remove_unused",
    "report_leak",
    "require_api_access",
    "revoke_token",
    "revoke_tokens",
    "revoke_tokens_of_member",
    "rotate_api_key",
    "rotate_due_keys",
    "sign_in",
    "update_api_key",
]
