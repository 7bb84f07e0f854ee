"""Every page in the light, in the dark and on a phone: nothing too wide, nothing without a name."""

import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.browser.conftest import Open
from tests.browser.people import Person
from tests.browser.reports import report
from tests.browser.survey import LOOKS, problems_of
from tests.browser.test_api_keys import create_key
from tests.browser.test_tokens import create_token
from tests.browser.vendors import GITLAB
from tests.browser.window import Window
from tests.browser.work import (
    DeployedSite,
    ReadyServer,
    add_application,
    add_certificate,
    add_database,
    add_project,
    add_schedule,
    add_script,
    add_variable,
    back_up,
    connect_domain,
    connect_once,
    connect_provider,
    connect_store,
    prove,
)
from tests.lab.seaweedfs import SeaweedFs

# Names of pages in `urls.py`, and of the things whose ids stand in their addresses.
OUTSIDE: Mapping[str, Sequence[str]] = {
    "account_login": (),
    "account_reset_password": (),
    "account_reset_password_done": (),
    "account_reset_password_from_key_done": (),
}
EMPTY: Mapping[str, Sequence[str]] = {
    "dashboard": (),
    "server_list": (),
    "site_list": (),
    "backup_list": (),
    "schedule_list": (),
    "restore_list": (),
    "certificate_list": (),
    "project_list": (),
    "application_list": (),
    "script_list": (),
    "job_list": (),
    "activity_list": (),
    "error_list": (),
}
SETTINGS: Mapping[str, Sequence[str]] = {
    "access_token_create": (),
    "account_change_password": (),
    "api_key_create": (),
    "api_key_edit": ("key",),
    "api_key_rotate": ("key",),
    "application_create": (),
    "application_detail": ("application",),
    "application_settings": ("application",),
    "connection_create": ("application",),
    "connection_detail": ("application", "connection"),
    "credential_choose": ("section",),
    "credential_create": ("section", "provider"),
    "credential_detail": ("section", "credential"),
    "credential_edit": ("section", "credential"),
    "credential_secret": ("section", "credential"),
    "member_detail": ("member",),
    "member_invite": (),
    "mfa_index": (),
    "organization_create": (),
    "repository_connect": ("git_provider",),
    "settings_access_tokens": (),
    "settings_acme_accounts": (),
    "settings_api_keys": (),
    "settings_audit": (),
    "settings_backup_providers": (),
    "settings_billing": (),
    "settings_dns_providers": (),
    "settings_domain_connect": (),
    "settings_git_providers": (),
    "settings_members": (),
    "settings_organization": (),
    "settings_profile": (),
    "settings_provider_reference": (),
    "settings_server_providers": (),
    "settings_tokens": (),
    "token_create": (),
    "token_detail": ("token",),
    "token_simulator": ("token",),
    "token_use": ("token",),
    "token_revoke": ("token",),
}
WORK: Mapping[str, Sequence[str]] = {
    **EMPTY,
    "backup_create": (),
    "backup_detail": ("backup",),
    "backup_download": ("backup",),
    "backup_drill": ("backup",),
    "backup_restore": ("backup",),
    "certificate_create": (),
    "certificate_detail": ("certificate",),
    "database_create": ("server",),
    "database_detail": ("server", "database"),
    "error_detail": ("error",),
    "job_detail": ("job",),
    "project_add_sites": ("project",),
    "project_create": (),
    "project_detail": ("project",),
    "project_settings": ("project",),
    "restore_detail": ("restore",),
    "schedule_create": (),
    "schedule_detail": ("schedule",),
    "schedule_edit": ("schedule",),
    "script_create": (),
    "script_detail": ("script",),
    "script_edit": ("script",),
    "script_run": ("script",),
    "server_configuration": ("server",),
    "server_create": (),
    "server_databases": ("server",),
    "server_detail": ("server",),
    "server_jobs": ("server",),
    "server_logs": ("server",),
    "server_settings": ("server",),
    "site_certificate_issue": ("server", "site"),
    "site_certificate_upload": ("server", "site"),
    "site_certificates": ("server", "site"),
    "site_create": ("server",),
    "site_detail": ("server", "site"),
    "site_environment": ("server", "site"),
    "site_schedule": ("server", "site"),
    "site_settings": ("server", "site"),
    "site_variable": ("server", "site", "variable"),
}
# Seen where they are used: in the tests of signing in, of tokens, of zones, and of the main job.
ELSEWHERE = {
    "access_tokens_revoke",
    "account_reauthenticate",
    "account_reset_password_from_key",
    "account_signup",
    "api_docs",
    "api_key_handover",
    "api_keys_revoke",
    "invitation",
    "mfa_activate_totp",
    "mfa_authenticate",
    "mfa_deactivate_totp",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
    "mfa_view_recovery_codes",
    "tokens_revoke",
    *("zones", "zone_detail", "zone_record"),
}
NO_PAGES = {"account_inactive", "account_logout", "api_schema", "audit_export", "certificate_chain", "job_log_file"} | {
    *("connection_go", "connection_return", "connection_template"),
}
PARTS = {
    *("credential_policy", "dashboard_running", "job_log", "job_state", "repository_row", "schedule_times"),
    "site_certificate_proof",
}


