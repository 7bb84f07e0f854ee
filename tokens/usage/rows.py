"""The rows that uses and failures are counted in.

Callers hold the tokens' rows locked (on SQLite, the database), so that what is read here stays as it is until it is
written, and no count of another process is lost.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import date
from typing import Any, TypeVar

from django.db.models import Count, Model

from deploynix.api.routes import spoken
from tokens.alerts import warn_of_networks
from tokens.models import Token, TokenAbility, TokenCaller, TokenDay, TokenFailure, TokenNetwork
from tokens.usage.noting import ROOM, Failure, Key, Notes, Tally, Use
from tokens.usage.places import country_of, network_of, parse_address

Row = TypeVar("Row", bound=Model)
Group = TypeVar("Group", bound=Hashable)
Noted = Mapping[str, Notes[Key]]


def write_days(noted: Noted[Use]) -> None:
    rows = [
        TokenDay(token_id=token_id, day=date.fromordinal(day), count=tally.count)
        for token_id, notes in noted.items()
        for day, tally in _grouped(notes, lambda use: use.day).items()
    ]
    days = {row.day for row in rows}
    _add(TokenDay, rows, TokenDay.objects.filter(token__in=noted, day__in=days), ("day",))


def write_callers(noted: Noted[Use]) -> None:
    """A token keeps so many callers as there is room for; the oldest are forgotten."""
    rows = [
        TokenCaller(token_id=token_id, ip=ip, agent=agent, route=route, **_times(tally), count=tally.count)
        for token_id, notes in noted.items()
        for (ip, agent, route), tally in _grouped(notes, _caller).items()
    ]
    new = _add(TokenCaller, rows, TokenCaller.objects.filter(token__in=noted), ("ip", "agent", "route"))
    _trim(TokenCaller, new)


def write_abilities(noted: Noted[Use]) -> None:
    rows = [
        TokenAbility(token_id=token_id, ability=ability, last_at=tally.last_at, count=tally.count)
        for token_id, notes in noted.items()
        for ability, tally in _grouped(notes, lambda use: use.ability or None).items()
    ]
    _add(TokenAbility, rows, TokenAbility.objects.filter(token__in=noted), ("ability",))


def write_networks(tokens: Mapping[str, Token], noted: Noted[Use]) -> None:
    """Warns of networks that are new to a token which had others before."""
    rows = [
        TokenNetwork(token_id=token_id, network=network, **_times(tally))
        for token_id, notes in noted.items()
        for network, tally in _grouped(notes, lambda use: network_of(use.ip) if use.ip else None).items()
    ]
    for row in rows:
        row.country = country_of(row.network.partition("/")[0])
    known = list(TokenNetwork.objects.filter(token__in=noted))
    new = _add(TokenNetwork, rows, known, ("network",))
    for token_id in {row.token_id for row in new} & {row.token_id for row in known}:
        earlier = [row for row in known if row.token_id == token_id]
        warn_of_networks(tokens[token_id], earlier=earlier, new=[row for row in new if row.token_id == token_id])
    _trim(TokenNetwork, new)


def write_failures(noted: Noted[Failure]) -> None:
    """Once a token has more rows of a day than there is room for, addresses that are new count as unknown."""
    days = {date.fromordinal(failure.day) for notes in noted.values() for failure in notes}
    known = list(TokenFailure.objects.filter(token__in=noted, day__in=days))
    rows: list[TokenFailure] = []
    for token_id, notes in noted.items():
        addresses = [row.ip for row in known if row.token_id == token_id]
        shown = set(addresses) if len(addresses) >= ROOM else None
        rows += _refusals(token_id, notes, shown)
    _add(TokenFailure, rows, known, ("code", "ip", "day"))


def _refusals(token_id: str, notes: Notes[Failure], shown: set[str] | None) -> list[TokenFailure]:
    def group(failure: Failure) -> tuple[str, str, date]:
        ip = _address(failure.ip)
        return failure.code, ip if shown is None or ip in shown else "", date.fromordinal(failure.day)

    return [
        TokenFailure(token_id=token_id, code=code, ip=ip, day=day, last_at=tally.last_at, count=tally.count)
        for (code, ip, day), tally in _grouped(notes, group).items()
    ]


def _caller(use: Use) -> tuple[str, str, str] | None:
    # PostgreSQL stores no text with a NUL in it.
    return (
        (_address(use.ip), use.agent.replace("\0", ""), f"{use.method} {spoken(use.route)}"[:255])
        if use.route
        else None
    )


def _address(ip: str | None) -> str:
    return str(parse_address(ip)) if ip else ""


def _times(tally: Tally) -> dict[str, Any]:
    return {"first_at": tally.first_at, "last_at": tally.last_at}


def _grouped(notes: Notes[Key], group: Callable[[Key], Group | None]) -> dict[Group, Tally]:
    """The tallies, summed by group; those of the group None are left out."""
    sums: dict[Group, Tally] = {}
    for key, tally in notes.items():
        name = group(key)
        if name is not None:
            sums.setdefault(name, Tally(0, tally.first_at, tally.last_at)).add(tally)
    return sums


def _add(model: type[Row], rows: Iterable[Row], known: Iterable[Row], names: tuple[str, ...]) -> list[Row]:
    """Adds to the known rows with the same token and names; returns the rows that were none of them."""
    earlier = {_identity(row, names): row for row in known}
    new, seen = [], []
    for row in rows:
        found = earlier.get(_identity(row, names))
        if found is None:
            new.append(row)
        else:
            _merge(found, row)
            seen.append(found)
    model._default_manager.bulk_create(new)
    changing = [name for name in ("count", "last_at", "country") if hasattr(model, name)]
    model._default_manager.bulk_create(seen, update_conflicts=True, unique_fields=["id"], update_fields=changing)
    return new


def _identity(row: Model, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in ("token_id", *names))


def _merge(row: Any, other: Any) -> None:
    if hasattr(row, "count"):
        row.count += other.count
    if hasattr(row, "last_at"):
        row.last_at = max(row.last_at, other.last_at)
    if hasattr(row, "country"):
        row.country = other.country or row.country


def _trim(model: type[TokenCaller] | type[TokenNetwork], new: Iterable[TokenCaller | TokenNetwork]) -> None:
    """Forgets the oldest rows of tokens that have more than there is room for, now that the new ones are there."""
    grown = {row.token_id for row in new}
    counts = model._default_manager.filter(token__in=grown).values_list("token").annotate(Count("pk"))
    for token_id, count in counts if grown else ():
        if count > ROOM:
            oldest = model._default_manager.filter(token=token_id).order_by("-last_at", "-pk")[ROOM:]
            model._default_manager.filter(pk__in=[row.pk for row in oldest]).delete()
