"""Writes docs/generated/ from the tables in the code; with --check only says whether it is up to date."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.events import EVENTS
from deploynix.abilities import ABILITIES, ROLES
from tokens.vocabularies import DUTY_WORDS, RESOURCE_WORDS, SCOPE_WORDS, Vocabulary
from tools import provider_docs

FOLDER = Path(__file__).parent.parent / "docs" / "generated"
NOTE = "<!-- Written by `make docs`. Change the table in the code instead. -->"


def abilities() -> str:
    rows = (
        (f"`{name}`", text, *("yes" if name in ROLES[role] else "" for role in ROLES))
        for name, text in ABILITIES.items()
    )
    return document(
        "Abilities",
        "What a role may do, and what a token can be limited to. A token never does more than its user's role.",
        ("Ability", "What it opens", *ROLES),
        rows,
    )


def words() -> str:
    """The words of API keys and access tokens, and the abilities that they open."""
    vocabularies: dict[str, Vocabulary] = {
        "API key (`dep_live_`, `dep_test_`)": RESOURCE_WORDS,
        "API key (`dp_`)": DUTY_WORDS,
        "access token (`workspace_token_`)": SCOPE_WORDS,
    }
    rows = (
        (kind, f"`{word}`", text, ", ".join(f"`{name}`" for name in ABILITIES if name in vocabulary.opens[word]))
        for kind, vocabulary in vocabularies.items()
        for word, text in vocabulary.texts.items()
    )
    return document(
        "Permissions and scopes",
        "What API keys and access tokens carry, and the abilities that each word opens.",
        ("Kind", "Word", "Meaning", "Abilities"),
        rows,
    )


def events() -> str:
    rows = ((f"`{name}`", text) for name, text in EVENTS.items())
    return document("Audit events", "Everything that the audit log records.", ("Event", "What happened"), rows)


def providers() -> str:
    """What to make at each provider, and what it must be allowed."""
    table = document(
        "Providers",
        "What to make at each provider, what it must be allowed, and what for. Settings > Server, DNS, Git and Backup"
        " Providers ask for it, and try each permission.",
        provider_docs.COLUMNS,
        provider_docs.quick_rows(),
    )
    return "\n".join([table, *provider_docs.sections()])


def document(title: str, introduction: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [columns, ["---"] * len(columns), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([NOTE, "", f"# {title}", "", introduction, "", *lines, ""])


def main() -> None:
    documents = {FOLDER / f"{write.__name__}.md": write() for write in (abilities, events, providers, words)}
    stale = [path for path, text in documents.items() if not path.exists() or path.read_text() != text]
    if "--check" in sys.argv[1:]:
        if stale:
            sys.exit(f"out of date, run `make docs`: {', '.join(path.name for path in stale)}")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(documents[path])


if __name__ == "__main__":
    main()
