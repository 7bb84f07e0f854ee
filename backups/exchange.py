"""The worker's side of a transfer: hears what the program on the server says, and answers it."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from backups.parts import MOST_PARTS
from backups.relay import relay
from deploynix.errors import Error
from jobs.run import Run, TakenOver
from servers import ssh, units
from servers.ssh import ConnectionLost, Listener, Target, Unreachable
from servers.steps import asked_to_stop

TRANSFER = Path(__file__).resolve().parent / "scripts" / "transfer"
# Of addresses. They are asked for anew before that, if the server's clock goes at about our pace.
URL_SECONDS = 3600
MOST_URLS = 64
# As the program has it: its log could not be written.
CANNOT_SPEAK = 74
# Nothing that the program says is longer; a line of the log may be.
LONGEST_WORD = 1024 * 1024
STAGES = frozenset({"prepare", "dump", "compress", "encrypt", "upload", "download", "decrypt", "decompress", "load"})
WRITE = 'umask 077; cat >"$1.new" && mv "$1.new" "$1"'


class TransferFailed(Error):
    """A program of the transfer failed: in which `stage`."""

    status = 502
    code = "transfer_failed"

    def __init__(self, stage: str, message: str, hint: str = "", *, retryable: bool = False) -> None:
        super().__init__(message, hint, retryable=retryable)
        self.stage = stage


class Words:
    """Lines of a log, of which some are words: JSON objects behind an @."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> Iterable[bytes | dict[str, Any]]:
        """The words, and the lines that are none, without empty ones."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_WORD:
            lines, self._rest = [*lines, self._rest], b""
        for line in lines:
            if line.startswith(b"@{"):
                # One that a restart of the server cut off says nothing.
                with suppress(ValueError):
                    yield json.loads(line[1:])
            elif line:
                yield line + b"\n"


class Exchange(ABC):
    """One transfer of a job, by the unit `dnx-<job>-<step>`. It may have been begun by an earlier attempt.

    All that is heard may be heard again, from the start, by a successor. What the server says is not trusted further
    than its own backups go.
    """

    # Where failures belong that the program itself could not tell.
    stage: str

    def __init__(self, run: Run, target: Target, step: str, store: Mapping[str, Any]) -> None:
        self.run, self.target = run, target
        self.unit = f"dnx-{run.job.pk}-{step}"
        self.failure: TransferFailed | None = None
        self._store = store
        self._words = Words()
        self._stop = asked_to_stop(run)
        self._wanted: set[int] = set()
        self._given: dict[int, str] = {}
        self._round = 0
        self._relays = ExitStack()
        self._needs_relay = False
        self._relay: Listener | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._relays.close()

    @abstractmethod
    def urls(self, numbers: Iterable[int]) -> dict[int, str]:
        """Addresses for these parts, good for URL_SECONDS."""

    @property
    @abstractmethod
    def tag(self) -> str:
        """Names what the addresses belong to: the program refuses others."""

    def follow(self, values: Mapping[str, Any], seconds: float) -> None:
        """Runs the program, or goes on with the one that runs, to its end. Raises TransferFailed, and as `units`."""
        try:
            status = units.start_or_follow(
                self.target,
                self.unit,
                TRANSFER,
                values={**values, "store": dict(self._store)},
                on_output=self.take,
                should_stop=self._should_stop,
                timeout=seconds,
            )
        except (TakenOver, ConnectionLost, Unreachable):
            # It goes on without us: whoever comes next follows it.
            raise
        except Exception:
            units.clean(self.target, self.unit)
            raise
        self.run.confirm()
        units.clean(self.target, self.unit)
        self.run.check()
        self._judge(status)

    def take(self, chunk: bytes) -> None:
        for word in self._words.feed(chunk):
            if isinstance(word, bytes):
                self.run.output(word)
                continue
            for name, value in word.items():
                if hear := getattr(self, f"hear_{name}", None):
                    hear(value)
        self.tend()

    def tend(self) -> None:
        """Does what is due. Called after everything that was heard, and twice a second."""
        if self._wanted or (self._needs_relay and not (self._relay and self._relay.is_open)):
            self._answer()

    def hear_began(self, nonce: str) -> None:
        """A new run of the program: what an earlier one has said is void."""
        self._wanted, self._given, self._round, self.failure = set(), {}, 0, None
        self._needs_relay = False

    def hear_unreachable(self, reason: str) -> None:
        self._needs_relay = True
        self.run.line(f"The server does not reach the store ({str(reason)[:200]}): it is sent by way of Deploynix.")

    def hear_wanted(self, question: Mapping[str, int]) -> None:
        first, count = int(question["number"]), min(int(question["count"]), MOST_URLS)
        self._round = int(question["round"])
        self._wanted |= {number for number in range(first, first + count) if 1 <= number <= MOST_PARTS}

    def hear_failed(self, failed: Mapping[str, Any]) -> None:
        stage = str(failed["stage"])
        said = str(failed["said"]).strip()[-500:]
        message = f"{failed['message']} It said: {said}" if said else str(failed["message"])
        self.failure = TransferFailed(
            stage if stage in STAGES else self.stage, self.run.redact(message[:2000]), str(failed["hint"])[:500]
        )

    def _should_stop(self) -> bool:
        if self._stop():
            return True
        self.tend()
        return False

    def _answer(self) -> None:
        if self._needs_relay and not (self._relay and self._relay.is_open):
            self._relays.close()
            self._relay = self._relays.enter_context(relay(self.target, self._store["host"], self._store["port"]))
        # The last ones once more, if only the way is new: nobody knows whether they were read.
        self._given = self.urls(sorted(self._wanted)) or self._given
        answer = {
            "round": self._round,
            "upload": self.tag,
            "relay": self._relay.port if self._relay and self._needs_relay else None,
            "seconds": URL_SECONDS,
            "urls": self._given,
        }
        command = ["sh", "-c", WRITE, "sh", f"/run/{self.unit}/answers.json"]
        # A unit that has ended has no such folder any more.
        ssh.run(self.target, command, stdin=json.dumps(answer).encode(), check=False)
        self._wanted.clear()

    def _judge(self, status: int) -> None:
        if self.failure and status:
            raise self.failure
        if status == CANNOT_SPEAK:
            raise TransferFailed(self.stage, "The disk of the server is full.", "Make room on it, then retry.")
        if status > 128:
            hint = "The server may have run out of memory: see `journalctl -k` on it. Then retry."
            raise TransferFailed(self.stage, f"The transfer was ended by signal {status - 128}.", hint)
        if status:
            raise TransferFailed(self.stage, f"The transfer ended with exit code {status}.", "See its log.")
