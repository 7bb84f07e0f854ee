"""Makes rows for tests, by the shortest way that leaves them as the product would."""

from typing import Any

from django.test import Client

from accounts.models import User
from deploynix.actor import Actor
from deploynix.ids import new_id
from organizations.models import Membership, Organization
from servers.models import Server
from servers.models import Status as ServerStatus

PASSWORD = "correct horse battery"
ADDRESS = "127.0.0.1"


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
        "ip_address": "203.0.113.10",
        "status": ServerStatus.ACTIVE,
        "private_key": "made up for tests",
        "public_key": "ssh-ed25519 AAAA deploynix",
    }
    return Server.objects.create(organization=organization, **defaults | fields)
