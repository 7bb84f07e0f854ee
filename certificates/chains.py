"""What a CA has issued: which of its chains is taken, and whether it is what was asked for."""

from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID

from certificates.acme.errors import AcmeError
from certificates.acme.keys import ari_id
from certificates.pem import read_upload
from deploynix.errors import Invalid
from sites.tls import covers


def chosen(chains: Sequence[str], preferred: str) -> str:
    """The first one that leads to the root with this common name; the first of all where none does."""
    return next((chain for chain in chains if preferred and preferred in _issuers(chain)), chains[0])


def facts(chain: str, private_key: str, names: Sequence[str]) -> dict[str, Any]:
    """The fields of its Issuance. Raises AcmeError for a certificate of another key, or of other names."""
    try:
        found = read_upload(chain, private_key)
    except Invalid as error:
        text = next(iter(error.errors.values()))[0]
        raise AcmeError(f"What the authority issued is of no use: {text}", "Try again.", retryable=True) from error
    if missing := [name for name in names if name not in found.names and not covers(found.names, name)]:
        raise AcmeError(f"The authority left out {', '.join(missing)}.", "Try again.", retryable=True)
    return {**found.facts, "chain": found.chain, "ari_id": ari_id(leaf_of(chain))}


def leaf_of(chain: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(chain.encode())


def _issuers(chain: str) -> set[str]:
    """Common names of whoever signed the last one: the root is mostly left out, and sometimes not."""
    try:
        *_, last = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return set()
    return {str(each.value) for each in last.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)}
