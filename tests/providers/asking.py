"""What the tests of credentials ask for."""

from typing import Any

from deploynix.actor import Actor
from providers import actions
from providers.models import Credential

TOKEN = "canary-4711-token"


def connect(actor: Actor, **given: Any) -> Credential:
    values = {"kind": "server", "provider": "nimbus", "name": "Main", "values": {"api_token": TOKEN}}
    return actions.create_credential(actor, **values | given)
