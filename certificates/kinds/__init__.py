"""The kinds of background work on certificates."""

from certificates.kinds import asking, cleaning, ending, installing, issuing, warning

__all__ = ["asking", "cleaning", "ending", "installing", "issuing", "warning"]
