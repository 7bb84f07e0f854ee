"""Writes docs/generated/ from the tables in the code; with --check only says whether it is up to date."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from audit.events import EVENTS
from deploynix.abilities import ABILITIES, ROLES

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


def events() -> str:
    rows = ((f"`{name}`", text) for name, text in EVENTS.items())
    return document("Audit events", "Everything that the audit log records.", ("Event", "What happened"), rows)


def document(title: str, introduction: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [columns, ["---"] * len(columns), *rows]
    lines = ["| " + " | ".join(row) + " |" for row in table]
    return "\n".join([NOTE, "", f"# {title}", "", introduction, "", *lines, ""])


def main() -> None:
    documents = {FOLDER / "abilities.md": abilities(), FOLDER / "events.md": events()}
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
