"""How the ACME library reaches a CA: through the door that every request of ours takes."""

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
from acme import errors as library
from acme.client import ClientNetwork
from josepy.errors import DeserializationError
from josepy.jwa import ES256
from josepy.jwk import JWK
from requests.structures import CaseInsensitiveDict

from certificates.acme.errors import AcmeError, error_of, misread
from deploynix.http import Answer, Client

USER_AGENT = "Deploynix"
# Of a CA that refuses every second nonce one request in four thousand fails.
NONCE_ATTEMPTS = 12


class Network(ClientNetwork):
    """Signs with the account's key. Raises AcmeError, Unreachable and Refused in the place of the library's errors."""

    def __init__(self, key: JWK) -> None:
        super().__init__(key, alg=ES256, user_agent=USER_AGENT)
        self._client = Client({"User-Agent": USER_AGENT})

    def post(self, *args: Any, **options: Any) -> requests.Response:
        for _ in range(NONCE_ATTEMPTS - 1):
            try:
                return self._post_once(*args, **options)
            except AcmeError as error:
                if error.problem != "badNonce":
                    raise
        return self._post_once(*args, **options)

    def _post_once(self, url: str, *args: Any, **options: Any) -> requests.Response:
        try:
            return super()._post_once(url, *args, **options)
        # An answer without a nonce, or with one that is none.
        except (library.NonceError, DeserializationError) as error:
            raise misread(_host(url)) from error

    def _send_request(self, method: str, url: str, *_: Any, **options: Any) -> requests.Response:
        """A request with a nonce is sent once: the second time it would be refused."""
        if urlsplit(url).scheme != "https":
            raise AcmeError(f"{_host(url)} is not asked without TLS.", "A directory's addresses begin with https://.")
        send = self._client.send_once if method == "POST" else self._client.send
        response = _response(url, send(method, url, headers=options.get("headers"), data=options.get("data")))
        # The library takes the nonce of what went well; a refusal brings one, too.
        if not response.ok and self.REPLAY_NONCE_HEADER in response.headers:
            self._add_nonce(response)
        return response

    @classmethod
    def _check_response(cls, response: requests.Response, content_type: str | None = None) -> requests.Response:
        if response.ok:
            return response
        if response.status_code == 409 and "Location" in response.headers:
            raise library.ConflictError(response.headers["Location"])
        host = _host(response.url)
        try:
            document = response.json()
        except ValueError:
            busy = response.status_code >= 500 or response.status_code == 429
            message = f"{host} answers with the status {response.status_code}."
            problem = "notFound" if response.status_code == 404 else ""
            raise AcmeError(message, "Try again later." if busy else "", problem=problem, retryable=busy) from None
        answer = Answer(response.status_code, response.headers, b"")
        raise error_of(document, host=host, retry_after=answer.retry_after)


def _response(url: str, answer: Answer) -> requests.Response:
    """As the library wants to have it."""
    response = requests.Response()
    response.url, response.status_code, response.encoding = url, answer.status, "utf-8"
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = BytesIO(answer.body)
    return response


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the CA"
