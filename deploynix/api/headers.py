"""What an answer to a token says in its headers: the rate limit, and on demand how the request was authenticated."""

from django.http import HttpRequest

from deploynix.actor import Actor
from deploynix.api.rates import Spent
from deploynix.api.responses import Response

# Not through `request.headers`, which reads every header to find one.
DEBUG_HEADER = "HTTP_X_DEBUG_AUTH"


def add_headers(response: Response, request: HttpRequest, actor: Actor, spent: Spent | None) -> None:
    if spent is not None:
        response["X-RateLimit-Limit"] = str(spent.limit)
        response["X-RateLimit-Remaining"] = str(spent.remaining)
        response["X-RateLimit-Reset"] = str(spent.reset_at)
    if actor.is_dry_run:
        response["X-Dry-Run"] = "true"
    if request.META.get(DEBUG_HEADER, "").strip().lower() == "true":
        _add_debug_headers(response, actor, spent)


def _add_debug_headers(response: Response, actor: Actor, spent: Spent | None) -> None:
    response["X-Auth-Key-ID"] = _printable(actor.key_id)
    response["X-Auth-Permissions"] = _printable(",".join(actor.grants))
    # An address that is not allowed gets no further than the authentication.
    response["X-Auth-IP-Check"] = "passed"
    response["X-Auth-Rate-Limit"] = f"{spent.remaining}/{spent.limit}" if spent else "unlimited"


def _printable(text: str) -> str:
    """The text without what a header cannot carry: a line's end would start another one."""
    return "".join(character for character in text if " " <= character <= "~")
