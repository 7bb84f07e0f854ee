"""What should be on this server, and how it differs from what is."""

from __future__ import annotations

import base64
import difflib
import grp
import os
import pwd
import re
from typing import Any, NamedTuple

from items import Failed, Item, Owner, read

LARGEST_DIFFED = 256 * 1024
LARGEST_DIFF = 64 * 1024
KINDS = (("directory", "directories"), ("file", "files"), ("link", "links"))


class Want(NamedTuple):
    """An item that should be, and what is there instead. The text of a secret one must not leave the server."""

    item: Item
    current: Item
    owner: Owner
    entry: dict[str, Any]
    is_secret: bool


def wants_of(payload: dict[str, Any], managed: dict[str, Any]) -> list[Want]:
    """Folders before files before links; then what was managed once and is not any more, innermost first."""
    entries = [(kind, entry) for kind, field in KINDS for entry in payload[field]]
    wants = [want_of(item_of(kind, entry), entry, managed) for kind, entry in entries]
    left = set(managed) - {want.item.path for want in wants}
    return wants + [want_of(Item(path), managed[path], managed) for path in sorted(left, reverse=True)]


def want_of(item: Item, entry: dict[str, Any], managed: dict[str, Any]) -> Want:
    owner = Owner(entry["uid"], entry["gid"]) if item.kind == "absent" else Owner(item.uid, item.gid)
    was_secret = managed.get(item.path, {}).get("secret", False)
    return Want(item, read(item.path, owner), owner, entry, entry["secret"] or was_secret)


def item_of(kind: str, entry: dict[str, Any]) -> Item:
    if kind == "link":
        return Item(entry["path"], kind, os.fsencode(entry["target"]))
    content = base64.b64decode(entry.get("content", ""))
    try:
        uid, gid = pwd.getpwnam(entry["owner"]).pw_uid, grp.getgrnam(entry["group"]).gr_gid
    except KeyError as error:
        raise Failed("find the owner", str(error.args[0]), entry["path"]) from None
    return Item(entry["path"], kind, content, entry["mode"], uid, gid)


def managed_by(wants: list[Want]) -> dict[str, Any]:
    """What has to be known of each path once nobody wants it any more."""
    return {
        want.item.path: {
            **{name: want.entry[name] for name in ("secret", "validate", "reload", "guarded")},
            "uid": want.owner.uid,
            "gid": want.owner.gid,
        }
        for want in wants
        if want.item.kind != "absent"
    }


def change_of(want: Want) -> dict[str, Any]:
    # A file of somebody else in a user's folder may be a hard link to what that user cannot read.
    is_foreign = want.current.kind == "file" and want.owner.uid not in (0, want.current.uid)
    diff = None if want.is_secret or is_foreign else diff_of(want)
    return {"path": want.item.path, "action": action_of(want), "diff": diff, "secret": want.is_secret}


def action_of(want: Want) -> str:
    if want.current.kind == "absent":
        return "create"
    if want.item.kind == "absent":
        return "delete"
    same_content = (want.item.kind, want.item.content) == (want.current.kind, want.current.content)
    return "mode" if same_content else "update"


def diff_of(want: Want) -> str | None:
    if max(len(want.item.content), len(want.current.content)) > LARGEST_DIFFED:
        return None
    old, new = lines_of(want.current), lines_of(want.item)
    if old == new:
        old, new = [rights_of(want.current)], [rights_of(want.item)]
    text = "".join(difflib.unified_diff(old, new, want.item.path, want.item.path))
    return text if len(text) <= LARGEST_DIFF else text[:LARGEST_DIFF] + "\n(cut here)\n"


def lines_of(item: Item) -> list[str]:
    text = item.content.decode("utf-8", "replace")
    if item.kind == "link":
        text = "link to " + text
    return [line + "\n" for line in text.splitlines()]


def rights_of(item: Item) -> str:
    return "absent\n" if item.kind == "absent" else f"{item.kind} {item.mode:04o} {item.uid}:{item.gid}\n"


def without_secrets(output: str, wants: list[Want]) -> str:
    """A validator may quote the line that it dislikes."""
    words: set[str] = set()
    for want in wants:
        if want.is_secret:
            text = (want.item.content + b"\n" + want.current.content).decode("utf-8", "replace")
            words.update(word for word in re.split(r"[\s\"'=:;,]+", text) if len(word) >= 6)
    for word in sorted(words, key=len, reverse=True):
        output = output.replace(word, "[secret]")
    return output
