"""The wire form of a token."""

import re

import pytest
from pytest_django import Settings

from tokens.wire import checksum, digest, is_digest, new_token, newest_pepper, parse


def test_a_token_is_read_back() -> None:
    token = new_token("dnx_")
    assert re.fullmatch(r"dnx_[0-9A-Za-z]{16}_[0-9A-Za-z]{36}", token.text)
    assert parse(token.text) == token


def test_no_two_are_the_same_and_the_secret_is_not_printed() -> None:
    token = new_token("dnx_")
    assert len({new_token("dnx_").text for _ in range(100)}) == 100
    assert token.secret not in repr(token)


def test_every_typo_is_refused() -> None:
    text = new_token("dnx_").text
    for place in range(len(text)):
        other = "x" if text[place] != "x" else "y"
        assert parse(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "dnx_", "dnx__", "é" * 57, "dnx_" + "a" * 53, "dnx_" + "a" * 16 + "_" + "é" * 36])
def test_junk_is_refused(text: str) -> None:
    assert parse(text) is None


def test_the_checksum_is_a_known_value() -> None:
    # CRC-32 of "123456789" is 0xCBF43926, the check value of its standard: 3421780262 in base62.
    assert checksum("123456789") == "3jZRME"


def test_an_announced_pepper_verifies_and_is_not_used_yet(settings: Settings) -> None:
    settings.TOKEN_PEPPERS = ["first" * 8, "second" * 8]
    token = new_token("dnx_")
    made_elsewhere = digest(token, newest_pepper())
    settings.TOKEN_PEPPERS = ["first" * 8, "next:" + "second" * 8]

    assert newest_pepper() == 1
    assert is_digest(made_elsewhere, token, 2)


def test_a_retired_pepper_verifies_nothing(settings: Settings) -> None:
    token = new_token("dnx_")
    stored = digest(token, newest_pepper())
    settings.TOKEN_PEPPERS = ["", "another" * 5]

    assert not is_digest(stored, token, 1)
    assert not is_digest(stored, token, 3)
    assert not is_digest(stored, token, 2)


def test_a_digest_depends_on_its_pepper_and_old_peppers_still_count(settings: Settings) -> None:
    token = new_token("dnx_")
    settings.TOKEN_PEPPERS = ["one"]
    old = digest(token, newest_pepper())
    settings.TOKEN_PEPPERS = ["one", "two"]
    assert digest(token, 1) == old
    assert digest(token, newest_pepper()) != old
    with pytest.raises(LookupError):
        digest(token, 3)
    with pytest.raises(LookupError):
        digest(token, 0)
