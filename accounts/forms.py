from django import forms
from django.http import HttpRequest

from accounts.models import User


class SignupFields(forms.Form):
    name = forms.CharField(max_length=255, label="Your name")

    def signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
