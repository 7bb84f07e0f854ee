"""What a cloud offers, asked with a credential, and remembered for a few minutes."""

import json
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from typing import Any, TypeVar, cast

from django.core.cache import cache

from deploynix.errors import Invalid
from providers.contracts.git import GitProvider
from providers.contracts.servers import Size
from providers.models import Credential

REMEMBERED_SECONDS = 300
# People come for the repository that they have just made; a search asks at each letter.
REPOSITORIES_SECONDS = 30
Rows = list[dict[str, Any]]
Answer = TypeVar("Answer")


def regions(credential: Credential) -> Rows:
    """Rows of `slug` and `name`. Raises ProviderError, as all of these."""
    return remembered(credential, "regions", lambda cloud: [asdict(region) for region in cloud.regions()])


def sizes(credential: Credential, region: str = "") -> Rows:
    """Rows with the fields of `Size`; without a region, of the credential's own, or else the first."""
    region = region or _usual_region(credential)
    return remembered(credential, f"sizes:{region}", lambda cloud: [_shown(size) for size in cloud.sizes(region)])


def images(credential: Credential, region: str = "") -> Rows:
    """Rows of `slug` and `name`; the region is as for `sizes`."""
    region = region or _usual_region(credential)
    return remembered(credential, f"images:{region}", lambda cloud: [asdict(image) for image in cloud.images(region)])


def repositories(credential: Credential, search: str = "", page: str = "") -> dict[str, Any]:
    """`repositories`, rows with the fields of `Repository`, and `next_page`, empty for the last one."""

    def ask(git: Any) -> dict[str, Any]:
        return asdict(cast(GitProvider, git).repositories(search, page))

    return remembered(credential, page_key(search, page), ask, REPOSITORIES_SECONDS)


def page_key(search: str, page: str) -> str:
    """What a page of repositories is remembered under; people may search for any text."""
    asked = json.dumps([search, page]).encode()
    return f"repositories:{sha256(asked).hexdigest()}"


def _usual_region(credential: Credential) -> str:
    own = credential.settings.get("region", "")
    if own:
        return str(own)
    found = regions(credential)
    if not found:
        raise Invalid({"region": ["The region field is required."]})
    return str(found[0]["slug"])


def _shown(size: Size) -> dict[str, Any]:
    return asdict(size) | {"monthly": None if size.monthly is None else f"{size.monthly:.2f}"}


def remembered(
    credential: Credential, what: str, ask: Callable[[Any], Answer], seconds: int = REMEMBERED_SECONDS
) -> Answer:
    """What `ask` answers about the credential's adapter. By the credential as it is now: with other secrets another
    account may answer."""
    key = f"catalogue:{credential.pk}:{credential.updated_at.timestamp()}:{what}"
    found: Answer | None = cache.get(key)
    if found is None:
        found = ask(credential.adapter)
        cache.set(key, found, seconds)
    return found
