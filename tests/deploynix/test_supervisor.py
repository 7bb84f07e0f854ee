"""`python -m deploynix.supervisor`: what it starts, what it survives, and that it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers import wait_until
from tools.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.lab


class Install:
    """A Deploynix of its own, in `data`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.log = data.with_name(f"{data.name}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        given = {"DATA": str(self.data), "PORT": str(self.port)}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploynix.supervisor"],
                cwd=ROOT,
                env=inherited | given | variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        return self.process

    def start_and_wait(self) -> subprocess.Popen[bytes]:
        process = self.start()
        wait_until(lambda: self.status("/readyz") == 200, 60, f"the start; {self.said()}")
        return process

    def status(self, path: str) -> int | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                status: int = answer.status
                return status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def processes(self, of: str = "") -> set[int]:
        """The processes that run with this data folder, of those whose command line holds `of`."""
        mark = f"DATA={self.data}".encode()
        found = set()
        for folder in Path("/proc").iterdir():
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
                # Redis writes its title over its environment.
                is_ours = mark in environment or (folder / "cwd").readlink() == self.data
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if is_ours and of in command:
                found.add(int(folder.name))
        return found

    def kill_and_await_another(self, program: str) -> None:
        wait_until(lambda: bool(self.processes(program)), 20, program)
        before = self.processes(program)
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: bool(self.processes(program) - before), 20, f"another {program}")


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    install = Install(tmp_path / "var")
    yield install
    for pid in install.processes():
        os.kill(pid, signal.SIGKILL)
    if install.process:
        install.process.wait()


@pytest.mark.parametrize("order", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_stops_within_ten_seconds_leaving_no_process(install: Install, order: signal.Signals) -> None:
    process = install.start_and_wait()
    wait_until(lambda: "creates the owner" in install.said(), 5, "the announcement")
    assert f"ready at http://localhost:{install.port}" in install.said()
    assert install.status("/healthz") == 200
    assert len(install.processes("celery")) == 3
    assert oct((install.data / "redis.sock").stat().st_mode)[-3:] == "700"
    process.send_signal(order)
    assert process.wait(10) == 0
    assert install.processes() == set()


def test_nothing_outlives_a_supervisor_that_is_killed_and_the_next_start_works(install: Install) -> None:
    process = install.start_and_wait()
    process.kill()
    process.wait()
    wait_until(lambda: not install.processes(), 5, "the end of every process")
    install.start_and_wait()


def test_a_program_that_dies_is_started_again(install: Install) -> None:
    install.start_and_wait()
    for program in ("redis-server", "gunicorn", "--queues interactive", "--queues provider", " beat "):
        install.kill_and_await_another(program)
    wait_until(lambda: install.status("/readyz") == 200, 20, "being ready again")


def test_a_program_that_ignores_the_order_to_stop_is_killed_in_time(tmp_path: Path) -> None:
    code = """
from deploynix.supervisor.child import Program
from deploynix.supervisor.supervisor import supervise
stubborn = "trap '' TERM; echo up; while :; do sleep 1; done"
programs = [Program(name, ["sh", "-c", stubborn], is_last=name == "last") for name in ("first", "last")]
supervise(programs, on_tick=lambda: None)
"""
    mark = {"DATA": str(tmp_path / "var"), "PATH": os.environ["PATH"]}
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=mark, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == [b"up\n", b"up\n"]
    process.terminate()
    assert process.wait(10) == 0
    process.stdout.close()
    assert Install(tmp_path / "var").processes() == set()


def refusal(install: Install, **variables: str) -> str:
    """What a start that is refused says: one line, and nothing is left running."""
    assert install.start(**variables).wait(30) == 1
    assert install.processes() == set()
    lines = install.said().splitlines()
    assert len(lines) == 1
    return lines[0]


def test_a_taken_port_is_named(install: Install) -> None:
    with socket.create_server(("127.0.0.1", install.port)):
        assert f"Port {install.port} on 127.0.0.1 is taken by another program. Set PORT" in refusal(install)


def test_a_second_instance_on_the_same_data_is_refused(install: Install, tmp_path: Path) -> None:
    process = install.start()
    wait_until(lambda: (install.data / "redis.sock").exists(), 30, "the first start")
    second = Install(install.data)
    second.log = tmp_path / "second.log"
    assert second.start().wait(30) == 1
    assert f"Another Deploynix runs on the data folder {install.data}" in second.said()
    assert process.poll() is None


def test_a_data_folder_that_cannot_be_written_is_named(install: Install) -> None:
    install.data.write_text("a file, not a folder")
    assert str(install.data) in refusal(install)


def test_a_data_folder_too_deep_for_a_socket_is_named(tmp_path: Path) -> None:
    assert "too long for a socket" in refusal(Install(tmp_path / ("deep" * 25)))


def test_a_database_that_does_not_answer_is_named_without_its_password(install: Install) -> None:
    url = f"postgres://someone:hunter2@127.0.0.1:{free_port()}/deploynix"
    message = refusal(install, DATABASE_URL=url)
    assert "The database cannot be used" in message
    assert "Check DATABASE_URL" in message
    assert "hunter2" not in message


def test_a_refused_setting_is_one_line(install: Install) -> None:
    assert refusal(install, PRODUCTION="1").startswith("deploynix: SECRET_KEY is not set.")
