"""A certificate authority to measure on, and the name servers that it asks: Pebble and BIND of the lab suite."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab.authorities import Pebble
    from tests.lab.names import Names


@contextmanager
def authority() -> Iterator[tuple["Names", "Pebble"]]:
    """Both running, and open to this process and those that it starts. Needs root, for port 53. Raises Missing.

    Pebble looks at a proof at once, refuses no nonce, and believes no proof twice.
    """
    from django.conf import settings

    from tests.lab.authorities import Pebble
    from tests.lab.names import Names, unused_network

    with ExitStack() as stack:
        names = stack.enter_context(Names(unused_network(stack)))
        pebble = stack.enter_context(Pebble(f"{names.public.address}:53", WFE_NONCEREJECT="0"))
        names.opened(settings)  # type: ignore[arg-type]
        settings.OUTBOUND_CA_BUNDLE = str(pebble.bundle)
        os.environ |= {
            "OUTBOUND_ALLOW": ",".join(settings.OUTBOUND_ALLOW),
            "DNS_RESOLVERS": ",".join(settings.DNS_RESOLVERS),
            "OUTBOUND_CA_BUNDLE": settings.OUTBOUND_CA_BUNDLE,
        }
        yield names, pebble
