"""What a serializer of the API says to bad values."""

from typing import Any

import pytest
from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from deploynix.api.exceptions import as_error, flatten
from deploynix.api.serializers import Input, Query
from deploynix.errors import Invalid
from servers.models import Server


class Part(Input):
    size = serializers.IntegerField()


class Sample(Input):
    name = serializers.CharField(max_length=5, min_length=2, required=False, validators=[RegexValidator("^w", "w!")])
    port = serializers.IntegerField(min_value=1, max_value=9, required=False)
    active = serializers.BooleanField(required=False)
    provider = serializers.ChoiceField(choices=["custom"], required=False)
    ip_address = serializers.IPAddressField(required=False)
    email = serializers.EmailField(required=False)
    ends_at = serializers.DateTimeField(required=False)
    names = serializers.ListField(child=serializers.CharField(max_length=3), required=False, min_length=1, max_length=2)
    variables = serializers.DictField(child=serializers.CharField(), required=False)
    parts = serializers.ListField(child=Part(), required=False)


CASES: list[tuple[str, Any, dict[str, str]]] = [
    ("name", "", {"name": "The name field is required."}),
    ("name", None, {"name": "The name field is required."}),
    ("name", 7, {"name": "The name field must be a string."}),
    ("name", True, {"name": "The name field must be a string."}),
    ("name", "w23456", {"name": "The name field must not be greater than 5 characters."}),
    ("name", "w", {"name": "The name field must be at least 2 characters."}),
    ("name", "abc", {"name": "w!"}),
    ("name", "w\x00", {"name": "The name field must not hold NUL characters."}),
    ("port", "7", {"port": "The port field must be an integer."}),
    ("port", 7.5, {"port": "The port field must be an integer."}),
    ("port", True, {"port": "The port field must be an integer."}),
    ("port", 0, {"port": "The port field must be at least 1."}),
    ("port", 10, {"port": "The port field must not be greater than 9."}),
    ("active", 1, {"active": "The active field must be true or false."}),
    ("active", "true", {"active": "The active field must be true or false."}),
    ("provider", "cloud", {"provider": "The selected provider is invalid."}),
    ("provider", ["custom"], {"provider": "The provider field must be a string."}),
    ("ip_address", "300.1.1.1", {"ip_address": "The ip address field must be a valid IP address."}),
    ("email", "nobody", {"email": "The email field must be a valid email address."}),
    ("ends_at", "soon", {"ends_at": "The ends at field must be a valid date."}),
    ("names", "a", {"names": "The names field must be an array."}),
    ("names", ["a", 1], {"names.1": "The names.1 field must be a string."}),
    ("names", ["a", "long"], {"names.1": "The names field must not be greater than 3 characters."}),
    ("names", [], {"names": "The names field must have at least 1 items."}),
    ("names", ["a", "b", "c"], {"names": "The names field must not have more than 2 items."}),
    ("variables", [], {"variables": "The variables field must be an object."}),
    ("parts", [{"size": 1}, [["size"]]], {"parts.1": "This must be an object."}),
    ("parts", [{}], {"parts.0.size": "The size field is required."}),
    ("name", "work  ", {"name": "The name field must not be greater than 5 characters."}),
    ("unknown", 1, {"unknown": "The unknown field is not known."}),
]


@pytest.mark.parametrize(("field", "value", "errors"), CASES)
def test_texts(field: str, value: Any, errors: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as raised:
        Sample.read({field: value})
    assert flatten(raised.value.detail) == {name: [text] for name, text in errors.items()}


def test_a_required_field() -> None:
    class Strict(Input):
        name = serializers.CharField()

    with pytest.raises(ValidationError) as raised:
        Strict.read({})
    assert flatten(raised.value.detail) == {"name": ["The name field is required."]}


def test_good_values_come_through() -> None:
    given = {"name": "web", "port": 5, "active": False, "provider": "custom", "names": ["a"], "variables": {"A": "b"}}
    assert Sample.read(given) == given


def test_a_query_string_is_text() -> None:
    class Filter(Query):
        port = serializers.IntegerField(required=False)

    assert Filter.read({"port": "7", "page": "2", "per_page": "5"}) == {"port": 7}
    with pytest.raises(ValidationError) as raised:
        Filter.read({"port": "x"})
    assert flatten(raised.value.detail) == {"port": ["The port field must be an integer."]}


@pytest.mark.django_db
def test_what_a_model_refuses_is_said_in_the_same_words() -> None:
    from django.core.exceptions import ValidationError as ModelError

    with pytest.raises(ModelError) as raised:
        Server(name="", provider="cloud", ssh_port=70_000).full_clean()
    error = as_error(raised.value)
    assert isinstance(error, Invalid)
    assert error.errors["name"] == ["The name field is required."]
    assert error.errors["provider"] == ["The selected provider is invalid."]
    assert error.errors["ssh_port"] == ["The ssh port field must not be greater than 65535."]
