"""What scripts report, and when a unit is told to stop."""

from pathlib import Path

import pytest

from deploynix.actor import Actor
from jobs.actions import enqueue_job
from jobs.run import TakenOver
from jobs.runner import claim
from servers.configuration import managed_files
from servers.firewall import open_ports, register_open_ports
from servers.models import Server
from servers.ssh import CommandFailed
from servers.steps import Refused, Report, asked_to_stop
from tests import factories


def test_a_report_is_read_line_by_line_however_it_arrives() -> None:
    report = Report()
    for chunk in (
        b"os Debian GNU/Linux 12\nchan",
        b"ged: one\nok: fine\n",
        b"changed: two\nrefused: no\nhint: ",
        b"do\n",
    ):
        report.feed(chunk)
    assert report.changes == ["one", "two"]
    assert (report.os, report.refused, report.hint) == ("Debian GNU/Linux 12", "no", "do")
    with pytest.raises(Refused, match="no") as refused:
        report.check("The step", 3)
    assert refused.value.hint == "do"


def test_a_script_that_just_fails_is_a_failed_command() -> None:
    with pytest.raises(CommandFailed, match="status 7"):
        Report().check("The step", 7)
    Report().check("The step", 0)


def test_only_a_cancelled_job_stops_its_unit(owner: Actor) -> None:
    server = factories.server(owner.organization)
    run = claim(enqueue_job(owner, kind="check_configuration", subject=server, label="Check").pk)
    assert run is not None
    should_stop = asked_to_stop(run)
    assert not should_stop()
    run.stopping.set()
    assert should_stop()
    run.take_away()
    with pytest.raises(TakenOver):
        should_stop()


def test_the_firewall_opens_what_apps_register(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("servers.firewall._sources", [])
    server = factories.server(owner.organization, ssh_port=2222)
    assert open_ports(server) == [80, 443, 2222]
    register_open_ports(lambda server: [8443])
    rules = contents(server)["/etc/nftables.conf"]
    assert "tcp dport { 80, 443, 2222, 8443 } accept" in rules
    assert "policy drop" in rules


def test_php_files_follow_the_version(owner: Actor) -> None:
    server = factories.server(owner.organization)
    assert not [path for path in contents(server) if "/php/" in path]
    server.php_version = "8.3"
    assert "listen = /run/php/php8.3-fpm.sock" in contents(server)["/etc/php/8.3/fpm/pool.d/www.conf"]


def test_what_could_lock_us_out_is_guarded(owner: Actor) -> None:
    server = factories.server(owner.organization)
    guarded = {Path(item.path).name for item in managed_files(server) if item.guarded}
    assert guarded == {"00-deploynix.conf", "nftables.conf", "deploynix", "authorized_keys"}


def contents(server: Server) -> dict[str, str]:
    return {item.path: getattr(item, "content", b"").decode() for item in managed_files(server)}
