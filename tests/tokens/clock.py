"""A clock that stands still until the test moves it."""

from datetime import timedelta

import pytest
from django.utils import timezone


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now()
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def advance(self, **span: float) -> None:
        """Takes what timedelta does: `days=1`."""
        self.now += timedelta(**span)
