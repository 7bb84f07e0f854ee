"""Talking with the worker: lines `@{json}` in the log that it follows, and a file that it answers with.

The file is `answers.json` in the unit's runtime directory: `{"round", "upload", "relay", "seconds", "urls"}`. `round`
is that of the last question it answers, `upload` names what the addresses belong to, `relay` is a port of this machine
or null, `urls` are by number and good for `seconds`.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable

# Long enough for another worker to take the job over.
PATIENCE_SECONDS = 1800
POLL_SECONDS = 0.05
# Addresses that are nearly over are asked for anew.
FRESH = 0.8


class Failed(Exception):
    """What went wrong: in which `stage`; of a program also its `code` (of a signal: below 0) and the last it `said`."""

    def __init__(self, stage: str, message: str, hint: str = "", *, program: str = "", code: int = 0, said: str = ""):
        super().__init__(message)
        self.stage, self.hint = stage, hint
        self.program, self.code, self.said = program, code, said


def say(**words: object) -> None:
    """One write, so that no two threads mix their lines. Raises OSError where the disk is full."""
    line = b"@" + json.dumps(words).encode() + b"\n"
    while line:
        line = line[os.write(1, line) :]


def say_failure(failure: Failed) -> None:
    program = {"program": failure.program, "code": failure.code, "said": failure.said}
    say(failed={"stage": failure.stage, "message": str(failure), "hint": failure.hint, **program})


class Answers:
    """Addresses by number, asked for ahead of need: `at_once` with each question. Threads may share it."""

    def __init__(self, stage: str, at_once: int) -> None:
        self.upload = ""
        self.stage, self._at_once = stage, at_once
        self._path = os.path.join(os.environ["RUNTIME_DIRECTORY"], "answers.json")
        self._lock = threading.Lock()
        self._relay = 0
        self._known: dict[int, tuple[str, float]] = {}
        self._round = self._answered = self._asked_to = 0

    def url(self, number: int, *, renew: bool = False) -> str:
        """The address for this number; a new one, where that which was given before was refused. Raises Failed."""
        with self._lock:
            if renew:
                self._known.pop(number, None)
            if not self._is_known(number):
                self._read()
            if not self._is_known(number):
                self._ask(number)
                self._wait(lambda: self._is_known(number), f"an address for part {number}")
            if 0 < self._asked_to - number < self._at_once // 2:
                self._ask(self._asked_to + 1)
            return self._known[number][0]

    def port(self) -> int:
        """Where the relay listens now. Raises Failed."""
        with self._lock:
            self._read()
            self._wait(lambda: self._relay > 0, "a way to the store")
            return self._relay

    def _is_known(self, number: int) -> bool:
        return time.monotonic() < self._known.get(number, ("", 0.0))[1]

    def _ask(self, number: int) -> None:
        self._round += 1
        self._asked_to = max(self._asked_to, number + self._at_once - 1)
        say(wanted={"round": self._round, "number": number, "count": self._at_once})

    def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_there():
            if time.monotonic() > deadline:
                raise Failed(self.stage, f"Deploynix did not answer when it was asked for {what}.", "Try again.")
            time.sleep(POLL_SECONDS)
            self._read()

    def _read(self) -> None:
        try:
            with open(self._path, encoding="utf-8") as file:
                answer = json.load(file)
        except FileNotFoundError:
            return
        if self.upload and answer["upload"] != self.upload:
            raise Failed(self.stage, "The upload was begun anew while this one was under way.", "Try again.")
        self.upload, self._relay = answer["upload"], answer["relay"] or 0
        if answer["round"] > self._answered:
            self._answered = answer["round"]
            good_until = time.monotonic() + FRESH * answer["seconds"]
            self._known.update({int(number): (url, good_until) for number, url in answer["urls"].items()})
