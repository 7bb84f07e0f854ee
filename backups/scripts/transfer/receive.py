"""Fetches a backup from the store, part by part, and loads it; of a part that is not what was sent nothing is used."""

from __future__ import annotations

import hashlib
import http.client
import re
import secrets
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any, cast

import places
from encryption import opening
from pipeline import Pipeline, Program, failure_of
from reach import LARGEST_ERROR, Answer, Client, Way, split
from said import first_error
from talk import Answers, Failed, say

# The object is asked for in ranges, all of which have one address.
OBJECT = 1
DECOMPRESS = Program("decompress", "zstd", ["zstd", "--decompress", "--quiet", "--stdout", "--no-progress"])
# Larger ones are not fetched ahead.
LARGEST_AHEAD = 128 * 1024 * 1024
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
BROKEN_PIPE = -13
# At the end of a pipe, and of a pair of sockets.
NOBODY_READS = re.compile("roken pipe|onnection reset")
LITTLE_ROOM = 16 * 1024 * 1024


def main(values: dict[str, Any]) -> None:
    """Input: `store`, `parts` (of `[size, sha256 of everything up to its end]`), `patience` in seconds, `encryption`,
    `identity`, and what the place takes. Whatever fails, nothing of it stays."""
    say(began=secrets.token_hex(16))
    began_at = time.monotonic()
    place = places.place_of(values)
    folder = place.folder()
    try:
        place.prepare()
        parts = Parts(values["store"], values["parts"], values["patience"])
        load(place, parts, opening(values))
        seconds = time.monotonic() - began_at
        place.check_loaded()
    except BaseException as failure:
        if isinstance(failure, Failed) and shutil.disk_usage(folder).free < LITTLE_ROOM:
            failure.hint = "The disk of the server is full. Make room on it, then retry."
        with suppress(Failed):
            place.discard()
        raise
    say(done={"seconds": seconds, "received": parts.received})


def load(place: places.Place, parts: Parts, opening: list[Program]) -> None:
    """Raises Failed."""
    source = Pipeline([*opening, DECOMPRESS], is_fed=True)
    pipelines = [source]
    try:
        target = Pipeline([place.loader()], is_fed=True, is_read=False)
        pipelines.append(target)
        mover = Mover(place, source.output, cast(IO[bytes], target.input))
        is_whole = parts.feed(cast(IO[bytes], source.input))
        finish(pipelines, mover, is_whole=is_whole)
    except BaseException:
        for pipeline in pipelines:
            pipeline.kill()
        raise


