"""What a part found out: figures with their targets, as one JSON document."""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tests.peers import postgres_programs

Bound = Literal["at least", "at most"]


class WrongAnswer(Exception):
    """What was measured did not do what it should: its figures would mean nothing."""


@dataclass(frozen=True)
class Figure:
    """A value in `unit`; `is_met` is None where there is no target."""

    name: str
    value: float
    unit: str
    bound: Bound | None = None
    target: float | None = None
    is_met: bool | None = None


@dataclass
class Report:
    """The figures of one part; `about` says how they came about."""

    about: dict[str, Any] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)

    def add(self, name: str, value: float, unit: str, bound: Bound | None = None, target: float | None = None) -> None:
        is_met = None
        if target is not None:
            is_met = value >= target if bound == "at least" else value <= target
        target = None if target is None else rounded(target)
        self.figures.append(Figure(name, rounded(value), unit, bound, target, is_met))

    @property
    def is_met(self) -> bool:
        return all(figure.is_met is not False for figure in self.figures)

    def as_dict(self) -> dict[str, Any]:
        return {"about": self.about, "is_met": self.is_met, "figures": [asdict(figure) for figure in self.figures]}


def rounded(value: float) -> float:
    return float(f"{value:.4g}")


def environment() -> dict[str, Any]:
    version = subprocess.run(
        [postgres_programs() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    return {
        "cores": os.cpu_count(),
        # Of the last minute, before the first part: much above 0 means that others disturb the figures.
        "load_average": rounded(os.getloadavg()[0]),
        "machine": platform.machine(),
        "postgresql": version.stdout.split()[2],
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def run_part(measure: Callable[[Report, bool], None]) -> None:
    """The command line of a part: prints its report, and fails where an answer was wrong."""
    parser = argparse.ArgumentParser(description=sys.modules[measure.__module__].__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures mean little")
    report = Report()
    try:
        measure(report, parser.parse_args().quick)
    except WrongAnswer as error:
        sys.exit(f"no figures: {error}")
    print(json.dumps(report.as_dict(), indent=2))
