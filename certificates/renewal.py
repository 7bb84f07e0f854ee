"""When a certificate is renewed, and when that is rehearsed."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from certificates.acme.client import Acme
from certificates.acme.directories import staging_of
from certificates.acme.errors import AcmeError
from certificates.acme.objects import Window
from certificates.models import Issuance
from deploynix.http import Unreachable
from jobs.run import Run

# RFC 9773, section 4.3.2: a client keeps to these, whatever the CA says.
SOONEST_ASK, LATEST_ASK = timedelta(minutes=1), timedelta(days=1)
# After a question that was not answered.
ASK_AGAIN = timedelta(hours=6)
# Of a certificate's life: many that were issued together are not renewed together, and a rehearsal comes first.
JITTER, REHEARSAL = 1 / 60, 1 / 15
FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(days=1)


def schedule_of(run: Run, issuance: Issuance, acme: Acme) -> dict[str, Any]:
    """What its certificate is to have as `renew_at`, `ask_at` and `rehearse_at`."""
    window = _asked(run, issuance, acme)
    renew_at = in_window(window) if window else at_two_thirds(issuance)
    return {
        "renew_at": renew_at,
        "ask_at": _next_ask(window) if acme.offers_renewal_info and issuance.ari_id else None,
        "rehearse_at": _rehearsal(issuance, renew_at),
    }


def at_two_thirds(issuance: Issuance) -> datetime:
    """Or up to a sixtieth of its life earlier."""
    begin, life = _life(issuance)
    return begin + life * (2 / 3 - random.uniform(0, JITTER))  # noqa: S311 -- nobody gains by guessing it


def in_window(window: Window) -> datetime:
    """Any moment of it (RFC 9773, section 4.2); one that has passed is now."""
    span = max(window.end - window.start, timedelta(0))
    return max(window.start + span * random.random(), timezone.now())  # noqa: S311


def after_failure(failures: int) -> datetime:
    """When it is tried again after so many failures in a row."""
    pause: timedelta = min(FIRST_PAUSE * (1 << min(failures - 1, 10)), LONGEST_PAUSE)
    return timezone.now() + pause * random.uniform(0.9, 1.1)  # noqa: S311


def _asked(run: Run, issuance: Issuance, acme: Acme) -> Window | None:
    if not (acme.offers_renewal_info and issuance.ari_id):
        return None
    try:
        return acme.renewal_info(issuance.ari_id)
    except (AcmeError, Unreachable) as error:
        run.line(f"When to renew it could not be asked: {error.message}")
        return None


def _next_ask(window: Window | None) -> datetime:
    now = timezone.now()
    if window is None:
        return now + ASK_AGAIN
    return min(max(window.ask_at, now + SOONEST_ASK), now + LATEST_ASK)


def _rehearsal(issuance: Issuance, renew_at: datetime) -> datetime | None:
    """None where there is nothing to rehearse at, or no time left."""
    account = issuance.account
    if account is None or staging_of(account.directory_url) is None:
        return None
    _, life = _life(issuance)
    moment = renew_at - life * REHEARSAL
    return moment if moment > timezone.now() else None


def _life(issuance: Issuance) -> tuple[datetime, timedelta]:
    begin, end = issuance.not_before, issuance.not_after
    assert begin is not None  # noqa: S101 -- it has been issued
    assert end is not None  # noqa: S101
    return begin, end - begin
