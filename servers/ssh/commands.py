"""Running commands on a server: a small synchronous face over the event loop."""

import asyncio
import shlex
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from servers.ssh import loop, pool
from servers.ssh.connecting import Target, connect, presented_host_key
from servers.ssh.errors import CommandFailed, ConnectionLost, TimedOut
from servers.ssh.packed import pack

# Of a channel. Each read asks for as much: a reader that takes less at a time lets asyncssh open the window by
# more than was taken, and the rest piles up in memory.
WINDOW = 1024 * 1024
LARGEST_OUTPUT = 32 * 1024 * 1024
TAIL = 4000


@dataclass(frozen=True)
class Result:
    """How a command ended: `output` is its standard output and error, as they came."""

    exit_status: int
    output: bytes = field(repr=False)


def fetch_host_key(host: str, port: int = 22, timeout: float = 10) -> str:
    """The public key line that the server shows at first contact, ed25519 first. Raises Unreachable."""
    return loop.wait(presented_host_key(host, port, timeout))


def run(
    target: Target,
    command: Sequence[str] | str,
    *,
    stdin: bytes = b"",
    timeout: float = 60,
    check: bool = True,
    fresh: bool = False,
) -> Result:
    """Runs a short command as root. A text is a fixed shell command, a sequence is quoted word by word.

    Values that users chose belong to `stdin`, never into the command. Raises what connecting raises,
    ConnectionLost, TimedOut (the command may go on), and with `check` CommandFailed for a status over 0.
    """
    words = ["sh", "-c", command] if isinstance(command, str) else list(command)
    what = command if isinstance(command, str) else words[0]
    result = loop.wait(_run(_line(target, words), target, stdin, what, timeout, fresh))
    return _checked(what, result, check)


def run_script(
    target: Target,
    script: Path | str,
    *,
    values: Mapping[str, Any] | None = None,
    stdin: bytes = b"",
    timeout: float = 60,
    check: bool = True,
    fresh: bool = False,
) -> Result:
    """Runs a script (see `pack`) as root; it and its values go over standard input, in one round trip.

    `fresh` makes a new login for it, outside the kept connections. Raises what `run` raises.
    """
    packed = pack(script, values or {}, stdin)
    result = loop.wait(_run(_line(target, packed.command), target, packed.data, packed.name, timeout, fresh))
    return _checked(packed.name, result, check)


def open_fresh_login(target: Target) -> None:
    """Proves that a new login works, becoming root included, apart from every kept connection."""
    run(target, ["true"], fresh=True)


def close_connections(target: Target) -> None:
    """Closes what this process keeps open for the target."""
    loop.wait(pool.close(target.login))


class Stream:
    """A running command whose output is read by the calling thread, chunk by chunk."""

    def __init__(self, target: Target, process: asyncssh.SSHClientProcess[bytes]) -> None:
        self._target = target
        self._process = process

    def chunks(self, idle: float) -> Iterator[bytes]:
        """The standard output as it comes; an empty chunk after each `idle` seconds without any."""
        pending: Future[bytes] | None = None
        while True:
            pending = pending or loop.submit(self._process.stdout.read(WINDOW))
            try:
                chunk = pending.result(idle)
            except TimeoutError:
                if pending.done():
                    raise ConnectionLost(self._target.host) from None
                yield b""
                continue
            except (OSError, asyncssh.Error) as error:
                raise ConnectionLost(self._target.host) from error
            if not chunk:
                return
            pending = None
            yield chunk

    def finish(self) -> Result:
        """Waits for the end; `output` is what the command wrote to standard error."""
        return loop.wait(_finished(self._target, self._process, self._process.stderr))


@contextmanager
def stream(target: Target, command: Sequence[str], stdin: bytes) -> Iterator[Stream]:
    """Runs a command as root with its standard output as a stream. Leaving the block closes the channel."""
    stack = AsyncExitStack()
    try:
        yield Stream(target, loop.wait(_start(stack, target, _line(target, command), stdin)))
    finally:
        loop.wait(stack.aclose())


def _line(target: Target, words: Sequence[str]) -> str:
    return shlex.join(["sudo", "-n", "--", *words] if target.become else words)


def _checked(what: str, result: Result, check: bool) -> Result:
    if check and result.exit_status != 0:
        raise CommandFailed(what, result.exit_status, result.output[-TAIL:].decode(errors="replace"))
    return result


async def _run(line: str, target: Target, stdin: bytes, what: str, seconds: float, fresh: bool) -> Result:
    async with AsyncExitStack() as stack:
        process = await _start(stack, target, line + " 2>&1", stdin, fresh)
        try:
            async with asyncio.timeout(seconds):
                return await _finished(target, process, process.stdout)
        except TimeoutError:
            raise TimedOut(what, seconds) from None


async def _start(
    stack: AsyncExitStack, target: Target, line: str, stdin: bytes, fresh: bool = False
) -> asyncssh.SSHClientProcess[bytes]:
    """Starts a command; the stack ends its channel, and a connection that is not kept."""
    if fresh:
        connection = await connect(target)
        stack.callback(connection.close)
    else:
        connection = await stack.enter_async_context(pool.borrowed(target))
    try:
        process = await connection.create_process(line, encoding=None, window=WINDOW)
        stack.callback(process.close)
        feed(process, stdin)
    except (OSError, asyncssh.Error) as error:
        raise ConnectionLost(target.host) from error
    return process


def feed(process: asyncssh.SSHClientProcess[bytes], stdin: bytes) -> None:
    """Sends a command its whole input. One that has already ended gets none; whether it did, its exit status tells."""
    with suppress(BrokenPipeError):
        process.stdin.write(stdin)
        process.stdin.write_eof()


async def _finished(
    target: Target, process: asyncssh.SSHClientProcess[bytes], output: asyncssh.SSHReader[bytes]
) -> Result:
    try:
        text = await _read(output)
        await process.wait_closed()
    except TimeoutError:
        raise
    except (OSError, asyncssh.Error) as error:
        raise ConnectionLost(target.host) from error
    return Result(_exit_status(target, process), text)


async def _read(output: asyncssh.SSHReader[bytes]) -> bytes:
    text = bytearray()
    while chunk := await output.read(WINDOW):
        text += chunk
        if len(text) > LARGEST_OUTPUT:
            raise CommandFailed("Reading the output of a command", 1, "It is too large.")
    return bytes(text)


def _exit_status(target: Target, process: asyncssh.SSHClientProcess[bytes]) -> int:
    if process.exit_signal:
        return 128 + getattr(signal, f"SIG{process.exit_signal[0]}", 0)
    if process.exit_status is None:
        # The channel closed without a word about the command: the server or its sshd went away.
        raise ConnectionLost(target.host)
    return process.exit_status
