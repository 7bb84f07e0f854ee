"""What a CA lets one do in a span of time, kept with room to spare by counting what we have done ourselves.

Each function raises Postponed, with the time at which there is room again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache

from django.db.models import Q, QuerySet
from django.utils import timezone
from publicsuffixlist import PublicSuffixList

from certificates.acme.directories import Limit, limits_of
from certificates.models import Account, Issuance, IssuanceStatus
from jobs.run import Postponed


def wait_for_account(account: Account) -> None:
    limit = limits_of(account.directory_url).accounts
    known = Account.objects.filter(directory_url=account.directory_url).exclude(url="").order_by("-created_at")
    _keep(limit, known.values_list("created_at", flat=True), "new accounts")


def wait_for_order(account: Account, names: Sequence[str], *, is_renewal: bool) -> None:
    """A renewal does not count as another certificate of its domain: https://letsencrypt.org/docs/rate-limits/"""
    limits = limits_of(account.directory_url)
    orders = Issuance.objects.filter(account=account).order_by("-created_at")
    _keep(limits.orders, orders.values_list("created_at", flat=True), "orders of an account")
    _wait_for_failures(limits.failures, account, names)
    counted = _counted(account.directory_url)
    if limits.same_names:
        same = (made for made, its_names in _since(limits.same_names, counted) if set(its_names) == set(names))
        _keep(limits.same_names, same, "certificates of the same names")
    if limits.domain and not is_renewal:
        new = list(_since(limits.domain, counted.filter(is_renewal=False)))
        for domain in sorted(registered_domains(names)):
            of_domain = (made for made, its_names in new if domain in registered_domains(its_names))
            _keep(limits.domain, of_domain, f"certificates below {domain}")


def registered_domains(names: Iterable[str]) -> set[str]:
    """What somebody registered, or the name itself where nobody can."""
    return {_suffixes().privatesuffix(bare := name.removeprefix("*.")) or bare for name in names}


def _wait_for_failures(limit: Limit | None, account: Account, names: Iterable[str]) -> None:
    if limit is None:
        return
    rows = Issuance.objects.filter(account=account, failed_at__gt=timezone.now() - limit.span).order_by("-failed_at")
    failed = list(rows.values_list("failed_at", "failed_names"))
    for name in names:
        bare = name.removeprefix("*.")
        _keep(limit, (moment for moment, its_names in failed if moment and bare in its_names), f"failures of {bare}")


def _counted(directory_url: str) -> QuerySet[Issuance]:
    """What became a certificate, or still may."""
    rows = Issuance.objects.filter(account__directory_url=directory_url).order_by("-created_at")
    return rows.filter(Q(status=IssuanceStatus.ORDERED) | ~Q(chain=""))


def _since(limit: Limit, rows: QuerySet[Issuance]) -> Iterable[tuple[datetime, list[str]]]:
    return rows.filter(created_at__gt=timezone.now() - limit.span).values_list("created_at", "names")


def _keep(limit: Limit | None, moments: Iterable[datetime], what: str) -> None:
    """`moments` come with the newest first."""
    if limit is None:
        return
    recent = [moment for moment in moments if moment > timezone.now() - limit.span]
    if len(recent) >= limit.kept:
        raise Postponed(
            recent[limit.kept - 1] + limit.span,
            f"The authority limits {what}: {limit.most} in {_spoken(limit)}, of which Deploynix uses {limit.kept}.",
        )


def _spoken(limit: Limit) -> str:
    days, seconds = limit.span.days, limit.span.seconds
    return f"{days} days" if days else f"{seconds // 3600} hours" if seconds > 3600 else "an hour"


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
