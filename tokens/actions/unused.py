"""Taking from a token what it is not used for."""

from typing import cast

from django.db import transaction

from audit.log import record
from deploynix.actor import Actor
from deploynix.errors import Conflict
from tokens.actions.access_tokens import refuse_change
from tokens.actions.api_keys import update_api_key
from tokens.models import ApiKey, Kind, Token
from tokens.unused import removable_words, unused_abilities


@transaction.atomic
def remove_unused(actor: Actor, *, token: Token) -> list[str]:
    """Takes the words away that opened nothing the token was used for in 30 days; returns them.

    Somebody else's token, and any API key, needs token:update. Raises Denied, and Conflict for an access token, and
    where nothing or everything would go.
    """
    if token.kind == Kind.API_KEY or actor.user is None or token.user_id != actor.user.pk:
        actor.require("token:update")
    if token.kind == Kind.ACCESS:
        refuse_change()
    token = Token.objects.visible_to(actor).unrevoked().select_for_update().get(pk=token.pk)
    removed = removable_words(token, unused_abilities(token))
    kept = [word for word in token.grants if word not in removed]
    if not removed:
        raise Conflict("Everything that this token carries was used in the last 30 days.")
    if not kept:
        raise Conflict("Nothing that this token carries was used in the last 30 days.", "Revoke it instead.")
    if token.kind == Kind.API_KEY:
        update_api_key(actor, key=cast(ApiKey, token), permissions=kept)
        return removed
    record(actor, "token.narrowed", token, {"grants": [token.grants, kept]})
    token.grants = kept
    token.save(update_fields=["grants"])
    return removed
