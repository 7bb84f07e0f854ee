"""What goes in and what comes out: the base classes of every resource's serializers."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import Field, SkipField

from deploynix.api.texts import KINDS, text, wrong_type

AnyField = Field[Any, Any, Any, Any]
# Of a list the items are counted, of a text the characters.
_ITEM_CODES = {"max_length": "max_items", "min_length": "min_items"}
_DJANGO_TEXTS = ("Enter a valid email address.", "Enter a valid URL.", "Enter a valid IPv4 or IPv6 address.")


class Output(serializers.Serializer[Any]):
    """A resource as the API shows it. Its fields are at once the OpenAPI schema and the columns that are read.

    A column that the model does not have is annotated by the view's queryset under the field's name. `example` is
    one resource, for the documentation.
    """

    example: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        return tuple(cls._declared_fields)


class JobAddressOutput(Output):
    """A job, as an answer that queued it names it."""

    id = serializers.CharField()
    url = serializers.URLField(allow_null=True, help_text="Where to follow it. null in the answer to a test key.")

    example = {
        "id": "01JAZ5R0M8Q2W4E6T8Y0P2A4SD",
        "url": "https://deploynix.example.com/api/v1/jobs/01JAZ5R0M8Q2W4E6T8Y0P2A4SD",
    }


class Input(serializers.Serializer[Any]):
    """What a request may send. Unknown fields and wrong JSON types are errors, nothing is converted on the quiet.

    `ignored` names fields of the output that a client may send back as it got them. `example` is one body, for the
    documentation.
    """

    ignored: ClassVar[frozenset[str]] = frozenset()
    example: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def read(cls, data: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
        """The validated values, by field name. Raises DRF's ValidationError with the API's texts."""
        serializer = cls(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, Mapping):
            raise ValidationError(["This must be an object."])
        values: dict[str, Any] = {}
        errors: dict[str, Any] = self._unknown(data)
        for field in self._writable_fields:
            name = field.field_name or ""
            try:
                values[name] = self._value(field, name, data)
            except ValidationError as error:
                errors[name] = _translated(field, error.detail)
            except SkipField:
                continue
        if errors:
            raise ValidationError(errors)
        return values

    def _unknown(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        unknown = set(data) - set(self.fields) - self.ignored
        return {name: [text(name, "unknown") or ""] for name in sorted(unknown)}

    def _value(self, field: AnyField, name: str, data: Mapping[str, Any]) -> Any:
        given = data.get(name, serializers.empty)
        check_type(field, name, given)
        value = field.run_validation(given)
        check = getattr(self, f"validate_{name}", None)
        return check(value) if check else value


class Query(Input):
    """The query string of a list, besides `page` and `per_page`. Everything in it is text, so types are converted."""

    ignored = frozenset({"page", "per_page"})

    def _value(self, field: AnyField, name: str, data: Mapping[str, Any]) -> Any:
        given = data.get(name, serializers.empty)
        check_length(field, given)
        return field.run_validation(given)


def check_type(field: AnyField, name: str, value: Any) -> None:
    """Raises ValidationError where the JSON type is not the field's: "8080" is no integer, 1 is no true."""
    if value is serializers.empty or value is None:
        return
    kind = kind_of(field)
    if kind is None:
        return
    expected, words = kind
    is_flag = isinstance(value, bool) and expected is not bool
    if is_flag or not isinstance(value, expected):
        raise ValidationError(wrong_type(name, words))
    check_length(field, value)
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        _check_items(field, name, value)


def check_length(field: AnyField, value: Any) -> None:
    """Raises ValidationError for a text that is longer than the description says, before spaces at its ends are taken
    off."""
    limit = getattr(field, "max_length", None)
    if isinstance(field, serializers.CharField) and isinstance(value, str) and limit and len(value) > limit:
        field.fail("max_length", max_length=limit)


def kind_of(field: AnyField) -> tuple[type | tuple[type, ...], str] | None:
    """The JSON type of a field's values, and what a message calls it."""
    return next(((expected, words) for cls, expected, words in KINDS if isinstance(field, cls)), None)


def _check_items(field: serializers.ListField, name: str, items: list[Any]) -> None:
    errors: dict[Any, Any] = {}
    for index, item in enumerate(items):
        try:
            check_type(field.child, f"{name}.{index}", item)
        except ValidationError as error:
            errors[index] = error.detail
    if errors:
        raise ValidationError(errors)


def _parent_name(field: AnyField) -> str:
    return getattr(field.parent, "field_name", None) or "value"


def _translated(field: AnyField, detail: Any) -> Any:
    """The error's texts in the API's words, in the same shape."""
    if isinstance(detail, dict):
        child = getattr(field, "child", field)
        return {key: _translated(child, value) for key, value in detail.items()}
    if isinstance(detail, list):
        return [_translated(field, item) for item in detail]
    return _own_words(field, detail)


def _own_words(field: AnyField, detail: ErrorDetail) -> str:
    name, code = field.field_name or _parent_name(field), detail.code or ""
    known = text(name, _ITEM_CODES.get(code, code) if _is_list(field) else code, getattr(field, code, None))
    if known:
        return known
    kind = kind_of(field)
    if detail.code == "invalid" and kind and _is_stock(field, str(detail)):
        return wrong_type(name, kind[1])
    return str(detail)


def _is_list(field: AnyField) -> bool:
    return isinstance(field, serializers.ListField | serializers.ListSerializer)


def _is_stock(field: AnyField, message: str) -> bool:
    """Whether the field's own class says this, as opposed to a validator that somebody gave it."""
    own = str(field.error_messages.get("invalid", "")).partition("{")[0]
    return (bool(own) and message.startswith(own)) or message in _DJANGO_TEXTS
