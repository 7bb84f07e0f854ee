"""Waits until all name servers of a zone show what was put there."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from ipaddress import ip_address
from time import monotonic, sleep

from deploynix.errors import Error
from deploynix.guard import RefusedAddress, is_open
from domains.lookup.asking import Answer, answers
from domains.lookup.authority import Authority, authority_of
from domains.lookup.wire import at_once, require_live

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 10.0
# So soon is it noticed that somebody wants it to stop.
NAP = 0.2
# What a server does not show, in words, and what to do about it.
Lack = tuple[str, str]


class NotSeen(Error):
    """A name server does not show the value."""

    status = 502
    code = "value_not_seen"


class Stopped(Error):
    """Somebody did not want to wait any longer."""

    status = 409
    code = "stopped"


def wait_until_seen(
    wanted: Mapping[str, Iterable[str]],
    *,
    seconds: float,
    should_stop: Callable[[], bool],
    said: Callable[[str], None],
    type: str = "TXT",  # noqa: A002 -- its name in DNS
) -> None:
    """Returns when each name has its values at all of its name servers, in one and the same round of questions.

    Asks at once, and again after pauses that grow; `said` hears what is missing whenever that has changed. A server
    that this machine has no way to is not waited for where another one answers.

    Raises NotSeen after so many seconds, naming the server and what it says; Stopped; RefusedAddress for a server that
    is not on the public Internet; and as `authority_of`.
    """
    left, last = _questions(wanted, type), ("", "")
    for _ in _rounds(seconds, should_stop):
        missing = at_once(left)
        left = [question for question, found in zip(left, missing, strict=True) if found]
        if not left:
            return
        lack = next(found[0] for found in missing if found)
        if lack != last:
            said(lack[0])
            last = lack
    raise NotSeen(*last)


def _questions(wanted: Mapping[str, Iterable[str]], type: str) -> list[Callable[[], list[Lack]]]:  # noqa: A002
    """What asks about each name."""
    for name in wanted:
        require_live(name)
    authorities = at_once([partial(authority_of, name) for name in wanted])
    return [
        partial(_missing, _open(authority), name, type, frozenset(values))
        for authority, (name, values) in zip(authorities, wanted.items(), strict=True)
    ]


def _rounds(seconds: float, should_stop: Callable[[], bool]) -> Iterator[None]:
    """One at once, and as many as there is time for."""
    deadline, pause = monotonic() + seconds, FIRST_PAUSE
    yield
    while monotonic() + pause < deadline:
        _rest(pause, should_stop)
        yield
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _open(authority: Authority) -> Authority:
    """Raises RefusedAddress: waiting would not help."""
    for server in authority.servers:
        for address in map(ip_address, server.addresses):
            if not is_open(address):
                raise RefusedAddress(server.name, address)
    return authority


def _missing(authority: Authority, name: str, type: str, values: frozenset[str]) -> list[Lack]:  # noqa: A002
    """Of each server that does not show them all."""
    found = answers(authority, name, type)
    if any(answer.values is not None for answer in found):
        found = [answer for answer in found if not answer.is_out_of_reach]
    return [_said(answer, name, type) for answer in found if answer.values is None or values - set(answer.values)]


def _said(answer: Answer, name: str, type: str) -> Lack:  # noqa: A002
    if answer.values is None:
        return f"{name} is not served by all of its name servers: {answer.error}", answer.hint
    others = f"only {', '.join(answer.values)}" if answer.values else "none"
    return (
        f"{answer.server} ({answer.address}) does not show the {type} value of {name} yet: it has {others}.",
        "The provider may need longer, or the domain's name servers are not those of the provider it was put at.",
    )


def _rest(seconds: float, should_stop: Callable[[], bool]) -> None:
    end = monotonic() + seconds
    while (left := end - monotonic()) > 0:
        if should_stop():
            raise Stopped("The wait for the name servers was stopped.")
        sleep(min(NAP, left))
