"""Warnings about tokens, by mail: where they are used from, how often they are refused, and what time does to them."""

from tokens.alerts.ageing import warn_of_expiry, warn_of_unused
from tokens.alerts.mailing import recipients
from tokens.alerts.use import warn_of_failures, warn_of_leak, warn_of_networks

__all__ = [
    "recipients",
    "warn_of_expiry",
    "warn_of_failures",
    "warn_of_leak",
    "warn_of_networks",
    "warn_of_unused",
]
