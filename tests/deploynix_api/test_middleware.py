"""What answers of the API keep although page middleware does not see them."""

from django.test import Client
from pytest_django import Settings

from tests.apiclient import ApiClient


def test_an_answer_is_safe_and_sets_no_cookie(api: ApiClient) -> None:
    response = api.get("/user")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Length"] == str(len(response.content))
    assert response["X-Request-ID"]
    assert not response.cookies


def test_an_unknown_host_is_refused(db: None) -> None:
    assert Client().get("/api/v1/user", headers={"host": "elsewhere.test"}).status_code == 400


def test_plain_http_is_sent_to_https_in_production(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = Client().get("/api/v1/user")
    assert (response.status_code, response["Location"]) == (301, "https://testserver/api/v1/user")


def test_a_session_does_not_open_the_api(owner_client: Client) -> None:
    assert owner_client.get("/api/v1/user").status_code == 401
