"""Warnings of what somebody does with a token."""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

from jobs.warnings import TIME
from tokens.alerts.mailing import LEAKED, is_first, mail, warn
from tokens.models import Token, TokenAlert, TokenNetwork

logger = logging.getLogger(__name__)
# A program that moves from network to network is not worth more mails than this.
MOST_NETWORKS_A_DAY = 10
# TOKEN_FAILURE_BURST refusals within so many minutes are worth a mail, once a day.
BURST_MINUTES = 10
MOST_ADDRESSES = 10


def warn_of_networks(token: Token, *, earlier: Iterable[TokenNetwork], new: Sequence[TokenNetwork]) -> None:
    """Of networks that the token was not used from before, and of their countries; call it in a transaction."""
    known = {network.country for network in earlier} - {""}
    countries = sorted({network.country for network in new if known} - known - {""})
    fresh = [country for country in countries if is_first(token, "country", country)]
    day_ago = timezone.now() - timedelta(days=1)
    told = TokenAlert.objects.filter(token=token, kind="network", created_at__gt=day_ago).count()
    networks = [network for network in new if is_first(token, "network", network.network)]
    if not fresh and (not networks or told >= MOST_NETWORKS_A_DAY):
        return
    mail(
        token,
        kind="country" if fresh else "network",
        title=f"was used from a new country, {', '.join(fresh)}" if fresh else "was used from a new network",
        lines=[_place(network) for network in new],
        advice="If that is a program of yours, there is nothing to do. If you do not know it, revoke the token.",
    )


def _place(network: TokenNetwork) -> str:
    country = f" ({network.country})" if network.country else ""
    return f"From {network.network}{country}, first on {network.first_at.strftime(TIME)}"


def warn_of_failures(token: Token, *, count: int, addresses: Iterable[str]) -> None:
    """Of a burst of refused attempts, `count` more of which were just written down."""
    total = _recent_failures(token, count)
    if total < settings.TOKEN_FAILURE_BURST:
        return
    now = timezone.now()
    warn(
        token,
        kind="failures",
        subject=now.date().isoformat(),
        title=f"was refused {total} times in {BURST_MINUTES} minutes",
        lines=[f"Until {now.strftime(TIME)}", *_senders(addresses)],
        advice="Its page says why. If nobody of yours is trying, revoke it, or limit the addresses that it works from.",
    )


def _senders(addresses: Iterable[str]) -> list[str]:
    known = sorted(addresses)
    if not known:
        return []
    more = len(known) - MOST_ADDRESSES
    return [f"From {', '.join(known[:MOST_ADDRESSES])}" + (f" and {more} more" if more > 0 else "")]


def _recent_failures(token: Token, count: int) -> int:
    """How often the token was refused in the last minutes, in all processes, with `count` added."""
    minute = int(timezone.now().timestamp() // 60)
    keys = [f"token-failures:{token.pk}:{minute - back}" for back in range(BURST_MINUTES)]
    try:
        cache.add(keys[0], 0, (BURST_MINUTES + 1) * 60)
        cache.incr(keys[0], count)
        return sum(cache.get_many(keys).values())
    except (RedisError, OSError, ValueError):
        logger.warning("the failures of token %s could not be added up", token.pk)
        return count


def warn_of_leak(token: Token, *, place: str) -> None:
    """That the token was shown to us by somebody who found it, and is revoked."""
    warn(
        token,
        kind=LEAKED,
        subject="",
        title="was found by somebody, and is revoked",
        lines=[
            f"Reported on {timezone.now().strftime(TIME)}",
            *([f"Found at {place}, as the report says"] if place else []),
        ],
        advice="Programs that use it are refused from now on. Make another one for them, take this one out of the "
        "place where it was found, and see on its page who used it.",
    )
