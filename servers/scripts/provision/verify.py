"""Reads back that the server does what it was set up for."""

from __future__ import annotations

import http.client
import time

from packages import services
from report import Refused, ask, fine

DATABASE_PROOFS = {
    "mysql": ["mysqladmin", "--no-defaults", "ping"],
    "mariadb": ["mariadb-admin", "--no-defaults", "ping"],
    "postgresql": ["pg_isready", "--quiet"],
}
START_SECONDS = 20
# Asks sshd for nothing but a password, and gives none.
SSH_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "10",
    "PreferredAuthentications": "password,keyboard-interactive",
    "PubkeyAuthentication": "no",
    "StrictHostKeyChecking": "no",
    "UserKnownHostsFile": "/dev/null",
}


def main(php_version: str | None, database_type: str, ssh_port: int) -> None:
    for service in services(php_version, database_type):
        check(f"{service} runs", "systemctl", "is-active", "--quiet", service)
    check("Redis answers", "redis-cli", "ping")
    if database_type in DATABASE_PROOFS:
        check("the database answers", *DATABASE_PROOFS[database_type])
    check("the firewall is loaded", "nft", "list", "chain", "inet", "deploynix", "input")
    check_web()
    check_passwords(ssh_port)


def check(what: str, *command: str) -> None:
    """A service that was just started may need a moment."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        status, output = ask(*command)
        if status == 0:
            fine(what)
            return
        if time.monotonic() > deadline:
            raise Refused(f"It was expected that {what}, but it is not so: {output or command[-1]}.", LOOK)
        time.sleep(0.5)


LOOK = "Look at its log on the server, and provision again."


def check_web() -> None:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": "no-such-site.invalid"})
        status = connection.getresponse().status
    except OSError as error:
        raise Refused(f"nginx does not answer on port 80: {error}.", LOOK) from None
    finally:
        connection.close()
    if status != 404:
        raise Refused(f"nginx answers {status} for a site that does not exist.", LOOK)
    fine("nginx answers on port 80, and serves nothing to strangers")


def check_passwords(port: int) -> None:
    """sshd names the ways in that it would take."""
    options = [f"-o{name}={value}" for name, value in SSH_OPTIONS.items()]
    _, output = ask("ssh", "-F", "none", *options, "-p", str(port), "root@127.0.0.1", "true")
    if "Permission denied" in output and "(publickey)" not in output:
        raise Refused("SSH still takes passwords.", "See which file in /etc/ssh/sshd_config.d turns them on.")
    status, output = ask("sshd", "-T", "-C", "user=root,host=localhost,addr=127.0.0.1")
    if status or "passwordauthentication no" not in output.splitlines():
        raise Refused("SSH still takes passwords.", "See which file in /etc/ssh/sshd_config.d turns them on.")
    fine("SSH takes keys only")
