"""What a token can be limited to. The apps above register their kinds of resource here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from deploynix.actor import Actor
from deploynix.errors import Invalid

# By name, in the plural: the rows of that kind that an actor may see.
_kinds: dict[str, Callable[[Actor], QuerySet[Any]]] = {}
NAMES = ("servers", "sites")


def register_resource(name: str, visible: Callable[[Actor], QuerySet[Any]]) -> None:
    """`name` is one of NAMES; `visible` gives the rows that the actor may see."""
    _kinds[name] = visible


def choices(actor: Actor, name: str) -> list[tuple[str, str]]:
    """Id and name of every resource of a kind that the actor may limit a token to."""
    return [(row.pk, str(row)) for row in _kinds[name](actor)]


def limit(actor: Actor, wanted: Mapping[str, Sequence[str] | None]) -> dict[str, list[str]] | None:
    """What a new token of the actor is limited to; None for nothing. `wanted` maps servers and sites to ids.

    A token that is limited itself passes its own limit on where none is asked for. Raises Invalid, naming
    `servers.<position>`, for what the actor cannot see.
    """
    if not any(wanted.get(name) is not None for name in NAMES):
        own = actor.resources
        return {"servers": sorted(own.servers), "sites": sorted(own.sites)} if own else None
    chosen = {name: list(dict.fromkeys(wanted.get(name) or ())) for name in NAMES}
    _require_visible(actor, chosen)
    return chosen


def within_limits(actor: Actor, tokens: Iterable[tuple[str, Mapping[str, Sequence[str]]]]) -> list[str]:
    """Of tokens, given by id and what each is limited to, the ids of those that see no more than the actor does."""
    seen = {name: set(getattr(actor.resources, name, ())) for name in NAMES}
    for name, visible in _kinds.items():
        seen[name].update(visible(actor).values_list("pk", flat=True))
    return [pk for pk, limits in tokens if all(seen[name].issuperset(limits[name]) for name in NAMES)]


def _require_visible(actor: Actor, chosen: Mapping[str, list[str]]) -> None:
    errors: dict[str, list[str]] = {}
    for name, ids in chosen.items():
        seen = set(_kinds[name](actor).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
        for position, pk in enumerate(ids):
            if pk not in seen:
                errors[f"{name}.{position}"] = [f"The selected {name.removesuffix('s')} is invalid."]
    if not errors and not any(chosen.values()):
        errors["servers"] = ["Choose at least one server or site, or none at all to open the whole organization."]
    if errors:
        raise Invalid(errors)
