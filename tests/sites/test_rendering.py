"""What is written for nginx, PHP-FPM and dotenv."""

import subprocess

import pytest

from deploynix.actor import Actor
from deploynix.dotenv import parse_dotenv, render_dotenv
from deploynix.errors import Error
from servers.managed import ManagedFile
from sites.actions.environment import create_environment_variable
from sites.configuration import managed_files, render_vhost
from sites.models import Site, Status, Type
from sites.remote import commands_of

pytestmark = pytest.mark.django_db


def paths_of(site: Site) -> set[str]:
    return {item.path for item in managed_files(site.server)}


def test_nothing_is_managed_before_a_site_is_installed(site: Site) -> None:
    assert paths_of(site) == set()


def test_the_files_of_a_site(owner: Actor, live: Site) -> None:
    vhost = f"/etc/nginx/sites-enabled/{live.username}.conf"
    pool = f"/etc/php/8.2/fpm/pool.d/{live.username}.conf"
    dotenv = f"/srv/{live.username}/shared/.env"
    assert vhost in paths_of(live)
    assert not {pool, dotenv} & paths_of(live)
    Site.objects.update(type=Type.PHP, php_version="8.2")
    create_environment_variable(owner, site=live, name="KEY", value="top secret")
    assert {vhost, pool, dotenv} < paths_of(live)
    found = next(item for item in managed_files(live.server) if item.path == dotenv)
    assert isinstance(found, ManagedFile)
    assert (found.secret, found.mode, found.owner, found.content) == (True, 0o600, live.username, b"KEY='top secret'\n")
    Site.objects.update(status=Status.DELETING)
    assert paths_of(live) == set()


def test_a_vhost_serves_the_current_release_and_a_suspended_one_does_not(live: Site) -> None:
    live.web_root, live.aliases = "public", ["www.example.com"]
    text = render_vhost(live, []).decode()
    assert "server_name shop.example.com www.example.com;" in text
    assert f"root /srv/{live.username}/current/public;" in text
    live.status = Status.SUSPENDED
    text = render_vhost(live, []).decode()
    assert "/current" not in text
    assert "return 503" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("domain", "a.example; return 200"),
        ("domain", "a.example\nb"),
        ("aliases", ["a.example}"]),
        ("aliases", ['a"b.example']),
        ("web_root", "public; alias /etc"),
        ("web_root", "$host"),
        ("username", "evil;"),
    ],
)
def test_what_got_past_validation_is_not_written_into_a_configuration(live: Site, field: str, value: object) -> None:
    setattr(live, field, value)
    with pytest.raises(Error, match="cannot stand in a configuration file"):
        render_vhost(live, [])


VALUES = {
    "PLAIN": "abc-123",
    "EMPTY": "",
    "SPACES": " two  words ",
    "HASH": "a #b",
    "QUOTES": 'it\'s "quoted"',
    "DOLLAR": "$HOME ${PATH} \\$",
    "LINES": "-----BEGIN-----\nabc\\n\r\n-----END-----\n",
    "EQUALS": "a=b=c",
    "UNICODE": "grüße 🚀",
}


def test_dotenv_reads_back_what_it_wrote() -> None:
    assert parse_dotenv(render_dotenv(VALUES)) == VALUES


def test_a_dotenv_cannot_be_made_to_hold_another_variable() -> None:
    written = render_dotenv({"A": "x\nADMIN=1", "B": "'\nADMIN=2", "C": '"\nADMIN=3'})
    assert set(parse_dotenv(written)) == {"A", "B", "C"}
    assert len(written.splitlines()) == 3


def test_a_shell_reads_the_same_values() -> None:
    simple = {name: VALUES[name] for name in ("PLAIN", "EMPTY", "SPACES", "HASH", "DOLLAR", "EQUALS", "UNICODE")}
    words = " ".join(f'"${name}"' for name in simple)
    script = f"set -a; . /dev/stdin; printf '%s\\0' {words}"
    done = subprocess.run(["bash", "-c", script], input=render_dotenv(simple).encode(), capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == list(simple.values())


def test_dotenv_files_that_people_write_are_understood() -> None:
    text = "# comment\nexport A=1\nB = 'two words' # why\nC=\"x\\ny\" \n\nD=plain # note\nE=a#b\r\nbroken line\nF=\n"
    assert parse_dotenv(text) == {"A": "1", "B": "two words", "C": "x\ny", "D": "plain", "E": "a#b", "F": ""}


def test_build_commands_are_lines() -> None:
    text = "npm ci\n\n# build it\nnpm run build \\\n  -- --prod\n  php artisan migrate"
    assert commands_of(text) == ["npm ci", "npm run build   -- --prod", "php artisan migrate"]
