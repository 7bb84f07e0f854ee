"""Every provider, found by looking at the files of its kind: another one is another file."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from django.core.exceptions import ImproperlyConfigured

from providers.base import Kind, Provider

_PACKAGES = {Kind.SERVER: "servers", Kind.DNS: "dns", Kind.GIT: "git", Kind.STORAGE: "storage"}


@cache
def providers_of(kind: Kind) -> Mapping[str, type[Provider]]:
    """The providers of a kind, by key, in the order of their labels."""
    package = importlib.import_module(f"providers.{_PACKAGES[kind]}")
    found: list[type[Provider]] = []
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        members = vars(importlib.import_module(module.name)).values()
        found += [
            member
            for member in members
            if inspect.isclass(member)
            and issubclass(member, Provider)
            and member.__module__ == module.name
            and "key" in vars(member)
        ]
    return MappingProxyType({provider.key: provider for provider in sorted(found, key=lambda each: each.label.lower())})


def provider_of(kind: Kind, key: str) -> type[Provider]:
    """Raises LookupError for a provider that there is not."""
    return providers_of(kind)[key]


def require_addressed(names: Iterable[str]) -> None:
    """Raises ImproperlyConfigured for a `kind:key` that is no provider whose address may be another."""
    for name in names:
        kind, _, key = name.partition(":")
        declaration = providers_of(Kind(kind)).get(key) if kind in set(Kind) else None
        if not hasattr(declaration, "base_url"):
            raise ImproperlyConfigured(f"PROVIDER_URLS names {name}, which is no provider with an address of its own.")
