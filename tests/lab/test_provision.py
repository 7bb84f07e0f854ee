"""A fresh Debian machine becomes a server, stays one, and says when it does not."""

import socket
import subprocess
from functools import partial

import pytest

from deploynix.actor import Actor
from jobs.actions import retry_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from servers import actions, converge, settling, ssh
from servers.models import Comparison, LogReading, Server, Status
from servers.target import target_of
from tests.lab.provisioned import ProvisionedHost, provision
from tools.targethost import Host
from tools.targethost.process import wait_until

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]


def finished(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    print(log_of(job))
    assert not job.is_open, job.error
    return job


def done(job: Job) -> Job:
    finished(job)
    assert job.status == JobStatus.SUCCEEDED, f"{job.error} {job.hint}\n{log_of(job)}"
    return job


def log_of(job: Job) -> str:
    return "".join(job.log.values_list("text", flat=True))


def is_open(ip: str, port: int) -> bool:
    try:
        socket.create_connection((ip, port), timeout=1).close()
    except OSError:
        return False
    return True


def asked_for_password(host: Host) -> bool:
    """Whether sshd would take a password, as a stranger sees it."""
    command = host.ssh_command("true")
    command[1:1] = ["-o", "PubkeyAuthentication=no", "-o", "PreferredAuthentications=password,keyboard-interactive"]
    return "(publickey)" not in subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_a_fresh_machine_becomes_a_server_and_again_nothing_changes(owner: Actor, target_host: Host) -> None:
    assert asked_for_password(target_host)
    server, job = provision(owner, target_host)
    assert job.status == JobStatus.SUCCEEDED, f"{job.error} {job.hint}\n{log_of(job)}"
    assert job.result["changes"] > 10
    assert (server.status, server.operating_system) == (Status.ACTIVE, "Debian GNU/Linux 12 (bookworm)")
    assert server.host_key == target_host.host_key
    assert server.host_key_fingerprint == ssh.fingerprint(target_host.host_key)
    assert not server.login_key
    assert server.is_ready

    assert not asked_for_password(target_host)
    assert [port for port in (22, 80, 3306, 6379, 9001) if is_open(server.ip_address, port)] == [22, 80]
    assert "PHP 8.2" in target_host.run("php", "--version").stdout
    sql = "SELECT CONCAT(User, '@', Host) FROM mysql.global_priv WHERE User IN ('', 'root')"
    assert target_host.run("mariadb", "-Ne", sql).stdout.split() == ["root@localhost"]
    assert ssh.run(target_of(server), ["id", "-un"]).output == b"root\n"
    assert "PRIVATE KEY" not in log_of(job)

    again = done(actions.provision_server(owner, server=server))
    assert again.result["changes"] == 0
    assert "Nothing to change." in log_of(again)
    server.refresh_from_db()
    assert server.status == Status.ACTIVE


def test_what_this_system_does_not_have_is_named_and_can_be_changed(owner: Actor, target_host: Host) -> None:
    target_host.run("sudo", "-n", "true", user="debian")
    server, job = provision(owner, target_host, login_user="debian", php_version="8.3", database_type="mysql")
    assert (job.status, server.status) == (JobStatus.FAILED, Status.FAILED)
    assert job.error == "PHP 8.3 is not available for this system. Available: 8.2."
    assert "Change the server's PHP version" in server.status_reason
    assert target_host.run("ls", "/etc/apt/sources.list.d").stdout == ""

    actions.update_server(owner, server=server, php_version=None)
    job = finished(retry_job(owner, job=job))
    assert (job.status, job.error) == (JobStatus.FAILED, "This system has no package mysql-server.")
    assert "MariaDB" in job.hint

    actions.update_server(owner, server=server, database_type="postgresql")
    done(retry_job(owner, job=job))
    server.refresh_from_db()
    assert (server.status, server.status_reason) == (Status.ACTIVE, "")
    assert target_host.run("pg_isready").returncode == 0


def test_a_machine_that_does_not_let_us_in(owner: Actor, target_host: Host) -> None:
    other = ssh.generate_key("other").private
    server = actions.create_server(owner, name="web-1", ip_address=target_host.ip, private_key=other)
    job = finished(Job.objects.about(server).get())
    assert job.error == f"{target_host.ip} refuses the login of root."
    server.refresh_from_db()
    assert server.status == Status.FAILED
    # The way by hand: the line that the page shows, pasted into a shell.
    target_host.run("sh", "-c", server.authorize_command)
    Server.objects.filter(pk=server.pk).update(login_key=None)
    run_job(retry_job(owner, job=job).pk)
    job.refresh_from_db()
    assert job.steps.get(name="account").status == JobStatus.SUCCEEDED, job.error


def test_a_changed_host_key_stops_every_job(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    expected = server.host_key_fingerprint or ""
    new_key = ssh.generate_key("new")
    # In one go: after it, the host is not trusted by this test's own ssh either.
    change = "cd /etc/ssh && rm ssh_host_* && install -m 600 /dev/stdin ssh_host_ed25519_key && systemctl restart ssh"
    host.run("sh", "-c", change, stdin=new_key.private)
    presented = ssh.fingerprint(new_key.public)
    ssh.close_connections(target_of(server))
    for start in (actions.provision_server, actions.apply_configuration, actions.check_configuration):
        job = finished(start(owner, server=server))
        assert job.status == JobStatus.FAILED
        assert expected in job.error
        assert presented in job.error
    server.refresh_from_db()
    assert (server.host_key_fingerprint, server.refused_fingerprint) == (expected, presented)

    wrong = finished(actions.accept_host_key(owner, server=server, fingerprint=expected))
    assert wrong.status == JobStatus.FAILED
    done(actions.accept_host_key(owner, server=server, fingerprint=presented))
    server.refresh_from_db()
    assert (server.host_key_fingerprint, server.refused_fingerprint) == (presented, None)
    done(actions.check_configuration(owner, server=server))


def test_drift_is_shown_and_apply_puts_it_back(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    path = "/etc/nginx/conf.d/deploynix.conf"
    done(actions.check_configuration(owner, server=server))
    assert Comparison.objects.get(server=server).differences == []
    before = host.run("cat", path).stdout
    host.run("sed", "-i", "s/server_tokens off/server_tokens on/", path)
    done(actions.check_configuration(owner, server=server))
    (difference,) = Comparison.objects.get(server=server).differences
    assert (difference["path"], difference["action"]) == (path, "update")
    assert "-server_tokens on;\n+server_tokens off;\n" in difference["diff"]
    assert host.run("cat", path).stdout != before

    job = done(actions.apply_configuration(owner, server=server))
    assert (job.result["changes"], "reloaded nginx" in log_of(job)) == (1, True)
    assert host.run("cat", path).stdout == before
    assert Comparison.objects.get(server=server).differences == []


def test_a_firewall_that_locks_us_out_takes_itself_back(
    owner: Actor, provisioned_host: ProvisionedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, host = provisioned_host
    before = host.run("cat", "/etc/nftables.conf").stdout
    seconds = 4
    monkeypatch.setattr(settling, "converge", partial(converge.converge, guard_seconds=seconds))
    monkeypatch.setattr("servers.configuration.open_ports", lambda server: [80, 443])
    job = finished(actions.apply_configuration(owner, server=server))
    assert job.status == JobStatus.FAILED
    assert "no new login succeeded" in job.error
    assert wait_until(lambda: is_open(server.ip_address, 22), 10)
    assert host.run("cat", "/etc/nftables.conf").stdout == before
    ssh.close_connections(target_of(server))
    monkeypatch.undo()
    assert done(actions.apply_configuration(owner, server=server)).result["changes"] == 0


def test_restarting_a_service_and_the_machine(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host

    def started_at() -> str:
        return host.run("systemctl", "show", "-p", "MainPID", "nginx").stdout

    before = started_at()
    done(actions.restart_server(owner, server=server, what="nginx"))
    assert started_at() != before

    before = started_at()
    host.run("sh", "-c", "echo 'no such directive;' >/etc/nginx/conf.d/broken.conf")
    job = finished(actions.restart_server(owner, server=server, what="nginx"))
    assert (job.status, job.error) == (JobStatus.FAILED, "nginx could not be restarted.")
    assert "no such directive" in log_of(job) or 'unknown directive "no"' in log_of(job)
    assert started_at() == before
    host.run("rm", "/etc/nginx/conf.d/broken.conf")

    boot = host.run("cat", "/proc/sys/kernel/random/boot_id").stdout
    done(actions.restart_server(owner, server=server, what="reboot"))
    assert host.run("cat", "/proc/sys/kernel/random/boot_id").stdout != boot
    assert done(actions.provision_server(owner, server=server)).result["changes"] == 0


def test_logs_are_read(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    host.run("sh", "-c", "seq -f 'line %g' 1 500 >/var/log/nginx/error.log")
    for name, expected in (("nginx-error", "line 500"), ("auth", "deploynix"), ("syslog", "systemd"), ("php", "fpm")):
        done(actions.read_log(owner, server=server, name=name, lines=20))
        reading = LogReading.objects.get(server=server, name=name)
        assert expected in reading.text
        assert len(reading.text.splitlines()) <= 20
    done(actions.read_log(owner, server=server, name="nginx-access"))


def test_removing_takes_the_key_off_and_leaves_the_rest(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    keys = "/home/deploynix/.ssh/authorized_keys"
    assert server.public_key in host.run("cat", keys).stdout
    done(actions.delete_server(owner, server=server))
    assert not Server.objects.filter(pk=server.pk).exists()
    assert host.run("cat", keys).stdout == ""
    assert host.run("systemctl", "is-active", "nginx").stdout == "active\n"


def test_a_machine_that_is_gone_can_be_removed(owner: Actor, provisioned_host: ProvisionedHost) -> None:
    server, host = provisioned_host
    host.stop()
    job = done(actions.delete_server(owner, server=server))
    assert "The key stays on the server" in log_of(job)
    assert not Server.objects.filter(pk=server.pk).exists()
