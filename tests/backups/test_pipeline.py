"""Programs that feed each other, as a server runs them."""

import hashlib
import signal
from typing import Any

import pytest

from tests.backups.programs import transfer

pipeline, Failed = transfer("pipeline"), transfer("talk").Failed
MIB = 1024 * 1024


def program(name: str, script: str) -> Any:
    return pipeline.Program("dump", name, ["sh", "-c", script])


def test_everything_that_the_last_one_writes_is_read() -> None:
    running = pipeline.Pipeline([program("seq", "seq 1 1000000"), program("cat", "cat")])
    read = hashlib.sha256()
    while chunk := running.output.read(MIB):
        read.update(chunk)
    running.finish()
    running.output.close()
    assert read.hexdigest() == hashlib.sha256("".join(f"{n}\n" for n in range(1, 1_000_001)).encode()).hexdigest()


def test_what_it_wrote_before_it_died_is_read_and_it_is_to_blame() -> None:
    running = pipeline.Pipeline([program("feeder", "cat /dev/zero"), program("dying", "head -c 100000; kill -9 $$")])
    assert len(running.output.read()) == 100_000
    running.output.close()
    with pytest.raises(Failed, match=r"dying was ended by signal 9\.") as failure:
        running.finish()
    assert failure.value.code == -signal.SIGKILL


def test_nobody_waits_for_a_reader_that_went_away() -> None:
    running = pipeline.Pipeline([program("endless", "cat /dev/zero")])
    assert running.output.read(1) == b"\0"
    running.output.close()
    [(_, code, _)] = running.wait()
    # The shell becomes the program, or tells of its end in its own way.
    assert code in (-signal.SIGPIPE, 128 + signal.SIGPIPE)
