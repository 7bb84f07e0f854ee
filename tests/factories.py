"""Makes rows for tests, by the shortest way that leaves them as the product would."""

from datetime import timedelta
from ipaddress import ip_network
from itertools import cycle
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from backups.models import Backup, Type
from backups.models import Status as BackupStatus
from certificates.models import Account, Certificate, Challenge, Issuance, IssuanceStatus
from certificates.models import Status as CertificateStatus
from deploynix.actor import Actor
from deploynix.ids import new_id
from organizations.models import Membership, Organization
from providers.base import Kind
from providers.models import Credential
from servers.models import Database, DatabaseStatus, Server
from servers.models import Status as ServerStatus
from servers.ssh import fingerprint
from sites.models import Site
from sites.models import Status as SiteStatus

PASSWORD = "correct horse battery"
ADDRESS = "127.0.0.1"
# No two servers of an organization share one; RFC 2544 keeps these for tests.
_addresses = cycle(ip_network("198.18.0.0/15").hosts())


def organization(name: str = "Acme", plan: str = "enterprise") -> Organization:
    return Organization.objects.create(name=name, plan=plan)


def user(email: str = "") -> User:
    return User.objects.create_user(email or f"{new_id().lower()}@acme.test", PASSWORD, name="Someone")


def membership(organization: Organization, role: str, email: str = "") -> Membership:
    return Membership.objects.create(organization=organization, user=user(email), role=role)


def actor(organization: Organization, role: str, email: str = "") -> Actor:
    return membership(organization, role, email).as_actor(ip=ADDRESS)


def signed_in(actor: Actor) -> Client:
    client = Client()
    assert actor.user is not None
    client.force_login(actor.user)
    return client


def server(organization: Organization, **fields: Any) -> Server:
    defaults: dict[str, Any] = {
        "name": f"web-{new_id()[-6:].lower()}",
        "ip_address": str(next(_addresses)),
        "status": ServerStatus.ACTIVE,
        "private_key": "made up for tests",
        "public_key": "ssh-ed25519 AAAA deploynix",
    }
    return Server.objects.create(organization=organization, **defaults | fields)


def provisioned_server(organization: Organization, *, host_key: str, **fields: Any) -> Server:
    """A server that was provisioned, and shows this host key."""
    return server(
        organization,
        host_key=host_key,
        host_key_fingerprint=fingerprint(host_key),
        provisioned_at=timezone.now(),
        **fields,
    )


def site(server: Server, **fields: Any) -> Site:
    name = f"s{new_id()[-8:].lower()}"
    defaults: dict[str, Any] = {
        "domain": f"{name}.example",
        "username": name,
        "repository_url": "https://git.example/shop.git",
        "status": SiteStatus.ACTIVE,
        "deploy_private_key": "made up for tests",
        "deploy_public_key": "ssh-ed25519 AAAA deploynix",
    }
    return Site.objects.create(organization=server.organization, server=server, **defaults | fields)


def database(server: Server, **fields: Any) -> Database:
    defaults: dict[str, Any] = {"name": f"d{new_id()[-8:].lower()}", "status": DatabaseStatus.ACTIVE}
    return Database.objects.create(server=server, **defaults | fields)


def storage(organization: Organization, **fields: Any) -> Credential:
    """The credential of a store that nobody asks anything."""
    defaults: dict[str, Any] = {"kind": Kind.STORAGE, "provider": "custom", "name": f"Store {new_id()}"}
    address = {"region": "us-east-1", "endpoint": "https://s3.example", "path_style": "yes"}
    defaults["settings"] = {"access_key_id": "AKIAIOSFODNN7EXAMPLE", "bucket": "acme-backups", **address}
    credential = Credential(organization=organization, **defaults | fields)
    credential.seal({"secret_access_key": "0" * 40})
    credential.save()
    return credential


def backup(credential: Credential, *, database: Database | None = None, **fields: Any) -> Backup:
    """One that was stored, and read back; of a database, or of the site among the fields."""
    pk, site = new_id(), fields.get("site")
    target = database or site
    assert target is not None
    defaults: dict[str, Any] = {
        "id": pk,
        "type": Type.DATABASE if database else Type.APPLICATION,
        "server": target.server,
        "server_name": target.server.name,
        "name": str(target),
        "engine": target.server.database_type if database else "",
        "bucket": "acme-backups",
        "key": f"{target.server.name}/{target}/{pk}.zst",
        "status": BackupStatus.COMPLETED,
        "size": 1000,
        "raw_size": 5000,
        "sha256": "0" * 64,
        "started_at": timezone.now(),
        "finished_at": timezone.now(),
        "verified_at": timezone.now(),
    }
    return Backup.objects.create(
        organization=credential.organization, credential=credential, database=database, **defaults | fields
    )


def certificate(site: Site, *, days: int = 60, **fields: Any) -> Certificate:
    """One that is served, of a CA that nobody asks anything; it ends in so many days, and is renewed half-way."""
    now = timezone.now()
    contact = {"organization": site.organization, "directory_url": "https://ca.example/directory"}
    account, _ = Account.objects.get_or_create(**contact, defaults={"private_key": "made up"})
    defaults: dict[str, Any] = {
        "names": [site.domain],
        "challenge": Challenge.HTTP,
        "account": account,
        "status": CertificateStatus.ACTIVE,
        "renew_at": now + timedelta(days=days // 2),
        "served_at": now,
    }
    place = {"organization": site.organization, "server": site.server, "site": site}
    made = Certificate.objects.create(**place, **defaults | fields)
    made.current = Issuance.objects.create(
        certificate=made,
        account=made.account,
        status=IssuanceStatus.ISSUED,
        names=made.names,
        private_key="made up for tests",
        chain="-----BEGIN CERTIFICATE-----\nmade up for tests\n-----END CERTIFICATE-----\n",
        issuer="Example CA",
        serial="05a1c9",
        fingerprint="0" * 64,
        not_before=now - timedelta(days=30),
        not_after=now + timedelta(days=days),
        issued_at=now,
    )
    made.save()
    return made
