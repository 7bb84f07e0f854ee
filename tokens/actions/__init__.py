"""Every change of state of tokens, and the ways to come by one."""

from tokens.actions.personal import (
    create_token,
    require_api_access,
    revoke_token,
    revoke_tokens_of_member,
)
from tokens.actions.sign_in import register_with_token, sign_in

__all__ = [
    "create_token",
    "register_with_token",
    "require_api_access",
    "revoke_token",
    "revoke_tokens_of_member",
    "sign_in",
]
