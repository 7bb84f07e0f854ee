"""Certificate authorities by name: where their directories are, and what they publish about limits.

Any other directory is given by its address.
"""

from dataclasses import dataclass, field
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limit:
    """So many within a span of time; nothing counts for ever."""

    most: int
    span: timedelta

    @property
    def kept(self) -> int:
        """How far we go: others may use the same limit, and clocks differ."""
        return self.most * 4 // 5


@dataclass(frozen=True, slots=True)
class Limits:
    """None where the CA names none. `orders` and `failures` (of one name) are an account's, `accounts` an address's;
    the others count for all accounts together."""

    orders: Limit | None = None
    domain: Limit | None = None
    same_names: Limit | None = None
    failures: Limit | None = None
    accounts: Limit | None = None


@dataclass(frozen=True, slots=True)
class Directory:
    """`staging` is the key of the directory at which a renewal is rehearsed; `needs_binding`: an external account."""

    key: str
    label: str
    url: str
    staging: str = ""
    needs_binding: bool = False
    limits: Limits = field(default_factory=Limits)


_HOURS, _WEEK = timedelta(hours=3), timedelta(days=7)

DIRECTORIES = {
    directory.key: directory
    for directory in (
        Directory(
            "letsencrypt",
            "Let's Encrypt",
            "https://acme-v02.api.letsencrypt.org/directory",
            staging="letsencrypt-staging",
            # https://letsencrypt.org/docs/rate-limits/
            limits=Limits(
                orders=Limit(300, _HOURS),
                domain=Limit(50, _WEEK),
                same_names=Limit(5, _WEEK),
                failures=Limit(5, timedelta(hours=1)),
                accounts=Limit(10, _HOURS),
            ),
        ),
        Directory(
            "letsencrypt-staging",
            "Let's Encrypt (staging)",
            "https://acme-staging-v02.api.letsencrypt.org/directory",
            # https://letsencrypt.org/docs/staging-environment/
            limits=Limits(
                orders=Limit(1500, _HOURS),
                domain=Limit(30_000, _WEEK),
                same_names=Limit(30_000, _WEEK),
                failures=Limit(200, timedelta(hours=1)),
                accounts=Limit(50, _HOURS),
            ),
        ),
        Directory("zerossl", "ZeroSSL", "https://acme.zerossl.com/v2/DV90", needs_binding=True),
        Directory("google", "Google Trust Services", "https://dv.acme-v02.api.pki.goog/directory", needs_binding=True),
        Directory("sslcom", "SSL.com", "https://acme.ssl.com/sslcom-dv-ecc", needs_binding=True),
        Directory("actalis", "Actalis", "https://acme-api.actalis.com/acme/directory", needs_binding=True),
    )
}
DEFAULT = "letsencrypt"


def url_of(directory: str) -> str:
    """The address of a directory that is given by its key or, already, by its address; as it is where it is neither."""
    known = DIRECTORIES.get(directory or DEFAULT)
    return known.url if known else directory


def directory_at(url: str) -> Directory | None:
    return next((one for one in DIRECTORIES.values() if one.url == url), None)


def limits_of(url: str) -> Limits:
    known = directory_at(url)
    return known.limits if known else Limits()


def staging_of(url: str) -> Directory | None:
    """Where a renewal at this directory is rehearsed."""
    known = directory_at(url)
    return DIRECTORIES.get(known.staging) if known else None
