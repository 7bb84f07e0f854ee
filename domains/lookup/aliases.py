"""Aliases (CNAME): where a name leads."""

from collections.abc import Sequence
from secrets import token_hex

from domains.lookup.asking import answers
from domains.lookup.authority import Authority, authority_of
from domains.lookup.wire import LookupFailed

# Certificate authorities follow about as many.
MOST_ALIASES = 8


def follow_cname(name: str) -> str:
    """The name at the end of the aliases that begin at `name`, which is `name` itself where it is none.

    Raises LookupFailed for a circle of aliases, and as `authority_of`.
    """
    passed = [name]
    while target := _alias_on(passed):
        if target in passed or len(passed) > MOST_ALIASES:
            way = " → ".join([*passed, target])
            raise LookupFailed(f"The aliases (CNAME) of {name} lead nowhere: {way}.", "Remove one of them.")
        passed.append(target)
    return passed[-1]


def _alias_on(passed: Sequence[str]) -> str | None:
    try:
        return _alias(passed[-1])
    except LookupFailed as error:
        if len(passed) == 1:
            raise
        message = f"{passed[-2]} is an alias (CNAME) of {passed[-1]}. {error.message}"
        raise type(error)(message, error.hint, retryable=error.retryable) from error


def _alias(name: str) -> str | None:
    authority = authority_of(name)
    target = _target(authority, name)
    # A wildcard's alias (RFC 4592) ends for this name as soon as it has a record of its own.
    beside = f"_{token_hex(6)}.{name.partition('.')[2]}"
    return target if target and target != _target(authority, beside) else None


def _target(authority: Authority, name: str) -> str | None:
    found = answers(authority, name, "CNAME")
    good = [answer for answer in found if answer.values is not None]
    if not good:
        raise LookupFailed(found[0].error, found[0].hint)
    return next((value for answer in good for value in answer.values or ()), None)
