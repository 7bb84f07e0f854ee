"""Providers whose credential buys an access token, which then signs the calls: RFC 6749, sections 4.4 and 5."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from deploynix.http import Answer
from providers.base import HttpProvider
from providers.errors import InvalidCredential, ProviderError, Unavailable

# Seconds before its end from which on a token is not used any more: a call may take its time.
MARGIN = 60.0


class OAuthProvider(HttpProvider):
    """A token is asked for at the first call, and kept until it ends."""

    _token = ""
    _token_ends = 0.0

    @property
    @abstractmethod
    def token_url(self) -> str: ...

    @abstractmethod
    def grant(self) -> Mapping[str, str]:
        """The form that asks for a token. Raises InvalidCredential for one that cannot be written."""

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        headers = {**options.pop("headers", {}), "Authorization": f"Bearer {self._valid_token()}"}
        return super().ask(method, path, headers=headers, **options)

    def error_text(self, body: Any) -> str:
        """An error of the token's address is a word with a description, one of the API an object."""
        error = body["error"]
        return str(error["message"] if isinstance(error, dict) else body.get("error_description") or error)

    def _valid_token(self) -> str:
        if time.monotonic() > self._token_ends - MARGIN:
            answer = super().ask("POST", self.token_url, data=self.grant())
            if not answer.is_ok:
                raise self._refusal(answer)
            try:
                body = answer.json()
                self._token, lifetime = str(body["access_token"]), float(body["expires_in"])
            except (ValueError, KeyError, TypeError) as error:
                raise Unavailable(f"{self.label} answered a sign-in with something that is no token.") from error
            self._token_ends = time.monotonic() + lifetime
        return self._token

    def _refusal(self, answer: Answer) -> ProviderError:
        if answer.status not in (400, 401, 403):
            return self.error_of(answer)
        detail = self.said(answer)
        return InvalidCredential(
            f"{self.label} refuses the sign-in ({answer.status}){f': {detail}' if detail else '.'}",
            f"Make a new {self.credential} and replace this one with it.",
        )
