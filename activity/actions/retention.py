"""Activity is not kept for ever."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from activity.models import ActivityEvent, ErrorGroup
from deploynix.ids import first_id_at

# Rows of one transaction, so that nobody waits long for its locks.
BATCH = 1000


def forget_old_activity(*, days: int) -> int:
    """Removes the activity that was reported more than `days` days ago, and the errors not seen since.

    Returns the number of rows, the occurrences of errors among them.
    """
    before = timezone.now() - timedelta(days=days)
    old = (
        ActivityEvent.objects.filter(pk__lt=first_id_at(before)),
        ErrorGroup.objects.filter(last_seen_at__lt=before),
    )
    return sum(_delete(rows) for rows in old)


def _delete(rows: QuerySet[Any]) -> int:
    total = 0
    while deleted := _delete_batch(rows):
        total += deleted
    return total


@transaction.atomic
def _delete_batch(rows: QuerySet[Any]) -> int:
    # Locked, so that an error that comes back meanwhile is counted anew instead of vanishing.
    batch = list(rows.select_for_update().order_by("pk").values_list("pk", flat=True)[:BATCH])
    return rows.model.objects.filter(pk__in=batch).delete()[0] if batch else 0
