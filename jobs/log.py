"""Reads a job's log in pieces, so that a long one never has to fit into memory."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from jobs.models import Job, JobLog

# At most about this many characters are read and sent at once.
PART = 65_536
# Colours, cursor movements and window titles, by ECMA-48: CSI, OSC, and escapes of two characters.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[@-Z\\-_])|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of a log, in characters from `start` to `next`; `ended` when nothing will ever follow."""

    text: str
    start: int
    next: int
    ended: bool


def read_log(job: Job, after: int) -> Part:
    """What follows the first `after` characters, up to PART of them. A line under way waits until it is whole."""
    after = min(after, job.log_size)
    raw = _between(job, after, after + PART)
    is_last = not job.is_open and after + len(raw) >= job.log_size
    if not is_last:
        raw = raw[: raw.rfind("\n") + 1] or (raw if len(raw) >= PART else "")
    return Part(plain(raw), after, after + len(raw), is_last)


def read_end(job: Job) -> Part:
    """The last part of the log, from the beginning of a line on."""
    start = max(0, job.log_size - PART)
    part = read_log(job, start)
    if not start:
        return part
    return Part(part.text.partition("\n")[2], start, part.next, part.ended)


def stream_log(job: Job) -> Iterator[str]:
    """All of the log as it is now, part by part."""
    after = 0
    while raw := _between(job, after, min(after + PART, job.log_size)):
        yield plain(raw)
        after += len(raw)


def plain(text: str) -> str:
    """Text without colours and cursor movements; a line that was painted over becomes several."""
    return _ESCAPES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _between(job: Job, start: int, end: int) -> str:
    pieces: list[str] = []
    at = start
    for offset, text in _pieces(job, start).values_list("offset", "text").iterator(chunk_size=50):
        pieces.append(text[at - offset : end - offset])
        at = offset + len(text)
        if at >= end:
            break
    return "".join(pieces)


def _pieces(job: Job, start: int) -> QuerySet[JobLog]:
    """The pieces from the one that holds `start` on."""
    pieces = JobLog.objects.filter(job=job)
    first = pieces.filter(offset__lte=start).order_by("-offset").values("offset")[:1]
    return pieces.filter(offset__gte=first).order_by("offset")