def survey(window: Window, look: str, pages: Mapping[str, Sequence[str]], ids: Mapping[str, str] = {}) -> None:
    paths = {name: reverse(name, args=[ids[thing] for thing in things]) for name, things in pages.items()}
    found = problems_of(window, look, paths)
    assert not found, "\n".join(found)


def id_of(window: Window, page: str, pattern: str) -> str:
    """The id in the first link of a page whose address is like this."""
    window.open(page)
    for link in window.page.locator("main a[href]").all():
        if match := re.fullmatch(pattern, link.get_attribute("href") or ""):
            return match[1]
    raise AssertionError(f"{page} has no link like {pattern}")


@pytest.fixture
def own_ids(window: Window) -> dict[str, str]:
    create_token(window, "Surveyed")
    create_key(window, "Surveyed")
    application = add_application(window, "Surveyed")
    connection = connect_domain(window, application, "surveyed.example.test", "By hand", "203.0.113.10")
    return {
        "application": application.rpartition("/")[2],
        "connection": connection.rpartition("/")[2],
        "credential": connect_provider(window, "Surveyed"),
        "git_provider": connect_once(window, "git", "GitLab", "Surveyed", access_token=GITLAB),
        "section": "dns",
        "provider": "cloudflare",
        "key": id_of(window, "/settings/api-keys", r"/settings/tokens/(\w{26})"),
        "member": id_of(window, "/settings/members", r"/settings/members/(\w{26})"),
        "token": id_of(window, "/settings/tokens", r"/settings/tokens/(\w{26})"),
    }


@pytest.fixture
def work_ids(window: Window, server: ReadyServer, site: DeployedSite, store: SeaweedFs) -> dict[str, str]:
    add_variable(window, site.path, "SURVEYED", "a value")
    add_project(window, "Surveyed")
    add_script(window, "Surveyed")
    report(window)
    connect_store(window, store, "Surveyed")
    database = add_database(window, server.path, "surveyed")
    schedule = add_schedule(window, database)
    backup = back_up(window, schedule)
    return {
        "backup": backup.rpartition("/")[2],
        "restore": prove(window, backup).rpartition("/")[2],
        "certificate": add_certificate(window, site.path).rpartition("/")[2],
        "schedule": schedule.rpartition("/")[2],
        "database": database.rpartition("/")[2],
        "error": id_of(window, "/errors", r"/errors/(\w{26})"),
        "server": server.path.split("/")[2],
        "site": site.path.split("/")[4],
        "job": id_of(window, "/jobs", r"/jobs/(\w{26})"),
        "project": id_of(window, "/projects", r"/projects/(\w{26})"),
        "script": id_of(window, "/scripts", r"/scripts/(\w{26})"),
        "variable": id_of(window, f"{site.path}/environment", r".*/environment/(\w{26})"),
    }


@pytest.mark.parametrize("look", LOOKS)
def test_before_signing_in(open_window: Open, owner: Person, look: str) -> None:
    survey(open_window(**LOOKS[look]), look, OUTSIDE)


@pytest.mark.parametrize("look", LOOKS)
def test_a_new_organization(open_window: Open, newcomer: Person, look: str) -> None:
    window = open_window(newcomer, **LOOKS[look])
    empty = {f"empty/{name}": reverse(name) for name in EMPTY}
    found = problems_of(window, look, empty)
    with window.expecting(404):
        found += problems_of(window, look, {"not-found": "/servers/nothing"})
    assert not found, "\n".join(found)


@pytest.mark.parametrize("look", LOOKS)
def test_settings(open_window: Open, owner: Person, own_ids: dict[str, str], look: str) -> None:
    survey(open_window(owner, **LOOKS[look]), look, SETTINGS, own_ids)


@pytest.mark.parametrize("look", LOOKS)
def test_servers_sites_and_jobs(open_window: Open, owner: Person, work_ids: dict[str, str], look: str) -> None:
    survey(open_window(owner, **LOOKS[look]), look, WORK, work_ids)


def test_the_api_describes_itself(stranger: Window) -> None:
    stranger.open("/api/docs")
    stranger.page.get_by_role("heading", name="Deploynix API").wait_for()
    stranger.shot("api-docs")


def test_no_page_is_forgotten() -> None:
    seen = {*OUTSIDE, *SETTINGS, *WORK, *ELSEWHERE, *NO_PAGES, *PARTS}
    assert set(readable(get_resolver().url_patterns)) == seen


def readable(patterns: Sequence[URLPattern | URLResolver]) -> Iterator[str]:
    """The names of the pages that answer GET; the API has none."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from readable(pattern.url_patterns)
            continue
        view = getattr(pattern.callback, "view_class", None)
        if pattern.name and (view is None or (hasattr(view, "get") and "get" in view.http_method_names)):
            yield pattern.name
