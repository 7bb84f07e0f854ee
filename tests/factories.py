"""Makes rows for tests, by the shortest way that leaves them as the product would."""

from ipaddress import ip_network
from itertools import cycle
from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from deploynix.actor import Actor
from deploynix.ids import new_id
from organizations.models import Membership, Organization
from servers.models import Server
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
