"""How long it is known who used a token."""

from datetime import timedelta

from django.utils import timezone

from tokens.models import TokenCaller, TokenDay, TokenFailure

DAYS = timedelta(days=400)
FAILURES = CALLERS = timedelta(days=90)


def forget_old_use() -> int:
    """Deletes the rows that are too old; returns how many."""
    now = timezone.now()
    old = (
        TokenDay.objects.filter(day__lt=(now - DAYS).date()),
        TokenFailure.objects.filter(day__lt=(now - FAILURES).date()),
        TokenCaller.objects.filter(last_at__lt=now - CALLERS),
    )
    return sum(rows.delete()[0] for rows in old)
