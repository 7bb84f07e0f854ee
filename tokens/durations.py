"""Spans of time as the API writes them: `12h`, `90d`, `2w`."""

import re
from datetime import timedelta

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_FORM = re.compile(r"([1-9][0-9]{0,4})([hdw])", re.ASCII)
LONGEST = timedelta(days=3650)


def parse_duration(text: str) -> timedelta:
    """Raises ValueError, saying what is expected, for anything that is no number of hours, days or weeks."""
    match = _FORM.fullmatch(text.strip())
    span = int(match[1]) * _UNITS[match[2]] if match else None
    if span is None or span > LONGEST:
        raise ValueError("must be a number of hours, days or weeks up to ten years, such as 12h, 90d or 2w")
    return span
