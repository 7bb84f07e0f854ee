"""Moves a backup between this server and a store. Runs as root, as a unit; Python 3.9 and its library are enough.

Standard input is one line of JSON: `mode`, and what the mode's function takes. See `talk` for what it says.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

from talk import Failed, say_failure

# The module and function of each. No other is loaded: all are compiled anew each time.
MODES = {
    "facts": ("engines", "tell_facts"),
    "send": ("send", "main"),
    "receive": ("receive", "main"),
    "check": ("restore", "check"),
    "swap": ("restore", "swap"),
    "forget": ("restore", "forget"),
    "discard": ("restore", "discard"),
    "examine": ("restore", "examine"),
}
# As sysexits.h has it: what a program says goes to a disk that may be full, so that it cannot say so.
CANNOT_SPEAK = 74


def main() -> int:
    values = json.loads(sys.stdin.buffer.readline())
    os.umask(0o077)
    os.chdir("/")
    os.environ.update(PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL="C.UTF-8")
    try:
        # Something may stand there, of a run that a restart of the server broke off in the middle of a line.
        print(flush=True)
        return attempt(values)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        return CANNOT_SPEAK


def attempt(values: dict[str, Any]) -> int:
    module, function = MODES[values.pop("mode")]
    try:
        getattr(import_module(module), function)(values)
    except Failed as failure:
        say_failure(failure)
        return 1
    return 0


# Not `sys.exit`: a thread that still waits for the store would hold the end up.
code = main()
with suppress(OSError):
    sys.stdout.flush()
os._exit(code)
