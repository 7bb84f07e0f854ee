"""Provisioned servers to measure on: target hosts, started from the image that the lab suite makes."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING

from tools.targethost import Host, Lab

if TYPE_CHECKING:
    from organizations.models import Organization
    from servers.models import Server


class NoBlocker:
    """The lab suite unblocks its database; here nothing blocks it."""

    def unblock(self) -> nullcontext[None]:
        return nullcontext()


@contextmanager
def provisioned(organization: "Organization", count: int) -> Iterator[tuple[Lab, list["Server"]]]:
    """So many servers of the organization, on hosts that are gone afterwards. Raises LabError where none can run."""
    from servers.models import DatabaseType
    from tests.lab.conftest import unused_lab
    from tests.lab.provisioned import ProvisionedImage

    with ExitStack() as stack:
        lab = unused_lab(stack)
        lab.destroy()
        stack.callback(lab.destroy)
        lab.build()
        network = lab.gateway.rpartition(".")[0]
        image = ProvisionedImage(lab, DatabaseType.MARIADB)
        image.make(f"{network}.9", NoBlocker())  # type: ignore[arg-type]
        hosts: list[Host] = [image.start(f"{network}.{last}") for last in range(10, 10 + count)]
        yield lab, [image.row(organization, host) for host in hosts]
