from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.ids import first_id_at

START = datetime(2026, 3, 1, tzinfo=UTC)
Tell = Callable[..., list[AuditEvent]]


def events(by: Actor, number: int, **fields: Any) -> Iterable[AuditEvent]:
    """`number` events an hour apart, from 1 March 2026 on."""
    defaults = {"event": "server.created", "actor": str(by), "user": by.user, "ip": "192.0.2.1"}
    for hour in range(number):
        moment = START + timedelta(hours=hour)
        values = defaults | {"created_at": moment, "target": f"web-{hour}", "target_type": "server"} | fields
        identifier = f"{first_id_at(moment)[:18]}{next(_serial):08d}"
        yield AuditEvent(id=identifier, organization=by.organization, **values)


_serial = count()


@pytest.fixture
def tell() -> Tell:
    def write(by: Actor, number: int = 1, **fields: Any) -> list[AuditEvent]:
        return AuditEvent.objects.bulk_create(events(by, number, **fields))

    return write
