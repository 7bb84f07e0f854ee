"""The address a request really came from."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str | None:
    """The peer's address, or behind N trusted proxies the Nth from the right of X-Forwarded-For.

    What stands further left was written by the client and is not believed.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    trusted = settings.TRUSTED_PROXIES
    address = hops[-trusted] if 0 < trusted <= len(hops) else peer
    try:
        return str(ip_address(address))
    except ValueError:
        return None
