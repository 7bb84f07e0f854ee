"""The form that adds a record to a zone."""

from django import forms

from deploynix.forms import CODE
from domains.models.connections import LONGEST_TTL, LONGEST_VALUE, SHORTEST_TTL, USUAL_TTL
from providers.contracts.dns import TYPES


class RecordForm(forms.Form):
    name = forms.CharField(max_length=255, initial="@", help_text="Such as www; @ is the zone itself.")
    type = forms.ChoiceField(choices=[(each, each) for each in sorted(TYPES)])
    value = forms.CharField(
        max_length=LONGEST_VALUE,
        widget=forms.TextInput(attrs=CODE),
        help_text="An address, the name that an alias (CNAME) leads to, or a text without quotes around it.",
    )
    ttl = forms.IntegerField(
        label="TTL",
        min_value=SHORTEST_TTL,
        max_value=LONGEST_TTL,
        initial=USUAL_TTL,
        help_text="Seconds for which others remember it. Some providers make short ones longer.",
    )
