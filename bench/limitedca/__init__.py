"""A certificate authority with limits that a bench can reach, and renewals that end with the order."""

from datetime import timedelta

MOST, SPAN = 150, timedelta(minutes=1)


def declare(url: str) -> None:
    """Makes Deploynix know the directory's limit of orders, and install nothing of what it renews."""
    from certificates.acme.directories import DIRECTORIES, Directory, Limit, Limits
    from certificates.kinds.issuing import IssueCertificate
    from certificates.kinds.ordering import OrderKind

    DIRECTORIES["limited"] = Directory("limited", "Limited", url, limits=Limits(orders=Limit(MOST, SPAN)))
    IssueCertificate.steps = OrderKind.order_steps  # type: ignore[assignment]
