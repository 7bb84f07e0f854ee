"""Every part, one after the other: `python -m bench [--quick]` prints one JSON document.

Ends with 1 where an answer was wrong, and, unless --quick, where a target is not met.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from bench.report import environment

PARTS = (
    *("list_servers", "authentication", "list_page", "jobs", "providers", "converge", "deploy", "backups"),
    *("certificates", "renewals"),
)
PART_SECONDS = 1800


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke run: its figures mean little")
    quick: bool = parser.parse_args().quick
    before = environment()
    parts = {name: result_of(name, quick) for name in PARTS}
    is_met = all(part.get("is_met") for part in parts.values())
    print(json.dumps({"environment": before, "quick": quick, "is_met": is_met, "parts": parts}, indent=2))
    failed = any("error" in part for part in parts.values())
    return int(failed or not (is_met or quick))


def result_of(name: str, quick: bool) -> dict[str, Any]:
    """A part's report, measured in a process of its own, or why there is none."""
    print(f"measuring {name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", f"bench.{name}", *(["--quick"] if quick else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PART_SECONDS)
    if done.returncode:
        return {"error": done.stderr[-4000:].strip()}
    report: dict[str, Any] = json.loads(done.stdout)
    return report


if __name__ == "__main__":
    sys.exit(main())
