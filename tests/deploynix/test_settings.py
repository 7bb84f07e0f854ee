"""What an operator sees of the settings: refusals that name the variable, kept keys, cookies, headers, logs."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.test import Client

ROOT = Path(__file__).resolve().parents[2]
STRONG = "0123456789abcdef" * 4
PRODUCTION = {
    "PRODUCTION": "1",
    "BASE_URL": "https://panel.test",
    "SECRET_KEY": STRONG,
    "TOKEN_PEPPERS": STRONG,
    "FERNET_KEYS": Fernet.generate_key().decode(),
}


def start(data: Path, code: str, **variables: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "DATA": str(data), "DJANGO_SETTINGS_MODULE": "deploynix.settings"}
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def setting(data: Path, expression: str, **variables: str) -> str:
    process = start(data, f"from deploynix import settings; print({expression})", **variables)
    output, complaint = process.communicate()
    assert process.returncode == 0, complaint
    return output.strip()


def refusal(data: Path, **variables: str) -> str:
    process = start(data, "import deploynix.settings", **variables)
    _, complaint = process.communicate()
    assert process.returncode == 1
    last_line = complaint.strip().splitlines()[-1]
    assert last_line.startswith("django.core.exceptions.ImproperlyConfigured: ")
    return last_line.partition(": ")[2]


@pytest.mark.parametrize("name", ["SECRET_KEY", "FERNET_KEYS", "TOKEN_PEPPERS", "BASE_URL"])
def test_production_refuses_to_start_without_it_and_names_it(name: str, tmp_path: Path) -> None:
    given = {key: value for key, value in PRODUCTION.items() if key != name}
    assert refusal(tmp_path, **given).startswith(f"{name} is not set")


@pytest.mark.parametrize("value", ["changeme-" + STRONG, "tiny"])
@pytest.mark.parametrize("name", ["SECRET_KEY", "TOKEN_PEPPERS"])
def test_production_refuses_a_default_or_short_secret_and_does_not_repeat_it(
    name: str, value: str, tmp_path: Path
) -> None:
    message = refusal(tmp_path, **PRODUCTION | {name: value})
    assert message.startswith(f"{name} is a default or too short")
    assert value not in message


def test_one_weak_secret_among_several_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, **PRODUCTION | {"TOKEN_PEPPERS": f"{STRONG},tiny"}).startswith("TOKEN_PEPPERS")


def test_an_encryption_key_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path, FERNET_KEYS=STRONG).startswith("FERNET_KEYS holds a key that is not 32 bytes")


@pytest.mark.parametrize(("name", "value"), [("PORT", "80a"), ("REGISTRATION_OPEN", "maybe")])
def test_a_malformed_value_is_refused_by_name(name: str, value: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, **{name: value}).startswith(f"{name} is '{value}'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTBOUND_ALLOW", "10.0.0.0/8,everything"),
        ("OUTBOUND_ALLOW", "10.0.0.1/8"),
        ("DNS_RESOLVERS", "192.0.2.53, dns.example.com"),
        ("DNS_RESOLVERS", "192.0.2.53:5353"),
        ("PROVIDER_URLS", "everything"),
        ("PROVIDER_URLS", "server:hetzner"),
        ("PROVIDER_URLS", "server:hetzner=hetzner.example.com"),
        ("PROVIDER_URLS", "server:hetzner=https://"),
        ("PROVIDER_URLS", "server:hetzner=https://somebody:password@hetzner.example.com"),
        ("PROVIDER_URLS", "server:hetzner=https://hetzner.example.com?key=1"),
    ],
)
def test_an_item_that_is_malformed_is_refused_by_the_name_of_its_list(name: str, value: str, tmp_path: Path) -> None:
    item = value.rpartition(",")[2].partition("=")[0].strip()
    message = refusal(tmp_path, **{name: value})
    assert message.startswith(f"{name} holds '{item}': write")
    assert "somebody" not in message


def test_addresses_of_providers_are_read_by_provider(tmp_path: Path) -> None:
    given = "server:hetzner=http://127.0.0.1:1234/, git:github=https://github.example.com/api/v3"
    assert json.loads(setting(tmp_path, "__import__('json').dumps(settings.PROVIDER_URLS)", PROVIDER_URLS=given)) == {
        "server:hetzner": "http://127.0.0.1:1234",
        "git:github": "https://github.example.com/api/v3",
    }


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"{STRONG}\n")
    given = PRODUCTION | {"SECRET_KEY_FILE": str(file)}
    del given["SECRET_KEY"]
    assert setting(tmp_path, "settings.SECRET_KEY", **given) == STRONG


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, DATABASE_URL_FILE="/nowhere/url") == (
        "DATABASE_URL_FILE points at /nowhere/url, which cannot be read: No such file or directory."
    )


def test_the_embedded_default_makes_its_keys_once_readable_by_the_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "var"
    values = "settings.SECRET_KEY, settings.FERNET_KEYS, settings.TOKEN_PEPPERS"
    # All processes of an install start at the same time.
    first = [start(data, f"from deploynix import settings; print({values})") for _ in range(4)]
    printed = {process.communicate()[0] for process in first}
    assert printed == {setting(data, values) + "\n"}
    assert oct((data / "keys").stat().st_mode)[-3:] == "700"
    files = sorted((data / "keys").iterdir())
    assert [file.name for file in files] == ["fernet_keys", "secret_key", "token_peppers"]
    assert {oct(file.stat().st_mode)[-3:] for file in files} == {"600"}


def test_production_keeps_cookies_and_the_connection_on_https(tmp_path: Path) -> None:
    names = ["SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS >= 31536000"]
    expression = " and ".join(f"settings.{name}" for name in names)
    assert setting(tmp_path, expression, **PRODUCTION) == "True"
    assert setting(tmp_path, "settings.ALLOWED_HOSTS", **PRODUCTION) == "['panel.test']"


@pytest.mark.parametrize(
    ("url", "engine"),
    [
        ("", "django.db.backends.sqlite3"),
        ("postgres://user:word@db.test/deploynix", "django.db.backends.postgresql"),
    ],
)
def test_the_database_is_chosen_by_its_url(url: str, engine: str, tmp_path: Path) -> None:
    given = {"DATABASE_URL": url} if url else {}
    assert setting(tmp_path, "settings.DATABASES['default']['ENGINE']", **given) == engine


def test_pages_forbid_inline_scripts_and_styles(client: Client) -> None:
    policy = client.get("/no-such-page")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_log_lines_are_json_and_carry_the_ids_of_request_and_job(tmp_path: Path) -> None:
    code = """
import django, logging
django.setup()
from django.test import Client
from deploynix.logs import job_id
Client().get("/no-such-page", headers={"X-Request-ID": "from-the-proxy-1"})
job_id.set("01JOB")
logging.getLogger("jobs").warning("hello")
"""
    process = start(tmp_path, code, ALLOWED_HOSTS="testserver", DJANGO_SETTINGS_MODULE="tests.settings")
    lines = [json.loads(line) for line in process.communicate()[1].splitlines()]
    missing, hello = lines
    assert (missing["status_code"], missing["request_id"]) == (404, "from-the-proxy-1")
    assert (hello["message"], hello["level"], hello["job_id"]) == ("hello", "WARNING", "01JOB")
    assert datetime.fromisoformat(hello["time"]).utcoffset() == timedelta(0)


def test_every_variable_is_documented_and_no_other() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "deploynix").rglob("*.py"))
    read = set(re.findall(r'env\.[a-z]+\(\s*"([A-Z_]+)"', sources))
    page = (ROOT / "docs" / "running-in-production.md").read_text()
    assert set(re.findall(r"^\| `([A-Z_]+)`", page, re.MULTILINE)) == read
