"""Gunicorn's settings, for the supervisor and for an install that starts it by itself:
`gunicorn --config python:deploynix.gunicorn deploynix.wsgi`."""

import os
from typing import Any

from django.conf import settings

from deploynix import env
from deploynix.supervisor.child import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deploynix.settings")

bind = f"{env.text('HOST', '127.0.0.1')}:{settings.PORT}"
worker_class = "gthread"
workers = min(4, os.cpu_count() or 1)
threads = 8
keepalive = 30
# Shorter than the 10 seconds in which the supervisor has everything stopped.
graceful_timeout = 5
accesslog = None
# Which proxies are believed is said in one place, TRUSTED_PROXIES, and judged by Django.
forwarded_allow_ips = ""
control_socket_disable = True
logconfig_dict = settings.LOGGING | {
    "loggers": {
        "gunicorn.error": {"level": "WARNING"},
        "gunicorn.access": {"level": "WARNING"},
    },
}


def post_fork(arbiter: Any, worker: Any) -> None:
    """A web worker never outlives the process that started it."""
    die_with_parent(worker.ppid)
