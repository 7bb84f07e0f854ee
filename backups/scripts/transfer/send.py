"""Makes a dump and sends it to the store in parts, as it comes, with nothing kept but the parts under way."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import queue
import resource
import secrets
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import engines
from buffers import Buffer
from encryption import encrypting
from pipeline import Pipeline, Program
from reach import Answer, Client, Way
from talk import Answers, Failed, say

ADDRESSES_AT_ONCE = 32
# Level 3 is faster than a network. Its own checksum is part of each frame.
COMPRESS = Program("compress", "zstd", ["zstd", "--compress", "-3", "--quiet", "--stdout", "--no-progress", "--check"])
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
# What encrypts with a key of its own gives an ETag that is no MD5.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
OWN_KEYS = ("x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-aws-kms-key-id")


def main(values: dict[str, Any]) -> None:
    """Input: `store`, `plan` (of `[count, size, at once]`), `patience` in seconds, and what the dump needs."""
    say(began=secrets.token_hex(16))
    answers = Answers("upload", ADDRESSES_AT_ONCE)
    way = Way(values["store"], answers)
    way.test()
    answers.url(1)
    began_at = time.monotonic()
    pipeline = Pipeline([engines.dump(values), COMPRESS, *encrypting(values)])
    try:
        sender = Sender(way, answers, pipeline, values["patience"])
        sender.send_all(values["plan"])
        sent = {"size": sender.size, "raw_size": pipeline.passed(), "parts": sender.parts}
        pipeline.finish()
    except BaseException:
        pipeline.kill()
        raise
    say(done={**sent, "upload": answers.upload, "usage": usage(began_at)})


class Part(NamedTuple):
    """The first `size` bytes of a buffer."""

    number: int
    buffer: Buffer
    size: int
    md5: bytes


class Sender:
    """Reads the pipeline into buffers, and has threads send them."""

    def __init__(self, way: Way, answers: Answers, pipeline: Pipeline, patience: float) -> None:
        self.size = self.parts = 0
        self._way, self._answers, self._pipeline, self._patience = way, answers, pipeline, patience
        self._sent = Progress(pipeline)
        self._filled: queue.SimpleQueue[Part] = queue.SimpleQueue()
        # Buffers that are free again, or what went wrong with one.
        self._free: queue.SimpleQueue[Buffer | BaseException] = queue.SimpleQueue()

    def send_all(self, plan: list[list[int]]) -> None:
        """Raises Failed."""
        for _ in range(max(at_once for _, _, at_once in plan)):
            threading.Thread(target=self._send_filled, daemon=True).start()
        for count, size, at_once in plan:
            if not self._send_alike(count, size, at_once):
                return
        if self._pipeline.output.read(1):
            hint = "Back it up in smaller pieces." if self.parts >= 10_000 else "Try again: the parts will be larger."
            raise Failed("upload", f"The backup needs more than {self.parts} parts.", hint)

    def _send_alike(self, count: int, size: int, at_once: int) -> bool:
        """Sends so many parts of one size; False where it came to the end. All are stored when it returns."""
        for _ in range(at_once):
            self._free.put(Buffer(size))
        is_more = all(self._send_next() for _ in range(count))
        for _ in range(at_once):
            self._next_free()
        return is_more

    def _send_next(self) -> bool:
        buffer = self._next_free()
        filled, md5 = fill(self._pipeline.output.fileno(), buffer.view)
        if not filled:
            self._free.put(buffer)
            return False
        self.parts += 1
        self.size += filled
        self._filled.put(Part(self.parts, buffer, filled, md5))
        return filled == len(buffer.view)

    def _next_free(self) -> Buffer:
        item = self._free.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def _send_filled(self) -> None:
        client = Client(self._way)
        try:
            while True:
                self._send_one(client, self._filled.get())
        except BaseException as error:
            self._free.put(error)

    def _send_one(self, client: Client, part: Part) -> None:
        """On its own, so that a thread that waits holds no part: its memory is needed for larger ones."""
        etag = self._send(client, part)
        say(sent={"number": part.number, "size": part.size, "md5": part.md5.hex(), "etag": etag})
        self._sent.add(part.size)
        self._free.put(part.buffer)

    def _send(self, client: Client, part: Part) -> str:
        """Its ETag. Tries for as long as there is patience. Raises Failed."""
        headers = {"Content-MD5": base64.b64encode(part.md5).decode()}
        is_refused = False
        for why in self._pauses():
            url = self._answers.url(part.number, renew=is_refused)
            try:
                answer = client.put(url, part.buffer, part.size, headers)
            except (OSError, http.client.HTTPException) as error:
                why.append(f"the connection failed: {error}")
                continue
            if answer.status == 200 and is_same(answer, part.md5.hex()):
                return answer.headers["ETag"]
            why.append("it got something else than was sent" if answer.status == 200 else f"it answered {answer}")
            # An address may just have been over, once.
            if answer.status == 403 and not is_refused:
                is_refused = True
            elif answer.status != 200 and not answer.is_passing:
                break
        hint = "Check the store and its disk."
        raise Failed("upload", f"The store did not take part {part.number}: {why[-1]}.", hint)

    def _pauses(self) -> Iterator[list[str]]:
        """What went wrong so far, once for each attempt."""
        why: list[str] = []
        deadline, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            yield why
            if time.monotonic() + pause > deadline:
                return
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


class Progress:
    """Says how many bytes are stored, once a second at most."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._lock = threading.Lock()
        self._sent, self._said_at = 0, 0.0

    def add(self, size: int) -> None:
        with self._lock:
            self._sent += size
            if time.monotonic() - self._said_at >= 1:
                self._said_at = time.monotonic()
                say(progress={"sent": self._sent, "raw": self._pipeline.passed()})


def fill(source: int, buffer: memoryview) -> tuple[int, bytes]:
    """How many bytes came, less than there is room only at the end; and their MD5."""
    filled, md5 = 0, hashlib.md5(usedforsecurity=False)
    while filled < len(buffer) and (read := os.readv(source, [buffer[filled:]])):
        md5.update(buffer[filled : filled + read])
        filled += read
    return filled, md5.digest()


def is_same(answer: Answer, md5: str) -> bool:
    etag = answer.headers.get("ETag", "").strip('"')
    return bool(etag) and (etag == md5 or any(answer.headers.get(name) for name in OWN_KEYS))


def usage(began_at: float) -> dict[str, float]:
    """Of this program alone: seconds, seconds of CPU, and the most memory that it had, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": time.monotonic() - began_at,
        "cpu": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024,
    }
