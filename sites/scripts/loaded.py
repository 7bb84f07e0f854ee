"""Waits until every worker of nginx that takes requests has read a file of its configuration. Runs as root.

A reload returns before it has happened, and for a moment old and new workers take requests side by side.

Input: one line of JSON with `path`. Exit code 3: it took too long.
"""

import json
import os
import sys
import time

PATIENCE = 10.0
TOO_LONG = 3
TICK = os.sysconf("SC_CLK_TCK")


def workers():
    with open("/run/nginx.pid") as file:
        master = file.read().strip()
    with open(f"/proc/{master}/task/{master}/children") as file:
        return file.read().split()


def takes_requests(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return "shutting down" not in file.read()


def started_at(pid):
    """Seconds since the epoch; field 22 of proc_pid_stat(5) counts ticks since the machine started."""
    with open(f"/proc/{pid}/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + ticks / TICK


def is_loaded(written):
    try:
        starts = [started_at(pid) for pid in workers() if takes_requests(pid)]
    except OSError:
        # A worker has just ended, or nginx is just starting.
        return False
    # A start is counted in whole ticks, rounded down.
    return bool(starts) and min(starts) + 1 / TICK >= written


def main():
    path = json.loads(sys.stdin.readline())["path"]
    end = time.monotonic() + PATIENCE
    while not is_loaded(os.stat(path).st_mtime):
        if time.monotonic() > end:
            sys.exit(TOO_LONG)
        time.sleep(0.02)


main()
