"""What a whole dump looks like, of each kind. It is read as a stream, and nothing is unpacked."""

from collections.abc import Callable

from backups.structure.files import check as check_files
from backups.structure.mariadb import check as check_mariadb
from backups.structure.plain import Broken, Plain
from backups.structure.postgresql import check as check_postgresql

__all__ = ["Broken", "Plain", "check", "check_encrypted"]

CHECKS: dict[str, Callable[[Plain], None]] = {
    "mariadb": check_mariadb,
    "mysql": check_mariadb,
    "postgresql": check_postgresql,
    "files": check_files,
}
AGE = b"age-encryption.org/v1\n"
# A session key encrypted for a public key comes first. https://www.rfc-editor.org/rfc/rfc9580#section-4.2
OPENPGP_TAG = 1


def check(engine: str, plain: Plain) -> None:
    """Reads a dump to its end. Raises Broken."""
    CHECKS[engine](plain)
    plain.end()


def check_encrypted(encryption: str, head: bytes) -> None:
    """Whether it begins as what age, or OpenPGP, has encrypted. Raises Broken."""
    is_right = head.startswith(AGE) if encryption == "age" else _openpgp_tag(head) == OPENPGP_TAG
    if not is_right:
        raise Broken("it does not begin as what was encrypted does")


def _openpgp_tag(head: bytes) -> int | None:
    if not head or not head[0] & 0x80:
        return None
    return head[0] & 0x3F if head[0] & 0x40 else (head[0] & 0x3C) >> 2
