"""How a browser goes through the pages of an account."""

import re
from typing import TYPE_CHECKING

from django.test import Client

from tests import factories

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Response


def sign_in(client: Client, email: str, password: str = factories.PASSWORD, **more: str) -> "Response":
    return client.post("/accounts/login", {"login": email, "password": password, **more})


def without_typed(response: "Response", email: str) -> str:
    """The page without what was typed into it, and what is random in it."""
    text = response.content.decode().replace(email, "")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"X-CSRFToken": "\w+"', "", text)
