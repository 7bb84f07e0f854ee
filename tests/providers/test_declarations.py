"""What every provider declares, looked at as people will see it."""

import re

import pytest

from providers.base import Kind, Provider
from providers.forms import CredentialForm
from providers.registry import providers_of
from providers.values import complete
from providers.views import policy_of

ALL = [provider for kind in Kind for provider in providers_of(kind).values()]


def name_of(provider: type[Provider]) -> str:
    return f"{provider.kind}-{provider.key}"


@pytest.mark.parametrize("provider", ALL, ids=name_of)
def test_a_declaration_is_whole(provider: type[Provider]) -> None:
    assert provider.label
    assert provider.credential
    assert provider.steps
    assert provider.used_for
    assert provider.permissions
    assert any(field.secret for field in provider.fields)
    assert len({field.name for field in provider.fields}) == len(provider.fields)
    assert len({permission.key for permission in provider.permissions}) == len(provider.permissions)
    assert all(permission.label and permission.reason for permission in provider.permissions)
    assert re.fullmatch(r"[a-z0-9]{1,32}", provider.key)
    assert re.fullmatch("(https://.+)?", provider.console_url)


@pytest.mark.parametrize("provider", ALL, ids=name_of)
def test_a_default_is_what_the_field_takes(provider: type[Provider]) -> None:
    for field in provider.fields:
        assert not field.default or not field.pattern or re.fullmatch(field.pattern, field.default), field.name
        assert not field.default or not field.choices or field.default in dict(field.choices), field.name
        assert not (field.secret and field.default), field.name


@pytest.mark.parametrize("provider", ALL, ids=name_of)
def test_the_page_and_its_policy_can_be_shown_before_anything_is_known(provider: type[Provider]) -> None:
    assert "values." in CredentialForm.new(provider).as_p()
    policy_of(provider, {})


@pytest.mark.parametrize("provider", ALL, ids=name_of)
def test_one_string_that_makes_no_sense_is_refused_or_taken_whole(provider: type[Provider]) -> None:
    """Nothing else may come out of it than a ValueError, or fields that are declared."""
    for text in ("x", "a:b", "a:b:c:d", "{", "{}", '{"project_id": 7}', "[]", "é" * 50):
        values = parsed(provider, text)
        assert set(values) <= {field.name for field in provider.fields}
        assert all(isinstance(value, str) for value in values.values())


def parsed(provider: type[Provider], text: str) -> dict[str, str]:
    try:
        return provider.parse(text)
    except ValueError:
        return {}


def test_a_value_that_is_not_declared_is_never_kept() -> None:
    (cloudflare,) = [provider for provider in ALL if provider.key == "cloudflare"]
    assert complete(cloudflare, {}, {"api_token": "kept", "gone": "long ago"}) == {"api_token": "kept"}
