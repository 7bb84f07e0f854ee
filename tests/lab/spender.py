"""A process that spends many requests of one token at once: `python -m tests.lab.spender URL_OF_REDIS`.

It says that it is ready, begins when it is sent a line, and says how many requests were allowed.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from deploynix.api.rates import Meter, Rate

THREADS = 50
STANDARD = Rate(1000, 100).windows


def main(url: str) -> None:
    meter, together = Meter(url), Barrier(THREADS)

    def is_allowed(_: int) -> bool:
        together.wait(30)
        return meter.spend("token", STANDARD).retry_after is None

    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        print(sum(pool.map(is_allowed, range(THREADS))))


if __name__ == "__main__":
    main(sys.argv[1])
