"""EMAIL_URL."""

import smtplib
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import get_connection
from django.core.mail.backends.smtp import EmailBackend

from deploynix.mail import CONSOLE, email_settings


def test_console_is_the_default_back_end() -> None:
    assert email_settings("console:") == {"EMAIL_BACKEND": CONSOLE}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.test", ("mail.test", 25, "", "", False, False)),
        ("smtp://me:p%40ss%3A@mail.test:587?tls=1", ("mail.test", 587, "me", "p@ss:", False, True)),
        ("smtp://me%40acme.test:x@mail.test?tls=0", ("mail.test", 25, "me@acme.test", "x", False, False)),
        ("smtps://me:x@mail.test", ("mail.test", 465, "me", "x", True, False)),
        ("smtp://me:x@[2001:db8::1]:2525", ("2001:db8::1", 2525, "me", "x", False, False)),
    ],
)
def test_reads_an_smtp_server(url: str, expected: tuple[Any, ...]) -> None:
    read = email_settings(url)

    names = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_SSL", "USE_TLS")
    assert tuple(read[f"EMAIL_{name}"] for name in names) == expected
    connection = get_connection(read["EMAIL_BACKEND"], use_ssl=read["EMAIL_USE_SSL"], use_tls=read["EMAIL_USE_TLS"])
    assert isinstance(connection, EmailBackend)
    assert connection.connection_class is (smtplib.SMTP_SSL if read["EMAIL_USE_SSL"] else smtplib.SMTP)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sendmail:",
        "smtp:",
        "smtp://me:hunter2hunter2@:25",
        "smtp://me:hunter2hunter2@mail.test:99999",
        "smtp://me:hunter2hunter2@mail.test:port",
        "smtp://me:hunter2hunter2@mail.test?ssl=1",
        "smtp://me:hunter2hunter2@mail.test?tls=yes",
        "smtps://me:hunter2hunter2@mail.test?tls=1",
    ],
)
def test_refuses_what_it_does_not_know_and_keeps_the_password_to_itself(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL") as caught:
        email_settings(url)
    assert "hunter2" not in str(caught.value)
