"""What a server gets of certificates: files that show no secret, and vhosts that send nobody into the void."""

import pytest
from django.utils import timezone

from certificates.actions import upload_certificate
from certificates.configuration import FOLDER, certificates_of, managed_files
from certificates.models import Certificate, Status
from deploynix.actor import Actor
from deploynix.redact import secrets_of
from servers.managed import ManagedDirectory, ManagedFile, collect
from servers.models import Server
from sites.configuration import render_vhost
from sites.models import Site
from sites.models import Status as SiteStatus
from sites.tls import covers
from tests import factories
from tests.certificates.authority import Authority

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(owner: Actor) -> Server:
    return factories.server(owner.organization, provisioned_at=timezone.now())


@pytest.fixture
def site(server: Server) -> Site:
    aliases = ["www.shop.example", "other.example"]
    return factories.site(
        server, domain="shop.example", username="s-shop", aliases=aliases, installed_at=timezone.now()
    )


def installed(owner: Actor, site: Site, authority: Authority, *names: str, is_served: bool = True) -> Certificate:
    """An uploaded certificate, as its job leaves it."""
    chain, key = authority.issue(*names)
    certificate = upload_certificate(owner, site=site, chain=chain, private_key=key)
    certificate.current = certificate.issuances.latest("id")
    certificate.status = Status.ACTIVE
    certificate.served_at = timezone.now() if is_served else None
    certificate.save()
    return certificate


def vhost(site: Site) -> str:
    return render_vhost(site, certificates_of(site.server).get(site.pk, [])).decode()


def blocks(text: str) -> list[tuple[set[str], str]]:
    """The names of each server, and its lines."""
    found = []
    for block in text.split("\nserver {")[1:]:
        line = next(line for line in block.splitlines() if "server_name" in line)
        found.append((set(line.strip().removeprefix("server_name ").rstrip(";").split()), block))
    return found


def test_nothing_is_managed_without_a_certificate(site: Site) -> None:
    assert list(managed_files(site.server)) == []
    assert "443" not in vhost(site)
    assert not any("no-site" in item.path for item in collect(site.server))


def test_the_files_of_a_certificate(owner: Actor, site: Site, authority: Authority) -> None:
    current = installed(owner, site, authority, "shop.example").current
    assert current
    folder, *files = managed_files(site.server)
    assert isinstance(folder, ManagedDirectory)
    assert (folder.path, folder.mode) == (FOLDER, 0o700)
    contents = {}
    for file in files:
        assert isinstance(file, ManagedFile)
        assert (file.mode, file.owner, file.secret) == (0o600, "root", True)
        assert (file.validate, file.reload) == ("nginx", "nginx")
        assert current.private_key.splitlines()[1] not in repr(file)
        contents[file.path] = file.content.decode()
    base = f"{FOLDER}/s-shop-{current.pk}"
    assert contents == {f"{base}.pem": current.chain, f"{base}.key": current.private_key}
    assert f"ssl_certificate {base}.pem;" in vhost(site)
    assert f"ssl_certificate_key {base}.key;" in vhost(site)
    paths = [item.path for item in collect(site.server)]
    assert "/etc/nginx/conf.d/deploynix-no-site.conf" in paths
    # On the disk before what refers to it, also where a server is lost in between.
    assert paths.index(f"{base}.key") < paths.index("/etc/nginx/sites-enabled/s-shop.conf")


def test_private_keys_are_redacted(owner: Actor, outsider: Actor, site: Site, authority: Authority) -> None:
    current = installed(owner, site, authority, "shop.example").current
    assert current
    assert current.private_key in secrets_of(owner.organization.pk)
    assert current.private_key not in secrets_of(outsider.organization.pk)


@pytest.mark.parametrize("change", [{"status": Status.REVOKED}, {"current": None}])
def test_what_is_no_longer_installed_is_managed_no_more(
    owner: Actor, site: Site, authority: Authority, change: dict[str, object]
) -> None:
    certificate = installed(owner, site, authority, "shop.example")
    Certificate.objects.filter(pk=certificate.pk).update(**change)
    assert list(managed_files(site.server)) == []
    assert "443" not in vhost(site)
    assert site.url == "http://shop.example"


