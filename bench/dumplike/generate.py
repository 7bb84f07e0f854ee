"""Writes a stream like a dump: `python3 generate.py BYTES` of what does not compress, with lines between that do.

It runs on a server, and takes next to no time itself.
"""

import os
import sys

PIECE = 64 * 1024
# Far more than a compressor at its usual level looks back.
PIECES = 256
LINES = b"".join(b"INSERT INTO orders VALUES (%d,'open','2026-11-22',%d.99);\n" % (n, n % 97) for n in range(600))


def main(size: int) -> None:
    pool = [os.urandom(PIECE) + LINES for _ in range(PIECES)]
    for number in range(size // PIECE):
        sys.stdout.buffer.write(pool[number % PIECES])


main(int(sys.argv[1]))
