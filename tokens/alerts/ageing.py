"""Warnings of what time does to tokens."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from jobs.warnings import MOST_A_RUN, TIME, expiring, expiry_kind, expiry_title
from tokens.alerts.mailing import warn
from tokens.models import Kind, Token, TokenAlert

DAYS_BEFORE_EXPIRY = (1, 7)
UNUSED = timedelta(days=90)


def warn_of_expiry() -> None:
    """Of tokens that soon open nothing any more, where they were made to live longer than the warning is early."""
    for days in DAYS_BEFORE_EXPIRY:
        for token in _expiring(days).select_related("organization")[:MOST_A_RUN]:
            assert token.expires_at is not None  # noqa: S101 -- that is what was asked for
            warn(
                token,
                kind=expiry_kind(days),
                subject=token.expires_at.isoformat(),
                title=expiry_title(days),
                lines=[f"On {token.expires_at.strftime(TIME)}", _last_use(token)],
                advice="Programs that use it are refused from then on. Give them another one before, or let it expire.",
            )


def _expiring(days: int) -> QuerySet[Token]:
    told = TokenAlert.objects.filter(token=OuterRef("pk"))
    tokens = expiring(Token.objects.active(), told, days, DAYS_BEFORE_EXPIRY)
    # Who rotates a key knows that the old one ends.
    return tokens if days == min(DAYS_BEFORE_EXPIRY) else tokens.filter(successor=None)


def warn_of_unused() -> None:
    """Of keys and access tokens that nobody has used for long; signing in makes personal tokens without end."""
    since = timezone.now() - UNUSED
    spell_start = Coalesce("last_used_at", "created_at")
    warned = TokenAlert.objects.filter(token=OuterRef("pk"), kind="unused", created_at__gt=OuterRef("spell_start"))
    tokens = (
        Token.objects.active()
        .annotate(spell_start=spell_start)
        .filter(~Exists(warned), spell_start__lt=since, kind__in=(Kind.API_KEY, Kind.ACCESS), successor=None)
    )
    for token in tokens.select_related("organization")[:MOST_A_RUN]:
        warn(
            token,
            kind="unused",
            subject=(token.last_used_at or token.created_at).isoformat(),
            title=f"was not used for {UNUSED.days} days",
            lines=[f"Made on {token.created_at.strftime(TIME)}", _last_use(token)],
            advice="A token that nobody needs is one that nobody misses when it is stolen. Revoke it if nobody does.",
        )


def _last_use(token: Token) -> str:
    if token.last_used_at is None:
        return "Never used"
    place = f" from {token.last_used_ip}" if token.last_used_ip else ""
    return f"Last used on {token.last_used_at.strftime(TIME)}{place}"
