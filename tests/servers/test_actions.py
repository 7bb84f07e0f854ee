"""What may be done with a server, by whom, and what it leaves behind."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from pytest_django import Settings

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid, LimitReached
from deploynix.redact import secrets_of
from jobs.models import Job
from servers import actions, ssh
from servers.models import Server, Status
from tests import factories

KEY = ssh.generate_key("someone")
# Made for this test alone; its passphrase is "secret".
LOCKED_KEY = """\
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCJa3zie0
n8AjVpTcQ53QpCAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAICo0e50NY96dgCQZ
036ONbnWf/opV+Luztxk6X8rNVniAAAAoBT+qYpG84sFWn9TuIRnahNzmVo17ZFEa5dLWI
XLC/5ZS6ieBmLeI1Q2arjqum0pGzjR18ePymcRZsvVvqA00yZGzYFD855N6B4g703viJVa
sx+zzv73vDK25h/XPiHdgW/o86stCnF4tPLWqv7jhhgsboh7zfWddkT556h4EA+lcmLz9I
9bzkm5xsTqauRIHCLlFeDP76afWLtew+sTv7Q=
-----END OPENSSH PRIVATE KEY-----
"""


def create(actor: Actor, **values: Any) -> Server:
    return actions.create_server(actor, **{"name": "web-1", "ip_address": "203.0.113.10"} | values)


def events(actor: Actor) -> list[str]:
    return list(
        AuditEvent.objects.filter(organization=actor.organization).order_by("id").values_list("event", flat=True)
    )


def kinds(server: Server) -> list[str]:
    return list(Job.objects.about(server).order_by("id").values_list("kind", flat=True))


def test_without_a_key_the_server_waits_until_its_own_key_is_let_in(owner: Actor) -> None:
    server = create(owner)
    assert (server.status, kinds(server)) == (Status.PENDING, [])
    assert server.needs_authorizing
    assert server.authorize_command.endswith(f"echo '{server.public_key}' >> ~/.ssh/authorized_keys")
    actions.provision_server(owner, server=server)
    server.refresh_from_db()
    assert (server.status, kinds(server)) == (Status.PROVISIONING, ["provision_server"])
    assert events(owner) == ["server.created", "server.provisioned"]


def test_with_a_key_provisioning_starts_at_once(owner: Actor) -> None:
    server = create(owner, private_key=KEY.private, host_key=f"{KEY.public}")
    assert (server.status, kinds(server)) == (Status.PROVISIONING, ["provision_server"])
    assert server.host_key == " ".join(KEY.public.split()[:2])
    assert server.host_key_fingerprint == ssh.fingerprint(KEY.public)
    assert server.login_key in secrets_of(owner.organization.pk)


def test_the_audit_log_holds_no_key(owner: Actor) -> None:
    create(owner, private_key=KEY.private)
    assert "PRIVATE KEY" not in str(list(AuditEvent.objects.values()))
    assert "PRIVATE KEY" not in str(list(Job.objects.values()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_address", "127.0.0.1"),
        ("ip_address", "::1"),
        ("ip_address", "::ffff:127.0.0.1"),
        ("ip_address", "0.0.0.0"),  # noqa: S104 -- not bound to, but refused
        ("ip_address", "not an address"),
        ("name", "web 1"),
        ("name", "web-1\n"),
        ("name", "-web"),
        ("ssh_port", 0),
        ("ssh_port", 65536),
        ("login_user", "root; reboot"),
        ("php_version", "5.6"),
        ("database_type", "oracle"),
        ("provider", "digitalocean"),
        ("private_key", "not a key"),
        ("host_key", "not a key"),
    ],
)
def test_bad_values_change_nothing(owner: Actor, field: str, value: object) -> None:
    with pytest.raises((Invalid, ValidationError)) as refused:
        create(owner, **{field: value})
    error = refused.value
    named = error.message_dict if isinstance(error, ValidationError) else getattr(error, "errors", {})
    assert field in named
    assert not Server.objects.exists()
    assert not Job.objects.exists()


def test_private_addresses_are_a_setting(owner: Actor, settings: Settings) -> None:
    create(owner, ip_address="10.1.2.3")
    settings.SSH_ALLOW_PRIVATE = False
    with pytest.raises(Invalid) as refused:
        create(owner, name="web-2", ip_address="10.1.2.4")
    assert "private address" in refused.value.errors["ip_address"][0]


def test_a_key_with_a_passphrase_is_refused_without_showing_it(owner: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        create(owner, private_key=LOCKED_KEY)
    assert "passphrase" in refused.value.errors["private_key"][0]
    assert LOCKED_KEY.splitlines()[1] not in str(refused.value.errors)


def test_names_and_addresses_are_taken_once_in_an_organization(owner: Actor, outsider: Actor) -> None:
    create(owner)
    with pytest.raises(Invalid, match="invalid") as refused:
        create(owner, ip_address="203.0.113.11")
    assert refused.value.errors == {"name": ["The name has already been taken."]}
    with pytest.raises(Invalid) as refused:
        create(owner, name="web-2")
    assert "ip_address" in refused.value.errors
    create(owner, name="web-2", ssh_port=2222)
    create(outsider)


def test_the_plan_caps_servers(owner: Actor) -> None:
    owner.organization.plan = "free"
    owner.organization.save()
    create(owner)
    with pytest.raises(LimitReached, match="max_servers"):
        create(owner, name="web-2", ip_address="203.0.113.11")


def test_a_viewer_may_only_look(owner: Actor, member: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at="2026-01-01T00:00:00Z")
    with pytest.raises(Denied, match="server:create"):
        create(member)
    for refused in (
        lambda: actions.update_server(member, server=server, name="x"),
        lambda: actions.provision_server(member, server=server),
        lambda: actions.restart_server(member, server=server, what="nginx"),
        lambda: actions.apply_configuration(member, server=server),
        lambda: actions.accept_host_key(member, server=server, fingerprint="SHA256:" + "a" * 43),
    ):
        with pytest.raises(Denied, match="server:update"):
            refused()
    with pytest.raises(Denied, match="server:delete"):
        actions.delete_server(member, server=server)
    assert kinds(server) == []
    actions.check_configuration(member, server=server)
    actions.read_log(member, server=server, name="syslog")
    assert kinds(server) == ["check_configuration", "read_log"]


def test_update_says_what_changed(owner: Actor) -> None:
    server = create(owner)
    actions.update_server(owner, server=server, name="web-2", ssh_port=2222, php_version="8.3", monitoring_enabled=True)
    server.refresh_from_db()
    assert (server.name, server.ssh_port, server.php_version) == ("web-2", 2222, "8.3")
    changes = AuditEvent.objects.get(event="server.updated").changes
    assert changes == {"name": ["web-1", "web-2"], "ssh_port": [22, 2222], "php_version": [None, "8.3"]}
    actions.update_server(owner, server=server, name="web-2")
    assert AuditEvent.objects.filter(event="server.updated").count() == 1


def test_what_is_installed_cannot_be_swapped_by_a_click(owner: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at="2026-01-01T00:00:00Z")
    with pytest.raises(Invalid) as refused:
        actions.update_server(owner, server=server, php_version="8.4", database_type="postgresql", name="x")
    assert set(refused.value.errors) == {"php_version", "database_type"}
    server.refresh_from_db()
    assert server.php_version is None
    assert server.name != "x"


def test_a_busy_server_is_not_provisioned_again_nor_removed(owner: Actor) -> None:
    server = create(owner, private_key=KEY.private)
    for refused in (actions.provision_server, actions.delete_server):
        with pytest.raises(Conflict, match="busy"):
            refused(owner, server=server)
    assert kinds(server) == ["provision_server"]


def test_work_needs_a_provisioned_server(owner: Actor) -> None:
    server = create(owner)
    work: list[Callable[[], Job]] = [
        lambda: actions.restart_server(owner, server=server, what="nginx"),
        lambda: actions.apply_configuration(owner, server=server),
        lambda: actions.check_configuration(owner, server=server),
        lambda: actions.read_log(owner, server=server, name="syslog"),
    ]
    for refused in work:
        with pytest.raises(Conflict, match="not provisioned"):
            refused()


def test_only_services_of_the_server_can_be_restarted(owner: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at="2026-01-01T00:00:00Z", php_version="8.2")
    for what in ("nginx", "php", "redis", "supervisor", "reboot"):
        actions.restart_server(owner, server=server, what=what)
    for what in ("database", "sshd", "", "nginx; reboot"):
        with pytest.raises(Invalid) as refused:
            actions.restart_server(owner, server=server, what=what)
        assert refused.value.errors == {"what": ["The selected what is invalid."]}


def test_a_check_under_way_is_not_started_twice(owner: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at="2026-01-01T00:00:00Z")
    first = actions.check_configuration(owner, server=server)
    assert actions.check_configuration(owner, server=server) == first
    assert actions.refresh_comparison(owner, server=server) == first
    log = actions.read_log(owner, server=server, name="syslog")
    assert actions.refresh_log(owner, server=server, name="syslog") == log
    assert actions.read_log(owner, server=server, name="auth") != log


def test_a_check_that_has_just_failed_is_not_tried_again_by_looking(owner: Actor) -> None:
    server = factories.server(owner.organization, provisioned_at="2026-01-01T00:00:00Z")
    job = actions.check_configuration(owner, server=server)
    Job.objects.filter(pk=job.pk).update(status="failed")
    assert actions.refresh_comparison(owner, server=server) is None
    assert actions.check_configuration(owner, server=server) != job


def test_removing_is_refused_while_there_are_sites(owner: Actor) -> None:
    server = factories.server(owner.organization)
    site = factories.site(server)
    with pytest.raises(Conflict, match="1 site"):
        actions.delete_server(owner, server=server)
    site.delete()
    actions.delete_server(owner, server=server)
    server.refresh_from_db()
    assert (server.status, kinds(server)) == (Status.DELETING, ["delete_server"])
    with pytest.raises(Conflict, match="being removed"):
        actions.provision_server(owner, server=server)
    assert events(owner) == ["server.deleted"]


def test_a_fingerprint_is_no_free_text(owner: Actor) -> None:
    server = factories.server(owner.organization)
    with pytest.raises(Invalid):
        actions.accept_host_key(owner, server=server, fingerprint="SHA256:short")
    job = actions.accept_host_key(owner, server=server, fingerprint=ssh.fingerprint(KEY.public))
    assert job.params == {"fingerprint": ssh.fingerprint(KEY.public)}
