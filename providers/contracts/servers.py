"""The contract of server providers, and what those with an HTTP API do alike.

`create` is safe to repeat: a server carries the token of its spec as a tag, which is looked for before one is made, and
again where nobody knows whether one was made.
"""

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar

from providers.answers import Told
from providers.base import HttpProvider, Kind, PermissionCheck, Provider, Verdict
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    SoldOut,
    Unavailable,
)

# What is sent by probes that must not make anything: no provider has a region, a size, an image or a key of this name.
IMPOSSIBLE = "deploynix-probe"
OLDEST = {"debian": (12, 0), "ubuntu": (22, 4)}
_SYSTEM = re.compile(r"(debian|ubuntu)[ -]?(\d+)(?:[.-](\d\d))?\b", re.IGNORECASE)
_NONE_LEFT = re.compile(r"not (currently )?available|unavailable|sold.?out|out of stock|capacity", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Region(Told):
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Size(Told):
    """`monthly` is the price of a month; None where the provider does not tell. Memory and disk are in GiB."""

    slug: str
    name: str
    cpus: int
    memory: float
    disk: int
    monthly: Decimal | None = None
    currency: str = "USD"


@dataclass(frozen=True, slots=True)
class Image(Told):
    """A system to start with: Debian 12 or later, Ubuntu 22.04 or later."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class SshKey(Told):
    id: str
    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """What to make. `token` is ours and unique: a second `create` with it finds the server that the first one made."""

    token: str
    name: str
    region: str
    size: str
    image: str
    public_keys: Sequence[str] = ()
    user_data: str = ""
    tags: Sequence[str] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class CloudServer(Told):
    """A server as the provider sees it; `ip_address` is empty until it has one."""

    id: str
    name: str
    is_running: bool
    ip_address: str = ""


class ServerProvider(Provider):
    kind = Kind.SERVER

    @abstractmethod
    def regions(self) -> Sequence[Region]: ...

    @abstractmethod
    def sizes(self, region: str) -> Sequence[Size]:
        """Those that can be had in the region now, the cheapest first."""

    @abstractmethod
    def images(self, region: str) -> Sequence[Image]:
        """The systems that Deploynix can provision, newest first."""

    @abstractmethod
    def create(self, spec: ServerSpec) -> CloudServer:
        """Makes the server, or finds the one that an earlier call with the same token made."""

    @abstractmethod
    def get(self, id: str) -> CloudServer:  # noqa: A002 -- what providers call it
        """Raises NotFound."""

    @abstractmethod
    def delete(self, id: str) -> None:  # noqa: A002
        """It is no error where it is gone."""

    @abstractmethod
    def reboot(self, id: str) -> None: ...  # noqa: A002

    @abstractmethod
    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        """Starts it anew from an image; its disk is lost, its address stays.

        `public_keys` are those that may sign in afterwards; most providers remember the ones of the start.
        """

    @abstractmethod
    def ssh_keys(self) -> Sequence[SshKey]: ...

    @abstractmethod
    def upload_ssh_key(self, name: str, public_key: str) -> SshKey:
        """Adds the key, or finds the same key that is there."""

    @abstractmethod
    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        """It is no error where it is gone."""


# A method, a path and the options of the request.
Probe = tuple[str, str, Mapping[str, Any]]


class HttpServers(ServerProvider, HttpProvider):
    """A provider with an HTTP API. Its `probes` are calls that prove a permission without changing anything."""

    probes: ClassVar[Mapping[str, Probe]]

    @abstractmethod
    def find(self, token: str) -> CloudServer | None:
        """The server that carries the token of a spec."""

    @abstractmethod
    def make(self, spec: ServerSpec) -> CloudServer:
        """Makes a server that carries the spec's token, whether there is one or not."""

    @abstractmethod
    def add_ssh_key(self, name: str, public_key: str) -> SshKey:
        """Adds a key that is not there."""

    def create(self, spec: ServerSpec) -> CloudServer:
        if found := self.find(spec.token):
            return found
        try:
            return self.make(spec)
        except (InvalidCredential, RateLimited):
            raise
        # Its answer may have got lost, or another call came first.
        except (Unavailable, Conflict) as error:
            if found := self.find(spec.token):
                return found
            raise self._explained(spec, error) from error
        except ProviderError as error:
            raise self._explained(spec, error) from error

    def upload_ssh_key(self, name: str, public_key: str) -> SshKey:
        if found := self._same_key(public_key):
            return found
        try:
            return self.add_ssh_key(name, public_key)
        except (InvalidCredential, MissingPermission, RateLimited):
            raise
        # As for a server; each says in its own way that it has the key already.
        except ProviderError:
            if found := self._same_key(public_key):
                return found
            raise

    def key_ids(self, spec: ServerSpec) -> list[str]:
        """Those of the spec's keys, which are added where they are not there."""
        return [self.upload_ssh_key(key_name(spec.name, each), each).id for each in spec.public_keys]

    def remove(self, path: str, permission: str) -> None:
        """Deletes what may be gone already."""
        try:
            self.call("DELETE", path, permission)
        except NotFound:
            return

    def checked(self, permission: str, held: frozenset[str], evidence: str) -> PermissionCheck:
        """By a probe where there is one; else by what the credential says that it holds, if it says so."""
        if permission in self.probes:
            method, path, options = self.probes[permission]
            return self.probe(permission, method, path, **options)
        if not held:
            unknown = f"{self.label} does not tell, and to try it would change something."
            return PermissionCheck(permission, Verdict.UNTESTABLE, unknown)
        if permission in held:
            return PermissionCheck(permission, Verdict.GRANTED, evidence)
        return PermissionCheck(permission, Verdict.DENIED, evidence, self.how_to_grant(permission))

    def _same_key(self, public_key: str) -> SshKey | None:
        wanted = key_body(public_key)
        return next((key for key in self.ssh_keys() if key_body(key.public_key) == wanted), None)

    def _explained(self, spec: ServerSpec, error: ProviderError) -> ProviderError:
        """What is wrong with the spec, if that is it: each provider says so in its own way, or not at all."""
        if isinstance(error, Unavailable):
            return error
        if _NONE_LEFT.search(error.message) and self._has_region(spec):
            return SoldOut(
                f"{self.label} has no {spec.size} left in {spec.region} now.",
                "Choose another size or another region, or try again later.",
            )
        if isinstance(error, MissingPermission | Conflict):
            return error
        if not self._has_region(spec):
            return NotFound(f"{self.label} has no region {spec.region}.", "Choose one of the regions that it offers.")
        if spec.size not in {size.slug for size in self.sizes(spec.region)}:
            return SoldOut(f"{self.label} has no {spec.size} in {spec.region}.", "Choose a size that it offers there.")
        if spec.image not in {image.slug for image in self.images(spec.region)}:
            return NotFound(f"{self.label} has no image {spec.image}.", "Choose one of the images that it offers.")
        return error

    def _has_region(self, spec: ServerSpec) -> bool:
        return spec.region in {region.slug for region in self.regions()}


def tag_of(token: str) -> str:
    """The tag by which a server of ours is found; providers differ in how they treat capitals."""
    return f"deploynix-{token.lower()}"


def key_body(public_key: str) -> tuple[str, ...]:
    """What makes a key the same: its type and number, whatever the comment."""
    return tuple(public_key.split()[:2])


def key_name(name: str, public_key: str) -> str:
    """A name that no other key has: some providers refuse a second one."""
    return f"deploynix-{name}-{sha256(' '.join(key_body(public_key)).encode()).hexdigest()[:8]}"


def version_of(system: str) -> tuple[int, int] | None:
    """The version of a system that Deploynix can provision, from what a provider calls it ("Ubuntu 24.04 LTS x64",
    "debian-12-x64"); None for any other."""
    if not (match := _SYSTEM.search(system)):
        return None
    version = int(match[2]), int(match[3] or 0)
    return version if version >= OLDEST[match[1].lower()] else None


def newest_first(images: Mapping[Image, str]) -> list[Image]:
    """Those that Deploynix can provision, of images with what tells their system."""
    found = {image: version for image, system in images.items() if (version := version_of(system))}
    return sorted(found, key=lambda image: (found[image], image.name), reverse=True)


def cheapest_first(sizes: Sequence[Size]) -> list[Size]:
    return sorted(sizes, key=lambda size: (size.monthly or 0, size.memory, size.slug))


def price(amount: object) -> Decimal:
    """Of a month, in whole cents."""
    return Decimal(str(amount)).quantize(Decimal("0.01"))
