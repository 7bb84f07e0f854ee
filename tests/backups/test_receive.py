"""Who is to blame where a backup cannot be loaded, with other programs in the place of the real ones."""

from typing import IO, Any

import pytest

from tests.backups.programs import transfer

receive, pipeline, Failed = transfer("receive"), transfer("pipeline"), transfer("talk").Failed
MIB = 1024 * 1024


class Place:
    """Loads by this script what is moved to it."""

    def __init__(self, script: str) -> None:
        self._script = script

    def loader(self) -> Any:
        return pipeline.Program("load", "loader", ["sh", "-c", self._script])

    def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
        while block := source.read(MIB):
            sink.write(block)


class Archive(Place):
    """Looks at what it moves, and wants some."""

    def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
        if not source.read(1):
            raise Failed("load", "The backup is no whole archive.", "Verify it.")


class Parts:
    def feed(self, sink: IO[bytes]) -> bool:
        try:
            with sink:
                for _ in range(64):
                    sink.write(bytes(MIB))
        except BrokenPipeError:
            return False
        return True


def opening(script: str) -> list[Any]:
    return [pipeline.Program("decrypt", "age", ["sh", "-c", script])]


@pytest.fixture(autouse=True)
def _no_compression(monkeypatch: pytest.MonkeyPatch) -> None:
    # It stops as zstd does where nobody reads on: it says so, or is ended by a signal.
    monkeypatch.setattr(receive, "DECOMPRESS", pipeline.Program("decompress", "cat", ["cat"]))


def failure_of(place: Place, opening: list[Any]) -> Any:
    with pytest.raises(Failed) as failure:
        receive.load(place, Parts(), opening)
    return failure.value


@pytest.mark.parametrize("script", ["exit 3", "head -c 100 >/dev/null; exit 3", "head -c 5000000 >/dev/null; exit 3"])
def test_a_loader_that_ends_early_is_to_blame(script: str) -> None:
    failure = failure_of(Place(script), [])
    assert (failure.stage, failure.program, failure.code) == ("load", "loader", 3)


@pytest.mark.parametrize("place", [Place("cat >/dev/null"), Archive("cat >/dev/null")])
def test_a_key_that_opens_nothing_is_to_blame_whatever_is_said_of_the_nothing(place: Place) -> None:
    failure = failure_of(place, opening("echo no identity matched >&2; exit 1"))
    assert (failure.stage, str(failure)) == ("decrypt", "The private key does not open this backup.")


def test_what_is_moved_is_to_blame_where_all_else_is_well() -> None:
    failure = failure_of(Archive("cat >/dev/null"), opening("cat >/dev/null"))
    assert str(failure) == "The backup is no whole archive."


@pytest.mark.parametrize(
    "writer",
    [
        "exec cat",
        "head -c 1000; echo write error: Broken pipe >&2; exit 1",
        "echo Connection reset by peer >&2; exit 1",
    ],
)
def test_what_stops_reading_is_to_blame_and_not_who_writes_to_it(writer: str) -> None:
    class Stopping(Place):
        def move(self, source: IO[bytes], sink: IO[bytes]) -> None:
            source.read(1)
            raise Failed("load", "That is too much.", "Make room.")

    failure = failure_of(Stopping("cat >/dev/null"), opening(writer))
    assert str(failure) == "That is too much."
