"""Connecting providers: who may, what is refused, and that no secret is anywhere but where it is sealed."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.errors import Conflict, Denied, Invalid
from deploynix.redact import secrets_of
from jobs.models import Job, JobLog
from providers import actions, uses
from providers.base import Kind
from providers.models import Credential, Status, Unopenable
from providers.uses import Use, register_user
from tests.providers.asking import TOKEN, connect

pytestmark = pytest.mark.django_db


def refused(work: Any) -> list[str]:
    with pytest.raises((Invalid, ValidationError)) as caught:
        work()
    error = caught.value
    return list(error.message_dict if isinstance(error, ValidationError) else getattr(error, "errors", {}))


def test_what_is_connected_is_divided_into_settings_and_secrets(owner: Actor) -> None:
    credential = connect(owner, values={"api_token": f" {TOKEN}\n", "region": "fra1"})
    credential = Credential.objects.get(pk=credential.pk)
    assert credential.settings == {"project": "main", "region": "fra1"}
    assert credential.secrets == {"api_token": TOKEN}
    assert credential.values == {"api_token": TOKEN, "project": "main", "region": "fra1"}
    assert (credential.status, credential.name) == (Status.UNCHECKED, "Main")
    job = Job.objects.get()
    assert (job.kind, job.subject_id, job.params) == ("verify_credential", credential.pk, {})


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "mail"}, "kind"),
        ({"provider": "nowhere"}, "provider"),
        ({"provider": "twofold"}, "provider"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"values": {}}, "values.api_token"),
        ({"values": {"api_token": "  "}}, "values.api_token"),
        ({"values": {"api_token": "UPPER-CASE"}}, "values.api_token"),
        ({"values": {"api_token": "x" * 4097}}, "values.api_token"),
        ({"values": {"api_token": f"{TOKEN}\r\nX-Admin: 1"}}, "values.api_token"),
        ({"values": {"api_token": TOKEN, "region": "mars1"}}, "values.region"),
        ({"values": {"api_token": TOKEN, "project": "a\0b"}}, "values.project"),
        ({"values": {"api_token": TOKEN, "colour": "red"}}, "values.colour"),
        ({"kind": "dns", "provider": "twofold", "values": {}, "text": "nocolon"}, "credential"),
    ],
)
def test_bad_values_change_nothing(owner: Actor, given: dict[str, Any], field: str) -> None:
    assert refused(lambda: connect(owner, **given)) == [field]
    assert not Credential.objects.exists()
    assert not Job.objects.exists()


def test_an_error_never_repeats_what_was_typed(owner: Actor) -> None:
    with pytest.raises(Invalid) as caught:
        connect(owner, values={"api_token": "CANARY-SECRET", "region": "CANARY-SECRET"})
    assert "CANARY" not in str(caught.value.errors)


def test_a_credential_in_one_string_is_taken_apart(owner: Actor) -> None:
    credential = connect(owner, kind="dns", provider="twofold", values=None, text=" first:second:third ")
    assert credential.secrets == {"api_key": "first", "secret_key": "second:third"}


def test_a_key_file_keeps_its_lines(owner: Actor) -> None:
    values = {"bucket": "backups", "key_file": '{\n  "private_key": "canary"\n}\n'}
    credential = connect(owner, kind="storage", provider="depot", values=values)
    assert credential.secrets == {"key_file": '{\n  "private_key": "canary"\n}'}


def test_names_are_taken_once_in_an_organization_and_kind(owner: Actor, outsider: Actor) -> None:
    connect(owner)
    other = connect(owner, name="Other")
    assert refused(lambda: connect(owner)) == ["name"]
    assert refused(lambda: actions.update_credential(owner, credential=other, name="Main")) == ["name"]
    connect(owner, kind="dns", provider="twofold", values=None, text="a:b")
    connect(outsider)


def test_an_empty_secret_means_keep(owner: Actor, credential: Credential) -> None:
    changed = actions.update_credential(
        owner, credential=credential, name="Renamed", values={"api_token": "", "project": "next", "region": ""}
    )
    assert (changed.name, changed.settings, changed.secrets) == ("Renamed", {"project": "next"}, {"api_token": TOKEN})
    event = AuditEvent.objects.get(event="credential.updated")
    assert event.changes == {"name": ["Main", "Renamed"], "project": ["main", "next"]}
    assert refused(lambda: actions.update_credential(owner, credential=credential, values={"api_token": "NO"})) == [
        "values.api_token"
    ]
    assert Credential.objects.get().secrets == {"api_token": TOKEN}


def test_what_changes_a_field_is_checked_again_and_what_does_not_is_not(owner: Actor, checked: Any) -> None:
    credential = checked("good-token")
    assert credential.status == Status.OK
    actions.update_credential(owner, credential=credential, name="Renamed", values={"project": "main"})
    assert (Credential.objects.get().status, actions.open_check(credential)) == (Status.OK, None)
    actions.update_credential(owner, credential=credential, values={"api_token": "other-token"})
    credential = Credential.objects.get()
    assert (credential.status, credential.findings, credential.expires_at) == (Status.UNCHECKED, [], None)
    assert actions.open_check(credential)
    assert AuditEvent.objects.filter(event="credential.updated").last().changes == {"secrets": [None, ["api_token"]]}  # type: ignore[union-attr]


def test_secrets_are_replaced_even_where_the_old_ones_do_not_open(owner: Actor, credential: Credential) -> None:
    Credential.objects.update(sealed={"organization": "x", "credential": "y", "secrets": {"api_token": "z"}})
    with pytest.raises(Unopenable):
        actions.update_credential(owner, credential=credential, values={"project": "next"})
    assert refused(lambda: actions.replace_secret(owner, credential=credential, values={"api_token": ""})) == [
        "values.api_token"
    ]
    new = actions.replace_secret(owner, credential=credential, values={"api_token": "replacement", "project": "no"})
    assert Credential.objects.get(pk=new.pk).values == {"api_token": "replacement", "project": "main"}
    assert AuditEvent.objects.get(event="credential.secret-replaced").changes == {}


def test_a_key_is_replaced_together_with_its_id(owner: Actor) -> None:
    before = {"access_key_id": "first", "secret_access_key": "one", "bucket": "backups", "region": "eu-central-1"}
    credential = connect(owner, kind="storage", provider="s3", values=before)
    given = {"access_key_id": "second", "secret_access_key": "two", "bucket": "other"}
    actions.replace_secret(owner, credential=credential, values=given)
    assert Credential.objects.get().values == {**before, "access_key_id": "second", "secret_access_key": "two"}
    event = AuditEvent.objects.get(event="credential.secret-replaced")
    assert event.changes == {"access_key_id": ["first", "second"]}


def test_sealed_secrets_open_for_their_own_row_only(owner: Actor, outsider: Actor, credential: Credential) -> None:
    others = [connect(owner, name="Other"), connect(outsider)]
    stolen = raw(credential)
    for other in others:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE providers_credential SET sealed = %s WHERE id = %s", [stolen, other.pk])
        with pytest.raises(Unopenable, match="belongs to another credential"):
            _ = Credential.objects.get(pk=other.pk).secrets
    Credential.objects.filter(pk=credential.pk).update(organization=outsider.organization, name="Moved")
    with pytest.raises(Unopenable):
        _ = Credential.objects.get(pk=credential.pk).secrets


def raw(credential: Credential) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sealed FROM providers_credential WHERE id = %s", [credential.pk])
        return bytes(cursor.fetchone()[0])


def test_no_secret_is_anywhere_but_where_it_is_sealed(owner: Actor, checked: Any) -> None:
    credential = checked("canary-0815-secret")
    assert credential.status == Status.OK
    assert JobLog.objects.exists()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            assert "canary-0815-secret" not in repr(cursor.fetchall()), table


def test_secrets_stay_in_the_database_until_they_are_asked_for(
    owner: Actor, credential: Credential, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        row = Credential.objects.visible_to(owner).get()
        assert TOKEN not in repr(vars(row)) + str(row)
    with django_assert_num_queries(1):
        assert row.secrets["api_token"] == TOKEN
    assert TOKEN in secrets_of(owner.organization.pk)


def test_deletion_is_refused_while_in_use(
    owner: Actor, credential: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uses, "_counters", {**uses._counters, Kind.SERVER: []})
    used = [Use(f"the server web-{number}") for number in range(1, 6)]
    register_user(Kind.SERVER, lambda credential: used)
    with pytest.raises(Conflict, match=r"Main is used by the server web-1, the server web-2, .*web-3 and 2 more"):
        actions.delete_credential(owner, credential=credential)
    assert Credential.objects.exists()
    used.clear()
    actions.delete_credential(owner, credential=credential)
    assert not Credential.objects.exists()
    assert AuditEvent.objects.filter(event="credential.deleted").exists()


def test_a_viewer_may_look_only(member: Actor, credential: Credential) -> None:
    for work in (
        lambda: connect(member),
        lambda: actions.update_credential(member, credential=credential, name="x"),
        lambda: actions.replace_secret(member, credential=credential, values={"api_token": TOKEN}),
        lambda: actions.verify_credential(member, credential=credential),
        lambda: actions.delete_credential(member, credential=credential),
    ):
        with pytest.raises(Denied):
            work()
    assert Credential.objects.visible_to(member).count() == 1


def test_the_due_are_checked_in_batches(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "BATCH", 2)
    rows = [connect(owner, name=f"Number {number}") for number in range(4)]
    Job.objects.all().delete()
    assert actions.verify_due_credentials() == 0
    old = timezone.now() - 2 * actions.CHECK_EVERY
    Credential.objects.exclude(pk=rows[0].pk).update(created_at=old)
    Credential.objects.filter(pk=rows[3].pk).update(checked_at=old)
    assert [actions.verify_due_credentials() for _ in range(3)] == [2, 1, 0]
    assert set(Job.objects.values_list("subject_id", flat=True)) == {row.pk for row in rows[1:]}
    assert set(Job.objects.values_list("actor", flat=True)) == {"system"}
