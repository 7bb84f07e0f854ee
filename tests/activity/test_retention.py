"""What is too old goes, in batches."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from activity.actions import retention
from activity.actions.errors import record_error
from activity.models import ActivityEvent, ErrorEvent, ErrorGroup
from activity.tasks import forget_old
from deploynix.actor import Actor
from deploynix.ids import first_id_at, new_id

pytestmark = pytest.mark.django_db


def reported(owner: Actor, days_ago: int) -> ActivityEvent:
    at = timezone.now() - timedelta(days=days_ago)
    pk = first_id_at(at)[:10] + new_id()[10:]
    return ActivityEvent.objects.create(id=pk, organization=owner.organization, kind="a", actor="b", occurred_at=at)


def test_activity_older_than_the_setting_goes_in_batches(owner: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    kept = reported(owner, settings.ACTIVITY_DAYS - 1)
    for _ in range(7):
        reported(owner, settings.ACTIVITY_DAYS + 1)
    forget_old()
    assert ActivityEvent.objects.get() == kept


def test_errors_that_were_not_seen_since_go_with_their_occurrences(owner: Actor) -> None:
    old, kept = (record_error(owner, message=message) for message in ("old", "still there"))
    ErrorGroup.objects.filter(pk=old.pk).update(last_seen_at=timezone.now() - timedelta(days=31))
    assert retention.forget_old_activity(days=30) == 2
    assert ErrorGroup.objects.get() == kept
    assert ErrorEvent.objects.get().group == kept


def test_the_scheduler_calls_a_task_that_exists() -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["forget-old-activity"]
    assert entry["task"] == forget_old.name
