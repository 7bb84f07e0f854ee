"""A vendor, as an adapter meets it: each request is held against the vendor's own description, then answered.

The descriptions are not part of the project: VENDOR_SPECS is their folder. Where it is not set, requests are answered
all the same; with DEPLOYNIX_REQUIRE_ALL its absence fails. So it is with recorded answers and VENDOR_RECORDINGS, but a
test that replays them is skipped.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import responses
import yaml
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest
from requests import PreparedRequest

Sent = tuple[int, dict[str, str], str]
Reply = tuple[int, Any] | tuple[int, Any, Mapping[str, str]]
Handler = Callable[["Call"], Reply]


class Call:
    """One request: `groups` are those of the path's pattern, as the vendor reads them."""

    def __init__(self, request: PreparedRequest, groups: tuple[str, ...]) -> None:
        parts = urlsplit(str(request.url))
        self.method, self.path, self.groups = (
            str(request.method),
            parts.path,
            tuple(unquote(group or "") for group in groups),
        )
        self.query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.headers, self.body = request.headers, request.body or b""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Answering(Protocol):
    @property
    def base_url(self) -> str: ...

    def answer(self, request: PreparedRequest) -> Sent: ...


class Vendor:
    """`on` says how a method and path are answered; `calls` are the requests that came, in their order. `meanwhile` is
    called before each is answered: there somebody else may do something.

    `is_signed` tells whether a request carries the credential as the vendor wants it.
    """

    def __init__(self, base_url: str, is_signed: Callable[["Call"], bool], spec: str = "") -> None:
        self.base_url = base_url
        self._is_signed = is_signed
        self.calls: list[Call] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self._routes: list[tuple[str, re.Pattern[str], Handler, bool]] = []
        self._description = description(spec, base_url) if spec else None

    def on(self, method: str, path: str, answer: Handler | Reply, *, is_described: bool = True) -> None:
        """`path` is a pattern for all that follows the base address. What was said last counts.

        Our copies of the descriptions are trimmed: a call that they lack is not held against them.
        """
        handler = answer if callable(answer) else lambda call: answer
        self._routes.insert(0, (method, re.compile(path), handler, is_described))

    def wrap(self, wrapped: Callable[[Handler], Handler]) -> None:
        """Has each answer go through another one's hands."""
        self._routes = [(method, path, wrapped(handler), known) for method, path, handler, known in self._routes]

    def answer(self, request: PreparedRequest) -> Sent:
        path = urlsplit(str(request.url)).path.removeprefix(urlsplit(self.base_url).path)
        for method, pattern, handler, is_described in self._routes:
            if method == request.method and (match := pattern.fullmatch(path)):
                if self._description and is_described:
                    self._description.validate_request(RequestsOpenAPIRequest(request))
                call = Call(request, match.groups())
                assert self._is_signed(call), f"{call.method} {call.path} is not signed"
                self.calls.append(call)
                self.meanwhile()
                status, body, *headers = handler(call)
                text = body if isinstance(body, str) else json.dumps(body)
                return status, dict(*headers), "" if body is None else text
        raise AssertionError(f"nobody expected {request.method} {request.url}")


@contextmanager
def standing_in(*vendors: Answering) -> Iterator[None]:
    """Inside, requests reach these vendors, and nobody else."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as door:
        for vendor in vendors:
            address = re.compile(re.escape(vendor.base_url) + ".*")
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
                door.add_callback(method, address, callback=vendor.answer)
        yield


@cache
def description(name: str, base_url: str) -> OpenAPI | None:
    """The vendor's OpenAPI description, at the host of `base_url`: some are of a test system.

    None where there is none on this machine, unless it is required.
    """
    if (content := described(name)) is None:
        return None
    content = _without_security(content)
    host = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
    paths = {urlsplit(server["url"]).path.rstrip("/") for server in content["servers"]}
    return OpenAPI.from_dict({**content, "servers": [{"url": host + path} for path in sorted(paths)]})


def described(name: str) -> Any:
    """The description as the vendor wrote it; None as above."""
    folder = os.environ.get("VENDOR_SPECS") or str(Path(__file__).parents[3] / "shared" / "specs")
    path = Path(folder) / f"{name}.json"
    if path.exists():
        return json.loads(path.read_text())
    if os.environ.get("DEPLOYNIX_REQUIRE_ALL"):
        pytest.fail(f"VENDOR_SPECS holds no {name}.json")
    return None


def recording(path: str, number: int = 0) -> Reply:
    """An answer that somebody recorded: as it came (.http), its body (.json), or the one with that number (.yaml)."""
    folder = os.environ.get("VENDOR_RECORDINGS") or str(Path(__file__).parents[3] / "shared" / "recordings")
    file = Path(folder) / path
    if not file.exists():
        (pytest.fail if os.environ.get("DEPLOYNIX_REQUIRE_ALL") else pytest.skip)(f"VENDOR_RECORDINGS holds no {path}")
    text = file.read_text()
    if file.suffix == ".json":
        return 200, text
    if file.suffix == ".yaml":
        answer = yaml.safe_load(text)["interactions"][number]["response"]
        return answer["code"], answer["body"]
    head, _, body = text.partition("\n\n")
    return int(head.split()[1]), body


def _without_security(node: Any) -> Any:
    """Descriptions name the ways to sign of years ago; `Vendor.is_signed` looks at the real one."""
    if isinstance(node, dict):
        return {name: _without_security(value) for name, value in node.items() if name != "security"}
    return [_without_security(value) for value in node] if isinstance(node, list) else node
