"""Writing an automation script, and running one."""

from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

from deploynix.forms import SecretTextarea
from servers.models import MOST_SCRIPT_SECONDS, AutomationScript, RunAs, Server
from servers.parameters import MOST_PARAMETERS, Parameter

CODE = {"class": "font-monospace", "autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
# Empty rows for more parameters, so that a form needs no script to grow.
SPARE_ROWS = 3


class ExactText(forms.CharField):
    """A text as it was written: with its spaces, and with the line ends of Linux, which browsers do not send."""

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=False, **options)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class ScriptForm(forms.Form):
    """The parameters are rows of fields, each named as the action calls it in an error: `parameters.0.name`."""

    name = forms.CharField(max_length=100)
    description = forms.CharField(max_length=1000, required=False)
    body = ExactText(
        label="Script",
        widget=forms.Textarea(attrs={"rows": 14, **CODE}),
        help_text=(
            "What bash runs on the server, at most 64 KiB. Everybody who sees scripts can read it: give passwords and"
            " keys to it as secret parameters. What it leaves in the background ends with it."
        ),
    )
    run_as = forms.ChoiceField(label="Run as", choices=RunAs.choices, initial=RunAs.ROOT)
    timeout = forms.IntegerField(
        label="Time limit",
        min_value=1,
        max_value=MOST_SCRIPT_SECONDS,
        initial=600,
        help_text="In seconds, at most a day. A run that takes longer is stopped.",
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        given = initial or {}
        rows = given.pop("parameters", [])
        if data is not None:
            rows = list(_filled_rows(data))
            data = {name: data.get(name) for name in self.base_fields} | _by_field(rows)
        super().__init__(data, initial=given | _by_field(rows))
        self.rows_count = min(len(rows) + SPARE_ROWS, MOST_PARAMETERS)
        for number in range(self.rows_count):
            self.fields |= {f"parameters.{number}.{name}": field for name, field in _row_fields(number).items()}

    @classmethod
    def of(cls, script: AutomationScript, data: Any = None) -> "ScriptForm":
        return cls(data, initial={name: getattr(script, name) for name in (*cls.base_fields, "parameters")})

    @property
    def plain_fields(self) -> list[BoundField]:
        return [self[name] for name in self.base_fields]

    @property
    def rows(self) -> list[dict[str, BoundField]]:
        names = _row_fields(0)
        return [{name: self[f"parameters.{number}.{name}"] for name in names} for number in range(self.rows_count)]

    @property
    def values(self) -> dict[str, Any]:
        """What the actions take."""
        values = {name: self.cleaned_data[name] for name in self.base_fields}
        rows = [{name: self.cleaned_data[field.html_name] for name, field in row.items()} for row in self.rows]
        return values | {"parameters": [row for row in rows if row["name"]]}


def _row_fields(number: int) -> dict[str, forms.Field]:
    def named(what: str, **attrs: Any) -> dict[str, Any]:
        return {"aria-label": f"{what} of parameter {number + 1}", **attrs}

    name, label = named("Name", placeholder="NAME", **CODE), named("Label", placeholder="Label")
    default = named("Default", placeholder="Default", rows=1, **CODE)
    return {
        "name": forms.CharField(required=False, widget=forms.TextInput(attrs=name)),
        "label": forms.CharField(required=False, widget=forms.TextInput(attrs=label)),
        "default": ExactText(required=False, widget=forms.Textarea(attrs=default)),
        "required": forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs=named("Required"))),
        "secret": forms.BooleanField(required=False, widget=forms.CheckboxInput(attrs=named("Secret"))),
    }


def _filled_rows(data: Any) -> Iterator[dict[str, Any]]:
    """The rows that have a name; their numbers then are those of the parameters."""
    for number in range(MOST_PARAMETERS):
        row = {name: data.get(f"parameters.{number}.{name}", "") for name in _row_fields(0)}
        if row["name"].strip():
            yield row


def _by_field(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {f"parameters.{number}.{name}": value for number, row in enumerate(rows) for name, value in row.items()}


class RunForm(forms.Form):
    """One field for each parameter, named as the action calls it in an error: `parameters.NAME`."""

    servers = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: Any = None, *, script: AutomationScript, servers: Sequence[Server]) -> None:
        super().__init__(data)
        self.fields["servers"].choices = [(server.pk, server.name) for server in servers]  # type: ignore[attr-defined]
        self.declared = script.declared
        for parameter in self.declared:
            self.fields[f"parameters.{parameter.name}"] = _value_field(parameter)

    @property
    def values(self) -> dict[str, Any]:
        """What the action takes."""
        given = {parameter.name: self.cleaned_data[f"parameters.{parameter.name}"] for parameter in self.declared}
        return {"servers": self.cleaned_data["servers"], "parameters": given}


def _value_field(parameter: Parameter) -> ExactText:
    widget = SecretTextarea if parameter.secret else forms.Textarea
    return ExactText(
        label=parameter.label or parameter.name,
        required=parameter.required,
        initial=parameter.default,
        widget=widget(attrs={"rows": 1, **CODE}),
        help_text=_help_of(parameter),
    )


def _help_of(parameter: Parameter) -> str:
    variable = f"The script has it in ${parameter.name}."
    return f"{variable} It is not shown again, and taken out of the log." if parameter.secret else variable
