"""How an upload is cut into parts. A store takes at most 10,000 of them, and 5 TiB in all.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from dataclasses import dataclass

MIB = 1024**2
LARGEST_OBJECT = 5 * 1024**4
MOST_PARTS = 10_000
SMALLEST = 8 * MIB
# So many bytes are in memory at once, where a single part is not larger.
IN_MEMORY = 96 * MIB


@dataclass(frozen=True, slots=True)
class Alike:
    """So many parts of `size` bytes, `at_once` of which are under way together."""

    count: int
    size: int
    at_once: int


# Small first: few backups ever need more memory than 32 MiB, and only those over 304 GiB more than 128. Each part costs
# the sender about a millisecond of CPU beside its bytes.
GROWING = (
    Alike(16, SMALLEST, 4),
    Alike(1500, 16 * MIB, 2),
    Alike(1000, 32 * MIB, 3),
    Alike(2000, 128 * MIB, 1),
    Alike(5484, 900 * MIB, 1),
)


def growing_parts() -> tuple[Alike, ...]:
    """Enough for the largest object that a store takes, whatever its size turns out to be."""
    return GROWING


def equal_parts(expected: int) -> tuple[Alike, ...]:
    """Of one size, for an object of `expected` bytes, or of up to twice as many."""
    wanted = -(-2 * expected // MOST_PARTS)
    size = min(max(SMALLEST, -(-wanted // MIB) * MIB), -(-LARGEST_OBJECT // MOST_PARTS // MIB) * MIB)
    return (Alike(MOST_PARTS, size, max(1, min(3, IN_MEMORY // size))),)
