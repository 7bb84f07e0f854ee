"""Secrets are found however a tool prints them, and whatever the chunks they come in."""

import base64
import json
import shlex
from secrets import token_hex
from urllib.parse import quote

import pytest

from deploynix.redact import MASK, Redactor

SECRET = 'pa$$ word\'with "quotes"/+=&%'


@pytest.mark.parametrize(
    "printed",
    [
        SECRET,
        quote(SECRET, safe=""),
        shlex.quote(SECRET),
        json.dumps({"password": SECRET}),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.b64encode(f"user:{SECRET}".encode()).decode(),
        base64.b64encode(f"me:{SECRET}@host".encode()).decode(),
        base64.urlsafe_b64encode(f"x{SECRET}".encode()).decode(),
    ],
)
def test_every_form_is_masked_whole_and_in_single_characters(printed: str) -> None:
    whole = Redactor([SECRET]).redact(f"before {printed} after")
    assert MASK in whole

    stream = Redactor([SECRET])
    piecewise = "".join(stream.feed(character) for character in f"before {printed} after") + stream.flush()
    assert piecewise == whole


def test_a_private_key_is_masked_line_by_line_too() -> None:
    key = "-----BEGIN KEY-----\nabcdefghijklmnopqrstuvwxyz\nzyxwvutsrqponmlkjihgfedcba\n-----END KEY-----\n"
    text = Redactor([key]).redact("  | abcdefghijklmnopqrstuvwxyz\n  | zyxwvutsrqponmlkjihgfedcba\n")
    assert text == f"  | {MASK}\n  | {MASK}\n"


def test_short_values_are_left_alone_and_innocent_text_passes_unchanged() -> None:
    redactor = Redactor(["1", "true", "8080"])
    assert redactor.feed("true, port 8080, 1 worker") + redactor.flush() == "true, port 8080, 1 worker"


def test_a_secret_that_begins_another_does_not_leave_the_rest_of_it() -> None:
    redactor = Redactor(["abcdefgh", "abcdefghijklmnop"])
    text = redactor.feed("x abcdefgh") + redactor.feed("ijklmnop y") + redactor.flush()
    assert text == f"x {MASK} y"


def test_what_only_looked_like_the_beginning_of_a_secret_comes_out_after_all() -> None:
    redactor = Redactor(["abcdefgh"])
    assert redactor.feed("go abcd") == "go "
    assert redactor.feed(" on") == "abcd on"


def test_each_of_hundreds_of_keys_is_found() -> None:
    keys = ["\n".join(token_hex(48) for _ in range(4)) for _ in range(100)]
    redactor = Redactor(keys)
    fed = "".join(redactor.feed(piece) for key in keys for piece in ("key: ", key[:70], key[70:], "\n"))
    assert fed + redactor.flush() == f"key: {MASK}\n" * len(keys)
