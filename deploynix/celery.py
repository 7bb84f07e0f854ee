"""The Celery application. Messages are doorbells: what there is to do stands in the jobs table."""

import os
import warnings
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, task_postrun, task_prerun
from django.db import close_old_connections

from deploynix.dry_run import is_dry_run

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploynix.settings")

# Celery warns of running as root because of pickled messages; these are JSON, and hold an id.
warnings.filterwarnings("ignore", category=SecurityWarning)


class Broker(Celery):
    """What is sent in a dry run does not leave: nothing would be there for a worker to find."""

    def send_task(self, *args: Any, **options: Any) -> Any:
        return None if is_dry_run() else super().send_task(*args, **options)


app = Broker("deploynix")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Being connected is enough: Celery then leaves the logging that Django set up alone."""


@task_prerun.connect
@task_postrun.connect
def keep_database_connections(**_: object) -> None:
    """Threads keep their connections from task to task, as those of the web process do from request to request."""
    close_old_connections()
