"""What programs say when they fail."""

from __future__ import annotations

LONGEST = 500


def first_error(said: bytes) -> str:
    """The line that says why; what comes after it follows from it."""
    lines = [line for line in said.decode(errors="replace").splitlines() if line.strip()]
    found = next((line for line in lines if "ERROR" in line or "FATAL" in line), lines[-1] if lines else "nothing")
    return found.strip()[:LONGEST]
