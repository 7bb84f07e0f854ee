"""Questions that the actions ask before anything is written."""

import binascii
from base64 import b64decode
from collections.abc import Iterable, Sequence

from django.core.exceptions import ValidationError

from certificates.models import Certificate
from deploynix.errors import Conflict, Invalid
from deploynix.names import WILDCARD, ascii_domain, check_domain
from jobs.models import Job
from sites.checks import require_standing
from sites.models import Site
from sites.tls import covers

# As many as Let's Encrypt puts into one certificate.
MOST_NAMES = 100


def ready(site: Site) -> None:
    """Raises Conflict where nothing could be installed."""
    require_standing(site)
    if site.installed_at is None:
        raise Conflict(f"{site} is not on its server yet.", "Deploy it first.")


def idle(certificate: Certificate) -> None:
    if Job.objects.open().filter(lane=certificate.lane).exists():
        raise Conflict("A job is at work on this certificate.", "Wait until it has ended, or cancel it.")


def locked(certificate: Certificate) -> Certificate:
    rows = Certificate.objects.select_for_update(of=("self",)).select_related("site", "account", "current")
    return rows.get(pk=certificate.pk)


def names_of(site: Site, names: Iterable[str], domain: str) -> list[str]:
    """What is to be ordered: in small letters and ASCII, each once, without what a wildcard among them stands for, as
    authorities want it. Raises Invalid."""
    own = (site.domain, *site.aliases)
    wanted = list(dict.fromkeys(_plain(name) for name in names)) or list(own)
    domain = _plain(domain) if domain else ""
    for name in wanted:
        if not _may_have(name, own, domain):
            text = (
                f"{name} is no name of the site. Add it to the site first, or say which domain of yours it belongs to."
            )
            raise Invalid({"names": [text]})
    wildcards = [name for name in wanted if name.startswith(WILDCARD)]
    wanted = [name for name in wanted if name in wildcards or not covers(wildcards, name)]
    if not any(covers(wanted, name) for name in own):
        raise Invalid({"names": [f"None of them is a name that the site is reached under: {', '.join(own)}."]})
    if len(wanted) > MOST_NAMES:
        raise Invalid({"names": [f"A certificate may hold {MOST_NAMES} names."]})
    return wanted


def hmac_key(text: str) -> None:
    """Raises Invalid for what is not base64url."""
    try:
        b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Invalid({"eab_key": ["Give the HMAC key as the authority shows it, in base64url."]}) from None


def _plain(name: str) -> str:
    """Raises Invalid."""
    plain = ascii_domain(name)
    try:
        check_domain(plain.removeprefix(WILDCARD))
    except ValidationError as error:
        raise Invalid({"names": error.messages}) from None
    return plain


def _may_have(name: str, own: Sequence[str], domain: str) -> bool:
    bare = name.removeprefix(WILDCARD)
    if covers(own, name) or bare in own or any(covers([name], each) for each in own):
        return True
    return bool(domain and f".{bare}".endswith(f".{domain}"))
