"""What happens to a restore before and after the backup is fetched. Each mode may be run again at any time."""

from __future__ import annotations

import shutil
from typing import Any

import encryption
import journal
import places
from talk import Failed, say

# What a database takes beyond the bytes of its dump: indexes, logs, free space inside.
ROOM = 1.3
GIB = 1024**3


def check(values: dict[str, Any]) -> None:
    """Whether the backup can be loaded here: `raw_size` bytes of it, `encryption`. Raises Failed."""
    encryption.check(values["encryption"])
    if not shutil.which("zstd"):
        raise Failed("check", "The server has no zstd.", "Install it on the server: apt-get install zstd.")
    place = places.place_of(values)
    place.check()
    needed, free = ROOM * values["raw_size"], shutil.disk_usage(place.folder()).free
    if free < needed:
        raise Failed(
            "check",
            f"There is too little room in {place.folder()}: {free / GIB:.2f} GiB are free, and a restore needs"
            f" {needed / GIB:.2f} GiB, as the backup unpacks to {values['raw_size'] / GIB:.2f} GiB.",
            "Make room on the server, or choose another one.",
        )


def swap(values: dict[str, Any]) -> None:
    """Puts what was loaded in its place. Says `swapped`, or `missing` where nothing was loaded. Raises Failed."""
    place = places.place_of(values)
    if place.is_loaded() or place.is_swapped():
        place.swap()
        say(swapped=True)
    else:
        say(missing=True)


def forget(values: dict[str, Any]) -> None:
    """Removes what a restore that has ended well was written down by."""
    journal.remove(values["scratch"])


def discard(values: dict[str, Any]) -> None:
    """Removes all traces of a restore that came to nothing; one that had swapped already is brought to its end."""
    place = places.place_of(values)
    if place.is_swapped():
        place.swap()
        journal.remove(values["scratch"])
    else:
        place.discard()


def examine(values: dict[str, Any]) -> None:
    """Looks at what a drill has loaded, and throws it away. Says `findings`. Raises Failed."""
    place = places.place_of(values)
    if not place.is_loaded():
        say(missing=True)
        return
    try:
        say(findings=list(place.findings(values["query"])))
    finally:
        place.discard()
