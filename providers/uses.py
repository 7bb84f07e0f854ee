"""What uses a credential. The apps above register it: what they hold keeps a credential from being removed."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from providers.base import Kind
from providers.models import Credential

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Use:
    """One user of a credential, as people know it: "the server web-1"; `url` is its page, where it has one."""

    text: str
    url: str = ""


Counter = Callable[[Credential], Iterable[Use]]
_counters: dict[Kind, list[Counter]] = defaultdict(list)


def register_user(kind: Kind, counter: Counter) -> Counter:
    """Registers a function that tells what uses a credential of the kind."""
    _counters[kind].append(counter)
    return counter


def uses_of(credential: Credential) -> list[Use]:
    return [use for counter in _counters[Kind(credential.kind)] for use in counter(credential)]


def spoken(uses: Sequence[Use]) -> str:
    """The first of them, and how many more there are; empty for none."""
    more = f" and {len(uses) - SHOWN} more" if len(uses) > SHOWN else ""
    return ", ".join(use.text for use in uses[:SHOWN]) + more
