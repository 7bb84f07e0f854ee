"""Feeds a program the stream, compressed, and says how it did: `python3 feed.py BYTES PROGRAM ARGUMENT...`

Prints one line of JSON: `status`, `seconds`, and of the program alone `cpu` in seconds and `memory` in bytes.
"""

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
# As wide as between the programs of a backup; fcntl's number Python knows from 3.10 on.
PIPE_BYTES, SET_PIPE_SIZE = 1024 * 1024, 1031
COMPRESS = ["zstd", "--compress", "-3", "--quiet", "--stdout", "--no-progress", "--check"]


def main(size: str, command: list[str]) -> None:
    started = time.monotonic()
    stream = subprocess.Popen([sys.executable, HERE / "generate.py", size], stdout=subprocess.PIPE)
    compressed = subprocess.Popen(COMPRESS, stdin=stream.stdout, stdout=subprocess.PIPE)
    program = subprocess.Popen(command, stdin=compressed.stdout, stdout=subprocess.DEVNULL)
    for pipe in (stream.stdout, compressed.stdout):
        if pipe:
            fcntl.fcntl(pipe, SET_PIPE_SIZE, PIPE_BYTES)
            pipe.close()
    _, status, used = os.wait4(program.pid, 0)
    seconds = time.monotonic() - started
    result = {"status": status or stream.wait() or compressed.wait(), "seconds": seconds}
    print(json.dumps({**result, "cpu": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss * 1024}))


main(sys.argv[1], sys.argv[2:])
