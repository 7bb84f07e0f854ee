from django.conf import settings

from activity.actions.retention import forget_old_activity
from deploynix.celery import app


@app.task(name="activity.forget_old")
def forget_old() -> None:
    forget_old_activity(days=settings.ACTIVITY_DAYS)