def test_a_site_that_goes_takes_its_certificate_along(owner: Actor, site: Site, authority: Authority) -> None:
    installed(owner, site, authority, "shop.example")
    Site.objects.update(status=SiteStatus.DELETING)
    assert list(managed_files(site.server)) == []


def test_a_wildcard_among_the_names_of_a_site(owner: Actor, site: Site, authority: Authority) -> None:
    site.aliases = ["*.shop.example"]
    site.save()
    installed(owner, site, authority, "shop.example", "*.shop.example")
    sent, secure, following = blocks(vhost(site))
    assert sent[0] == secure[0] == following[0] == {"shop.example", "*.shop.example"}


def test_names_are_sent_to_https_where_the_certificate_holds_them(
    owner: Actor, site: Site, authority: Authority
) -> None:
    installed(owner, site, authority, "shop.example", "*.shop.example")
    plain, sent, secure, following = blocks(vhost(site))
    assert plain[0] == {"other.example"}
    assert "return 301" not in plain[1]
    assert sent[0] == secure[0] == {"shop.example", "www.shop.example"}
    assert "return 301 https://$host$request_uri;" in sent[1]
    assert "listen [::]:443 ssl http2;" in secure[1]
    assert following[0] == plain[0] | sent[0]
    for _, block in (plain, sent, secure):
        assert "location ^~ /.well-known/acme-challenge/ {" in block
    assert site.url == "https://shop.example"


@pytest.mark.parametrize(("is_served", "is_forced"), [(False, True), (True, False)])
def test_nobody_is_sent_anywhere_before_it_is_served_or_against_the_site_s_wish(
    owner: Actor, site: Site, authority: Authority, is_served: bool, is_forced: bool
) -> None:
    installed(owner, site, authority, "shop.example", is_served=is_served)
    site.is_https_forced = is_forced
    text = vhost(site)
    assert "return 301" not in text
    assert [names for names, _ in blocks(text)][:2] == [
        {"shop.example", "www.shop.example", "other.example"},
        {"shop.example"},
    ]
    assert site.url == ("https://shop.example" if is_served else "http://shop.example")


def test_a_suspended_site_says_so_everywhere(owner: Actor, site: Site, authority: Authority) -> None:
    installed(owner, site, authority, "shop.example", is_served=False)
    site.status = SiteStatus.SUSPENDED
    plain, secure, _ = blocks(vhost(site))
    for _, block in (plain, secure):
        assert "return 503" in block
        assert "location ^~ /.well-known/acme-challenge/ {" in block
        assert "/current" not in block


def test_the_newest_of_several_serves_a_name(owner: Actor, site: Site, authority: Authority) -> None:
    first = installed(owner, site, authority, "shop.example", "www.shop.example")
    second = installed(owner, site, authority, "shop.example", "other.example")
    served = {
        text.split("ssl_certificate ")[1].split(";")[0]: names for names, text in blocks(vhost(site)) if "443" in text
    }
    assert served == {
        f"{FOLDER}/s-shop-{first.current_id}.pem": {"www.shop.example"},
        f"{FOLDER}/s-shop-{second.current_id}.pem": {"shop.example", "other.example"},
    }


@pytest.mark.parametrize(
    ("names", "name", "expected"),
    [
        (["shop.example"], "shop.example", True),
        (["shop.example"], "www.shop.example", False),
        (["*.shop.example"], "www.shop.example", True),
        (["*.shop.example"], "shop.example", False),
        (["*.shop.example"], "a.b.shop.example", False),
        (["*.example"], "shop.example", True),
        ([], "shop.example", False),
    ],
)
def test_a_wildcard_stands_for_one_label(names: list[str], name: str, expected: bool) -> None:
    assert covers(names, name) == expected
