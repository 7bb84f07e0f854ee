"""Makes a dump of MariaDB or MySQL fit for another database than the one that it was made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

# A longer line holds a row: all that is edited is short.
LONGEST_EDITED = 1 << 20


class Edit(NamedTuple):
    sign: bytes
    pattern: re.Pattern[bytes]
    replacement: bytes | Callable[[re.Match[bytes]], bytes]


def adapted(chunks: Iterable[bytes], source: str, scratch: str) -> Iterator[bytes]:
    """A dump of `source` that can be loaded into `scratch` without a touch to `source`, and does nothing there.

    Defaults that draw from a sequence, some triggers, and the statements that change a database around its routines
    name the source. Its events would run: they are put to sleep, see `definitions.ASLEEP`.
    """
    edits, rest, in_long_line = edits_for(source, scratch), b"", False
    for chunk in chunks:
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        if end == 0 and (in_long_line or len(data) > LONGEST_EDITED):
            in_long_line, rest = True, b""
            yield data
        elif end == 0:
            rest = data
        else:
            start = data.index(b"\n") + 1 if in_long_line else 0
            in_long_line, rest = False, data[end:]
            yield data[:start] + edited(data[start:end], edits)
    yield edited(rest, edits)


def edited(lines: bytes, edits: Iterable[Edit]) -> bytes:
    for edit in edits:
        # Looking for bytes is many times as fast as looking for a pattern.
        if edit.sign in lines:
            lines = edit.pattern.sub(edit.replacement, lines)
    return lines


def edits_for(source: str, scratch: str) -> tuple[Edit, ...]:
    """Lines that hold rows begin with INSERT or a parenthesis, and their values hold no line breaks."""
    old, new = b"`%s`." % source.replace("`", "``").encode(), scratch.encode()
    quoted = re.escape(source.replace("`", "``").encode())
    name = rb"(?:`%s`|%s)\s*\.\s*" % (quoted, re.escape(source.encode()))
    trigger = rb"^(/\*!50003 CREATE\*/[^\n]* TRIGGER "
    event = (
        rb"^(/\*!50106 CREATE\*/[^\n]* EVENT `(?:[^`]|``)*` ON SCHEDULE [^\n]*? ON COMPLETION (?:NOT )?PRESERVE) ENABLE"
    )
    return (
        edit(b"  `", rb"^  `[^\n]* DEFAULT [^\n]*`%s`\." % quoted, lambda found: found[0].replace(old, b"`%s`." % new)),
        edit(b"ALTER DATABASE `", rb"^ALTER DATABASE `%s` " % quoted, b"ALTER DATABASE `%s` " % new),
        edit(b"/*!50003 CREATE*/", trigger + rb")" + name, rb"\1"),
        edit(b"/*!50003 CREATE*/", trigger + rb"[^\n]*? ON )" + name, rb"\1"),
        edit(b"/*!50106 CREATE*/", event, rb"\1 DISABLE ON SLAVE"),
    )


def edit(sign: bytes, pattern: bytes, replacement: bytes | Callable[[re.Match[bytes]], bytes]) -> Edit:
    return Edit(sign, re.compile(pattern, re.MULTILINE), replacement)
