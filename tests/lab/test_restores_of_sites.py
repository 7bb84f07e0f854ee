"""Restoring the shared files of a site, on a real server and store."""

import io
import tarfile
from hashlib import sha256
from typing import NamedTuple

import pytest
import zstandard
from django.utils import timezone

from backups.actions import restore_backup
from backups.models import Backup, Status
from deploynix.actor import Actor
from sites.models import Site
from tests import factories
from tests.lab.provisioned import ProvisionedHost
from tests.lab.restores import backed_up, failed, restored
from tests.lab.seaweedfs import BUCKET, SeaweedFs
from tests.lab.stores import client_of
from tools.targethost import Host

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.django_db(transaction=True)]
FILL = """
set -e
cd "$1"
mkdir -p 'uploads/größe "odd" %s'
printf 'a\\0b\\n' >'uploads/größe "odd" %s/file
with a line break'
echo run >uploads/program && chmod 750 uploads/program
echo mine >uploads/private && chmod 600 uploads/private
mkdir -m 700 uploads/closed && echo x >uploads/closed/x
chmod 1775 uploads/closed
ln uploads/program uploads/hard
ln -s ../uploads/program uploads/soft
ln -s /etc/hostname uploads/outside
mkfifo uploads/pipe
truncate -s 20M uploads/sparse && echo end >>uploads/sparse
touch -d '2001-02-03 04:05:06.789' uploads/program
setfacl -m u:www-data:r uploads/private
for i in $(seq 500); do echo $i >uploads/$i; done
"""
# Everything about each file but the number of its inode.
LIST = (
    "cd \"$1\" && find . -printf '%p %y %l %m %u %g %s %TY-%Tm-%TdT%TT %n\\n' | LC_ALL=C sort && getfacl -R . 2>&1"
    " && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum"
)


class World(NamedTuple):
    owner: Actor
    host: Host
    site: Site
    backup: Backup
    store: SeaweedFs

    def now(self, site: Site | None = None) -> str:
        return content(self.host, site or self.site)

    def left(self) -> str:
        return self.host.run("ls", "-A", f"{self.site.folder}/shared").stdout


def content(host: Host, site: Site) -> str:
    return host.run("sh", "-c", LIST, "sh", f"{site.folder}/shared/folders").stdout


def a_site(provisioned: ProvisionedHost, username: str) -> Site:
    """With its user and folders, as the first deployment makes them."""
    server, host = provisioned
    site = factories.site(server, username=username, installed_at=timezone.now())
    shared = f"{site.folder}/shared"
    host.run("useradd", "--system", "--user-group", "--home-dir", site.folder, username)
    host.run("install", "-d", "-m", "711", site.folder, shared)
    host.run("install", "-d", "-m", "2750", "-o", username, "-g", "www-data", f"{shared}/folders")
    return site


def as_user(host: Host, site: Site, script: str) -> None:
    host.run("runuser", "-u", site.username, "--", "bash", "-c", script, "bash", f"{site.folder}/shared/folders")


@pytest.fixture
def world(owner: Actor, provisioned_host: ProvisionedHost, store: SeaweedFs) -> World:
    site, host = a_site(provisioned_host, "shop"), provisioned_host.host
    as_user(host, site, FILL)
    return World(owner, host, site, backed_up(owner, store, site=site), store)


def damage(world: World) -> None:
    as_user(world.host, world.site, 'cd "$1" && rm -rf uploads/[1-4]* && echo other >uploads/program && echo new >more')


def test_everything_is_as_it_was(world: World) -> None:
    before = world.now()
    damage(world)
    restored(world.owner, world.backup)
    assert world.now() == before
    assert world.left() == "folders\n"
    world.backup.refresh_from_db()
    assert world.backup.status == Status.RESTORED


def test_into_another_site_its_user_owns_them(world: World, provisioned_host: ProvisionedHost) -> None:
    before, other = world.now(), a_site(provisioned_host, "other")
    restored(world.owner, world.backup, site=other)
    assert world.now(other) == before.replace(" shop ", " other ").replace("owner: shop", "owner: other")
    assert world.now() == before


def replace(world: World, *members: tarfile.TarInfo) -> None:
    """The backup, with other members, and sums that are right."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for member in members:
            member.size = 2 if member.isreg() else 0
            file.addfile(member, io.BytesIO(b"x\n") if member.isreg() else None)
    data = zstandard.compress(buffer.getvalue())
    client_of(world.store.url).put_object(Bucket=BUCKET, Key=world.backup.key, Body=data)
    world.backup.parts.update(size=len(data), sha256=sha256(data).hexdigest())


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ((tarfile.TarInfo("a"), tarfile.TarInfo("/tmp/evil")), "'/tmp/evil' leads out of the folder"),
        ((tarfile.TarInfo("a"), tarfile.TarInfo("b/../../evil")), "leads out of the folder"),
        ((link("a", "/tmp"), tarfile.TarInfo("a/evil")), "tar ended with exit code 2"),
        ((link("a", "/etc/shadow", tarfile.LNKTYPE),), "outside of the folder"),
        ((link("a", "", tarfile.CHRTYPE),), "is a device"),
    ],
)
def test_what_leads_out_of_the_folder_is_refused(
    world: World, members: tuple[tarfile.TarInfo, ...], cause: str
) -> None:
    before = world.now()
    replace(world, *members)
    restore = failed(restore_backup(world.owner, backup=world.backup))
    assert restore.stage == "load"
    assert cause in restore.error
    assert (world.now(), world.left()) == (before, "folders\n")
    assert world.host.run("test", "-e", "/tmp/evil", check=False).returncode == 1


def test_a_folder_that_cannot_be_swapped_stays(world: World) -> None:
    damage(world)
    before, folder = world.now(), f"{world.site.folder}/shared/folders"
    # A folder on which something is mounted cannot change places.
    world.host.run("mount", "--bind", folder, folder)
    restore = failed(restore_backup(world.owner, backup=world.backup))
    assert (restore.stage, "cannot change places" in restore.error) == ("swap", True)
    assert (world.now(), world.left()) == (before, "folders\n")
    world.host.run("umount", folder)
    restored(world.owner, world.backup)
    assert world.now() != before
