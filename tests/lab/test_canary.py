"""Marked secrets of a site: after a deploy that prints them in every way, nothing that is stored holds them."""

import base64
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from jobs.models import Status as JobStatus
from servers import ssh
from servers.target import target_of
from sites.actions.deployments import deploy_site
from sites.actions.environment import create_environment_variable, update_environment_variable
from sites.actions.sites import update_site
from sites.models import Deployment
from tests.lab.sites import Shop, log_of
from tests.lab.workers import Workers
from tests.peers import Redis, wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]
MARK = "canary"
SECRETS = {
    "PLAIN": f"{MARK}-7f3a9c51e2",
    "AWKWARD": f"{MARK} & 'quoted' \"twice\" $HOME \\ ü/+=%?",
    "LINES": f"-----BEGIN {MARK}-----\nline-one-of-the-{MARK}\nline-two-of-the-{MARK}\n-----END-----",
}
LEAKS = r"""
env
printf '%s\n' "$PLAIN" "$AWKWARD" "$LINES"
printf '%s' "$PLAIN" | base64 -w0
printf 'x%s' "$PLAIN" | base64 -w0
printf 'xy%s' "$AWKWARD" | base64 -w0
printf '%s' "$AWKWARD" | od -An -v -tx1 | tr -d ' \n'
python3 -c 'import os, json, urllib.parse as u; \
[print(u.quote(v), json.dumps(v)) for v in map(os.environ.get, ("PLAIN", "AWKWARD", "LINES"))]'
printf '%q\n' "$AWKWARD"
cat .env
for i in 1 2 3 4 5 6 7 8; do sleep 0.25; printf '%s' "${PLAIN:0:9}"; sleep 0.05; printf '%s\n' "${PLAIN:9}"; done
test -z "$PLAIN"
"""


def forms(secret: str) -> set[bytes]:
    """The secret as it could be stored."""
    raw = secret.encode()
    encoded = {base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3)}
    quoted = {urllib.parse.quote(secret).encode(), urllib.parse.quote_plus(secret).encode()}
    return {raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]} | encoded | quoted


def found_in(text: bytes, secrets: list[str]) -> list[bytes]:
    return [form for secret in secrets for form in forms(secret) if form in text]


def database_dump() -> bytes:
    """Every value of every table, as the database holds it."""
    parts = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 -- our own tables
            parts += [str(value).encode() for row in cursor.fetchall() for value in row]
    assert any(b"deploy_site" in part for part in parts)
    return b"\n".join(parts)


@contextmanager
def listening(server: Redis) -> Iterator[bytearray]:
    """Every command that Redis gets meanwhile."""
    heard = bytearray()
    with socket.create_connection(("127.0.0.1", server.port)) as monitor:

        def listen() -> None:
            while chunk := monitor.recv(65536):
                heard.extend(chunk)

        monitor.sendall(b"MONITOR\r\n")
        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        monitor.shutdown(socket.SHUT_RDWR)
        thread.join()


@contextmanager
def process_lists(shop: Shop) -> Iterator[list[bytes]]:
    """What `ps` shows on the server, again and again."""
    stop, seen, target = threading.Event(), list[bytes](), target_of(shop.server)

    def look() -> None:
        while not stop.is_set():
            seen.append(ssh.run(target, "ps -eo args; cat /proc/[0-9]*/cmdline", check=False).output)

    thread = threading.Thread(target=look)
    thread.start()
    yield seen
    stop.set()
    thread.join()


def run_by_a_worker(deployment: Deployment) -> str:
    job = deployment.job
    assert job
    wait_until(lambda: not type(job).objects.open().filter(pk=job.pk).exists(), 60, "the deploy")
    job.refresh_from_db()
    return str(job.status)


def test_marked_secrets_are_stored_nowhere(shop: Shop, workers: Workers, broker: Redis) -> None:
    site, _ = shop.static_site("one")
    update_site(shop.owner, site=site, build_commands=LEAKS)
    variables = [
        create_environment_variable(shop.owner, site=site, name=name, value=value) for name, value in SECRETS.items()
    ]
    # The second line of the key's text is its own, the first is that of all.
    secrets = [*SECRETS.values(), site.deploy_private_key.splitlines()[2]]
    workers.start_worker()
    with listening(broker) as commands, process_lists(shop) as processes:
        deployment = deploy_site(shop.owner, site=site)
        assert run_by_a_worker(deployment) == JobStatus.FAILED
    assert deployment.job
    log = log_of(deployment.job)
    assert log.count("[redacted]") > 20
    assert 'The build command `test -z "$PLAIN"` failed.' in log

    for variable in variables:
        update_environment_variable(shop.owner, variable=variable, value="")
    dump = database_dump()
    assert found_in(dump, secrets) == []
    assert b"line-two-of-the" not in dump
    logs = b"".join(file.read_bytes() for file in workers.folder.glob("*.log"))
    assert b"worker1@lab" in logs
    assert found_in(logs, secrets) == []
    assert b"jobs.run" in commands
    assert found_in(bytes(commands), secrets) == []
    assert len(processes) > 5
    assert any(b"sleep" in listing for listing in processes)
    assert found_in(b"".join(processes), secrets) == []
    assert files_that_hold(shop, SECRETS["PLAIN"]) == [f"{site.folder}/shared/.env"]
    assert files_that_hold(shop, secrets[-1]) == []


def files_that_hold(shop: Shop, secret: str) -> list[str]:
    """On the server; the journal is one of them."""
    search = "grep -rlF -f - /etc /home /root /run /srv /tmp /var 2>/dev/null"
    result = ssh.run(target_of(shop.server), search, stdin=secret.encode() + b"\n", check=False)
    return sorted(result.output.decode().split())


def test_the_search_itself_finds_what_is_there(shop: Shop) -> None:
    shop.root("echo canary-here >/root/file")
    assert "/root/file" in files_that_hold(shop, "canary-here")
    assert found_in(b"Y2FuYXJ5LTdmM2E5YzUxZTI=", [SECRETS["PLAIN"]])
