"""Brings this server a step closer to what Deploynix needs. Runs as root, and changes nothing the second time.

Standard input is one line of JSON: `step`, one of account, packages, database and verify, and what the step's
`main` takes.
"""

from __future__ import annotations

import json
import os
import sys

import account
import database
import packages
import verify
from report import Refused

STEPS = {"account": account.main, "packages": packages.main, "database": database.main, "verify": verify.main}


def main() -> int:
    values = json.loads(sys.stdin.buffer.readline())
    os.umask(0o022)
    os.chdir("/")
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8")
    try:
        STEPS[values.pop("step")](**values)
    except Refused as refused:
        print(f"refused: {refused}\nhint: {refused.hint}", flush=True)
        return 3
    return 0


sys.exit(main())
