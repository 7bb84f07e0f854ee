"""Encrypting everything anew under another key, and what happens where a key is missing."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from pytest_django import Settings

from deploynix import redact, rotation
from deploynix.actor import Actor
from deploynix.fields import ENCRYPTED_FIELDS
from deploynix.supervisor.startup import Refusal, prepare
from providers.models import Credential
from servers.models import Server
from tests import factories
from tests.providers.asking import connect

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> Any:
    use(settings, OLD)
    yield
    forget_keys()


def use(settings: Settings, *keys: str) -> None:
    """As a process does that is started with them."""
    settings.FERNET_KEYS = list(keys)
    forget_keys()


def forget_keys() -> None:
    for model in apps.get_models():
        for field in model._meta.local_fields:
            for name in ("keys", "fernet_keys", "fernet"):
                vars(field).pop(name, None)


def rotate(**options: Any) -> str:
    output = StringIO()
    call_command("rotate_fernet_keys", stdout=output, **options)
    return output.getvalue()


def two_servers(owner: Actor) -> list[Server]:
    names = ("first", "second")
    return [factories.server(owner.organization, private_key=f"the {name} key") for name in names]


@pytest.mark.django_db
def test_all_is_under_the_new_key_afterwards(owner: Actor, settings: Settings) -> None:
    servers = two_servers(owner)
    credential = connect(owner, kind="dns", provider="cloudflare", values={"api_token": "canary-4711"})
    codes = {"seed": get_adapter().encrypt("a seed"), "used_mask": 5, "migrated_codes": [get_adapter().encrypt("one")]}
    second_factor = Authenticator.objects.create(user=owner.user, type="recovery_codes", data=codes)

    use(settings, NEW, OLD)
    told = rotate(batch=1)
    assert "servers.Server.private_key: 2 encrypted anew, 0 were already." in told
    assert "providers.Credential.sealed: 1 encrypted anew" in told
    assert "mfa.Authenticator.data: 1 encrypted anew" in told

    use(settings, NEW)
    assert [Server.objects.get(pk=server.pk).private_key for server in servers] == ["the first key", "the second key"]
    assert Credential.objects.get(pk=credential.pk).secrets == {"api_token": "canary-4711"}
    second_factor.refresh_from_db()
    data = second_factor.data
    assert (get_adapter().decrypt(data["seed"]), data["used_mask"]) == ("a seed", 5)
    assert get_adapter().decrypt(data["migrated_codes"][0]) == "one"


@pytest.mark.django_db
def test_a_run_that_was_stopped_is_taken_up_again(
    owner: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_servers(owner)
    use(settings, NEW, OLD)
    replace = rotation.Column.replace
    done: list[Any] = []

    def stop_after_one(*given: Any) -> None:
        if done:
            raise KeyboardInterrupt
        done.append(given)
        replace(*given)

    with monkeypatch.context() as patch:
        patch.setattr(rotation.Column, "replace", stop_after_one)
        with pytest.raises(KeyboardInterrupt):
            rotate()
    assert "servers.Server.private_key: 1 encrypted anew, 1 were already." in rotate()
    assert "servers.Server.private_key: 0 encrypted anew, 2 were already." in rotate()


@pytest.mark.django_db
def test_a_row_that_somebody_changes_meanwhile_keeps_the_change(
    owner: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = factories.server(owner.organization)
    use(settings, NEW, OLD)
    replace = rotation.Column.replace

    def change_first(column: rotation.Column, *given: Any) -> None:
        if column.name == "private_key":
            Server.objects.filter(pk=server.pk).update(private_key="changed meanwhile")
        replace(column, *given)

    monkeypatch.setattr(rotation.Column, "replace", change_first)
    rotate()
    use(settings, NEW)
    assert Server.objects.get(pk=server.pk).private_key == "changed meanwhile"


@pytest.mark.django_db
def test_what_no_key_opens_is_reported_and_the_rest_is_done(owner: Actor, settings: Settings) -> None:
    lost = factories.server(owner.organization)
    use(settings, NEW)
    factories.server(owner.organization)
    output = StringIO()
    with pytest.raises(CommandError, match="1 could not be read"):
        call_command("rotate_fernet_keys", stdout=output)
    assert f"0 encrypted anew, 1 were already, 1 not readable ({lost.pk})" in output.getvalue()


@pytest.mark.django_db
def test_a_wrong_key_is_told_at_the_start(owner: Actor, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    factories.server(owner.organization)
    monkeypatch.setattr("deploynix.supervisor.startup.call_command", lambda *given, **options: None)
    assert run_checks(databases=["default"], tags=["database"]) == []
    use(settings, NEW)
    (error,) = run_checks(databases=["default"], tags=["database"])
    assert "servers.Server.private_key was encrypted under a key that FERNET_KEYS does not hold" in error.msg
    assert "Put that key back" in str(error.hint)
    with pytest.raises(Refusal, match="FERNET_KEYS does not hold"):
        prepare()
    use(settings, NEW, OLD)
    assert run_checks(databases=["default"], tags=["database"]) == []


def test_every_app_with_something_encrypted_registers_its_secrets() -> None:
    holding = {
        model._meta.app_label
        for model in apps.get_models()
        if any(isinstance(field, ENCRYPTED_FIELDS) for field in model._meta.local_fields)
    }
    registered = {source.__module__.partition(".")[0] for source in redact._sources}
    assert {"providers", "servers", "sites", "tokens"} <= holding
    assert holding - registered == set()
