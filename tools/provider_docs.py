"""docs/generated/providers.md: what every provider declares, as people read it."""

import json
from collections.abc import Iterable, Iterator, Sequence

from providers.base import KIND_LABELS, Field, Permission, Provider
from providers.registry import providers_of

COLUMNS = ("Provider", "Kind", "Key", "Credential", "It must be allowed")
# Longer lists stand below, with the provider.
SHOWN = 4


def quick_rows() -> Iterator[Sequence[str]]:
    """One row for each provider, of the columns above."""
    for kind, label in KIND_LABELS.items():
        for provider in providers_of(kind).values():
            address = f"[{provider.label}](#{anchor(heading(provider, label))})"
            yield address, label, f"`{provider.key}`", provider.credential, _cell(needed(provider))


def needed(provider: type[Provider]) -> str:
    # Some permissions are one and the same switch at the provider.
    labels = list(dict.fromkeys(permission.label for permission in provider.permissions if not permission.optional))
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return "; ".join(labels[:SHOWN]) + more


def sections() -> Iterator[str]:
    """The text below the table, line by line."""
    for kind, label in KIND_LABELS.items():
        for provider in providers_of(kind).values():
            yield from section(provider, label)


def section(provider: type[Provider], label: str) -> Iterator[str]:
    yield from (f"## {heading(provider, label)}", "")
    yield from _list("", provider.gates)
    yield from (f"To make the {provider.credential}:", "")
    yield from (f"{number}. {step}" for number, step in enumerate(provider.steps, 1))
    yield from ("", *_table(("Permission", "What for"), map(_permission, provider.permissions)), "")
    yield from (*_table(("Field", "Name", ""), map(_field, provider.fields)), "")
    yield from _list("It is used to:", provider.used_for)
    yield from _list("Good to know:", provider.notes)
    if policy := provider(_blank(provider)).policy():
        yield from ("```json", json.dumps(policy, indent=2, ensure_ascii=False), "```", "")


def heading(provider: type[Provider], label: str) -> str:
    return f"{provider.label} ({label})"


def anchor(text: str) -> str:
    """As GitHub and GitLab make the address of a heading."""
    return "".join(letter for letter in text.lower().replace(" ", "-") if letter.isalnum() or letter in "-_")


def _permission(permission: Permission) -> Sequence[str]:
    return permission.label + (" (optional)" if permission.optional else ""), permission.reason


def _field(field: Field) -> Sequence[str]:
    about = ["secret"] if field.secret else []
    about += [] if field.required else ["optional"]
    about += [f"`{field.default}` if not given"] if field.default else []
    return field.label, f"`{field.name}`", ". ".join(filter(None, [", ".join(about), field.help_text]))


def _blank(provider: type[Provider]) -> dict[str, str]:
    return {field.name: field.default for field in provider.fields}


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"- {item}" for item in items]
    if lines:
        yield from ([title, ""] if title else [])
        yield from (*lines, "")


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in [columns, ["---"] * len(columns), *rows]:
        yield "| " + " | ".join(map(_cell, row)) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
