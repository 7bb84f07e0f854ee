"""Where an address is: its network, and its country where a database of places is set up."""

import logging
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import maxminddb
from django.conf import settings

logger = logging.getLogger(__name__)
# What one customer of a network usually has.
_LENGTHS = {4: 24, 6: 48}


def parse_address(ip: str) -> IPv4Address | IPv6Address:
    """The address; an IPv4 one that came over IPv6 counts as IPv4."""
    address = ip_address(ip)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def network_of(ip: str) -> str:
    """The network around an address: of 256 addresses in IPv4, a /48 in IPv6."""
    address = parse_address(ip)
    return str(ip_network((address.packed, _LENGTHS[address.version]), strict=False))


def country_of(ip: str) -> str:
    """ISO 3166-1 alpha-2; empty where the country is not known.

    The file at PLACES_DATABASE is in the format of https://maxmind.github.io/MaxMind-DB/, and has either
    `country.iso_code`, as GeoLite2 and DB-IP do, or the code itself under `country`. A new file is used at once.
    """
    path = settings.PLACES_DATABASE
    if not path:
        return ""
    try:
        reader = _reader(path, Path(path).stat().st_mtime_ns)
        record = reader.get(parse_address(ip)) if reader else None
    except (OSError, ValueError, maxminddb.InvalidDatabaseError):
        logger.exception("PLACES_DATABASE cannot be read")
        return ""
    return _code(record.get("country")) if isinstance(record, dict) else ""


@lru_cache(maxsize=1)
def _reader(path: str, changed_at: int) -> maxminddb.Reader | None:
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError):
        logger.exception("PLACES_DATABASE is no database of places; countries are not told apart")
        return None


def _code(country: object) -> str:
    code = country.get("iso_code") if isinstance(country, dict) else country
    return code if isinstance(code, str) and len(code) == 2 else ""
