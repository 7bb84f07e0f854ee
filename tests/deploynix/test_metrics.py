"""Who may read /metrics, and in what form."""

import pytest
from django.db import DatabaseError
from django.test import Client
from pytest_django import Settings

from deploynix import metrics
from deploynix.metrics import Gauge

pytestmark = pytest.mark.django_db
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"


def status(client: Client, address: str = HERE, **headers: str) -> int:
    return client.get("/metrics", REMOTE_ADDR=address, headers=headers).status_code


def test_the_machine_itself_may_read_them_and_nobody_else(client: Client) -> None:
    assert status(client) == status(client, "::1") == 200
    answer = client.get("/metrics", REMOTE_ADDR=ELSEWHERE)
    assert answer.status_code == 403
    assert b"deploynix_" not in answer.content


def test_neither_the_host_header_nor_https_matters(client: Client, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert status(client, host="10.1.2.3") == 200


def test_networks_can_be_let_in(client: Client, settings: Settings) -> None:
    settings.METRICS_ALLOW = ["203.0.113.0/24"]
    assert (status(client, ELSEWHERE), status(client)) == (200, 403)


def test_with_the_token_from_anywhere(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token of some length"
    assert status(client, ELSEWHERE, authorization="Bearer a token of some length") == 200
    for wrong in ("Bearer a token", "Bearer", "Bearer ", "Basic a token of some length", "Bearer é"):
        assert status(client, ELSEWHERE, authorization=wrong) == 403
    assert status(client, HERE, authorization="Bearer wrong") == 403


def test_without_a_token_in_the_settings_none_is_right(client: Client) -> None:
    for given in ("Bearer", "Bearer ", "Bearer None"):
        assert status(client, ELSEWHERE, authorization=given) == 403


@pytest.mark.parametrize("header", ["x_forwarded_for", "forwarded"])
def test_behind_a_proxy_on_the_same_machine_nobody_is_the_machine_itself(
    header: str, client: Client, settings: Settings
) -> None:
    assert status(client, HERE, **{header: ELSEWHERE}) == 403
    settings.TRUSTED_PROXIES = 1
    assert status(client, HERE, x_forwarded_for=ELSEWHERE) == 403
    assert status(client, HERE, x_forwarded_for=HERE) == 200


def test_the_form_is_that_of_prometheus(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Gauge("deploynix_odd", "Odd.", [({"name": 'a "b"\\\nc'}, 1.5), ({}, float("inf")), ({"x": "y"}, 2**43)])
    monkeypatch.setattr(metrics, "_sources", [lambda: [odd]])
    answer = client.get("/metrics")
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.content.decode().splitlines() == [
        "# HELP deploynix_odd Odd.",
        "# TYPE deploynix_odd gauge",
        'deploynix_odd{name="a \\"b\\"\\\\\\nc"} 1.5',
        "deploynix_odd +Inf",
        'deploynix_odd{x="y"} 8796093022208',
    ]


def test_a_database_that_is_down_is_said(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Gauge]:
        raise DatabaseError("connection refused: password=hunter2")

    monkeypatch.setattr(metrics, "_sources", [broken])
    answer = client.get("/metrics")
    assert answer.status_code == 503
    assert b"hunter2" not in answer.content