class Mover(threading.Thread):
    """Takes what was unpacked to what loads it, in the way of the place."""

    def __init__(self, place: places.Place, source: IO[bytes], sink: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self.failure: BaseException | None = None
        self._place, self._source, self._sink = place, source, sink
        self.start()

    def run(self) -> None:
        try:
            with self._source, self._sink:
                self._place.move(self._source, self._sink)
        except BaseException as failure:
            self.failure = failure


def finish(pipelines: list[Pipeline], mover: Mover, *, is_whole: bool) -> None:
    """Waits for all, and raises Failed for the one that is to blame: the first that failed by itself, as those after it
    miss the end, and those before it find nobody who reads. `pipelines` are what unpacks and what loads."""
    [source, target] = pipelines
    unpacked = source.wait()
    mover.join()
    loaded = target.wait()
    if own := own_failures(unpacked):
        raise explained(own[0])
    # That nobody reads on is said better by who should have.
    if mover.failure and not isinstance(mover.failure, BrokenPipeError):
        raise mover.failure
    if own := own_failures(loaded):
        raise explained(own[0])
    if mover.failure or not is_whole or any(code not in program.accepted for program, code, _ in unpacked + loaded):
        raise Failed("load", "The transfer was broken off.", "Try again.")


def own_failures(ended: list[tuple[Program, int, str]]) -> list[Failed]:
    """Of those that did not just find nobody who reads."""
    return [
        failure_of(program, code, said)
        for program, code, said in ended
        if code not in program.accepted and code != BROKEN_PIPE and not NOBODY_READS.search(said)
    ]


def explained(failure: Failed) -> Failed:
    if failure.stage == "decrypt":
        hint = "It is encrypted for another key, or the private key has a passphrase: give the right one, without."
        return Failed("decrypt", "The private key does not open this backup.", hint, program=failure.program)
    failure.said = first_error(failure.said.encode())
    return failure


class Parts:
    """What the store has, fetched one part ahead of what is used."""

    def __init__(self, store: dict[str, Any], parts: list[tuple[int, str]], patience: float) -> None:
        self.received = 0
        self._parts, self._patience = parts, patience
        self._answers = Answers("download", 1)
        way = Way(store, self._answers)
        way.test()
        self._reader = Reader(way)
        self._sum = hashlib.sha256()
        self._said_at = 0.0

    def feed(self, sink: IO[bytes]) -> bool:
        """Whether all of it was read. Raises Failed."""
        ahead = ThreadPoolExecutor(1)
        try:
            with sink:
                self._feed(ahead, sink)
        except BrokenPipeError:
            return False
        finally:
            ahead.shutdown(wait=False)
        return True

    def _feed(self, ahead: ThreadPoolExecutor, sink: IO[bytes]) -> None:
        last = len(self._parts)
        coming = ahead.submit(self._fetch, 1)
        for number in range(1, last + 1):
            part = coming.result()
            is_small = len(part) <= LARGEST_AHEAD
            if number < last and is_small:
                coming = ahead.submit(self._fetch, number + 1)
            sink.write(part)
            if number < last and not is_small:
                coming = ahead.submit(self._fetch, number + 1)
            self._tell(len(part))

    def _tell(self, size: int) -> None:
        self.received += size
        if time.monotonic() - self._said_at >= 1:
            self._said_at = time.monotonic()
            say(progress={"received": self.received})

    def _fetch(self, number: int) -> memoryview:
        size, sha256 = self._parts[number - 1]
        start = sum(size for size, _ in self._parts[: number - 1])
        part = memoryview(bytearray(size))
        self._fill(number, start, part)
        self._sum.update(part)
        if self._sum.hexdigest() != sha256:
            hint = "Verify the backup, and choose another one. See who or what changed it in the store."
            raise Failed("download", f"Part {number} in the store is not what was sent: it is not used.", hint)
        return part

    def _fill(self, number: int, start: int, part: memoryview) -> None:
        """Takes up where a connection broke, for as long as there is patience."""
        filled, pause, why, is_refused = 0, FIRST_PAUSE, "", False
        deadline = time.monotonic() + self._patience
        while filled < len(part):
            try:
                url = self._answers.url(OBJECT, renew=is_refused)
                came, refusal = self._reader.get(url, start + filled, part[filled:])
            except (OSError, http.client.HTTPException) as error:
                came, refusal = self._reader.came, None
                why = f"the connection failed: {error}"
            filled += came
            if came:
                deadline, pause = time.monotonic() + self._patience, FIRST_PAUSE
            elif filled < len(part):
                why = f"it answered {refusal}" if refusal else why
                is_over = refusal is not None and not refusal.is_passing and (refusal.status != 403 or is_refused)
                is_refused = refusal is not None and refusal.status == 403
                if is_over or time.monotonic() + pause > deadline:
                    raise Failed("download", f"The store does not give part {number}: {why}.", "Check the store.")
                time.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)


class Reader(Client):
    """Reads ranges. `came` is how much of the last one did, also where the connection broke."""

    came = 0

    def get(self, url: str, start: int, into: memoryview) -> tuple[int, Answer | None]:
        """How many bytes came, and the answer where it was a refusal. Raises OSError and HTTPException."""
        self.came = 0
        host, target = split(url)
        connection = self._connection or self._way.connect()
        self._connection = None
        try:
            wanted = {"Host": host, "Range": f"bytes={start}-{start + len(into) - 1}"}
            connection.request("GET", target, headers=wanted)
            response = connection.getresponse()
            if response.status != 206:
                answer = Answer(response.status, response.headers, response.read(LARGEST_ERROR))
                connection.close()
                return 0, answer
            while self.came < len(into) and (count := response.readinto(into[self.came :])):
                self.came += count
        except BaseException:
            connection.close()
            raise
        if response.isclosed() and not response.will_close:
            self._connection = connection
        else:
            connection.close()
        return self.came, None
