from django import forms

from repositories.models import GitRepository


class ConnectForm(forms.Form):
    full_name = forms.CharField(max_length=GitRepository._meta.get_field("full_name").max_length)
