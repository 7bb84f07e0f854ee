"""The kinds of background work on domains."""

from domains.kinds import applying, checking, disconnecting, discovering, records, warning

__all__ = ["applying", "checking", "disconnecting", "discovering", "records", "warning"]
