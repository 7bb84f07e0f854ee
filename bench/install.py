"""What a part measures on: PostgreSQL, Redis, and this process set up for the database."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from tests.peers import PostgreSQL, Redis


@contextmanager
def install(settings: str = "deploynix.settings") -> Iterator[PostgreSQL]:
    """An empty install: servers running, tables made, this process and those that it starts set up for them."""
    with ExitStack() as stack:
        database = stack.enter_context(PostgreSQL())
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deploynix-bench-")))
        os.environ |= {
            "DATA": str(data),
            "DATABASE_URL": database.url,
            "REDIS_URL": stack.enter_context(Redis()).url,
            "DJANGO_SETTINGS_MODULE": settings,
        }
        (data / "static").mkdir()
        django.setup()
        call_command("migrate", verbosity=0)
        yield database
        django.db.connections.close_all()


def command_of(program: str) -> list[str]:
    """What the supervisor starts the program with."""
    from deploynix.supervisor.programs import programs

    with socket.socket() as unused:
        return list(next(each for each in programs(unused) if each.name == program).command)
