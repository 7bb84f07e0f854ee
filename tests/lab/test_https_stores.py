"""A store that speaks HTTPS, under the certificate of an authority of one's own that no server of ours knows."""

import pytest
from pytest_django import Settings

from backups import store as stores
from backups.actions import make_backup
from backups.models import Backup, Status
from deploynix.actor import Actor
from sites.models import Site
from tests.lab.authorities import identity
from tests.lab.provisioned import ProvisionedHost
from tests.lab.restores import restored
from tests.lab.seaweedfs import SeaweedFs
from tests.lab.stores import credential, unfinished_uploads
from tests.lab.test_backups import assert_complete, log_of, run, run_aborts
from tests.lab.test_restores_of_sites import a_site, as_user, content
from tools.targethost import Lab

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
# More than one part.
FILL = 'cd "$1" && head -c 30M /dev/urandom >random && echo "a photo" >photo'


@pytest.fixture
def site(provisioned_host: ProvisionedHost) -> Site:
    site = a_site(provisioned_host, "shop")
    as_user(provisioned_host.host, site, FILL)
    return site


@pytest.fixture
def backup(owner: Actor, site: Site, store: SeaweedFs) -> Backup:
    return make_backup(owner, site=site, credential=credential(owner.organization, store.secure_url))


def test_a_backup_goes_there_and_comes_back(
    owner: Actor,
    provisioned_host: ProvisionedHost,
    lab: Lab,
    site: Site,
    store: SeaweedFs,
    backup: Backup,
    settings: Settings,
) -> None:
    settings.OUTBOUND_CA_BUNDLE = str(identity(lab.gateway) / "server.pem")
    host = provisioned_host.host
    before = content(host, site)
    assert_complete(run(backup), store.url)
    assert backup.parts.count() > 1
    assert "BEGIN CERTIFICATE" not in log_of(backup)
    as_user(host, site, 'cd "$1" && rm random && echo other >photo')
    restored(owner, backup)
    assert content(host, site) == before


def test_by_way_of_the_worker_too(
    owner: Actor, provisioned_host: ProvisionedHost, lab: Lab, store: SeaweedFs, backup: Backup, settings: Settings
) -> None:
    settings.OUTBOUND_CA_BUNDLE = str(identity(lab.gateway) / "server.pem")
    port = store.secure_url.rpartition(":")[2]
    provisioned_host.host.run("nft", "add", "table", "inet", "wall")
    provisioned_host.host.run("nft", "add chain inet wall out { type filter hook output priority 0; }")
    provisioned_host.host.run("nft", "add", "rule", "inet", "wall", "out", "tcp", "dport", port, "reject")
    assert_complete(run(backup), store.url)
    assert "by way of Deploynix" in log_of(backup)


def test_a_certificate_that_nobody_believes_is_said_at_once(backup: Backup) -> None:
    run(backup)
    assert backup.status == Status.FAILED
    assert "certificate" in backup.error
    assert "OUTBOUND_CA_BUNDLE" in backup.hint


def test_a_certificate_that_the_server_does_not_believe_is_said_by_it(
    lab: Lab, store: SeaweedFs, backup: Backup, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_CA_BUNDLE = str(identity(lab.gateway) / "server.pem")
    address = stores.address_of
    monkeypatch.setattr(stores, "address_of", lambda *given: {**address(*given), "authorities": ""})
    run(backup)
    assert (backup.status, backup.stage) == (Status.FAILED, "upload")
    assert "The server does not believe the certificate of the store" in backup.error
    assert "ca-certificates" in backup.hint
    run_aborts()
    assert unfinished_uploads(store.url) == []
