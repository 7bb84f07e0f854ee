"""/healthz says that the process lives, /readyz whether it can do its work, /metrics how much of it there is.

Answered by a middleware that stands before the check of the Host header and the redirect to HTTPS: a load balancer or
a container's probe asks for the machine's address, by plain HTTP.
"""

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis import Redis
from redis.exceptions import RedisError

from deploynix.metrics import metrics
from deploynix.middleware import GetResponse

logger = logging.getLogger(__name__)
OK = "ok"
REDIS_SECONDS = 2


class HealthMiddleware:
    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._answers = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answers.get(request.path)
        return answer(request) if answer else self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:
    return _answer({})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 or 503, with the verdict of each check. Why one failed is for the log alone: it may hold addresses."""
    return _answer({name: _verdict(name, check) for name, check in CHECKS.items()})


def _answer(checks: dict[str, str]) -> HttpResponse:
    is_ready = all(verdict == OK for verdict in checks.values())
    body: dict[str, object] = {"status": OK if is_ready else "unavailable"}
    if checks:
        body["checks"] = checks
    return JsonResponse(body, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"})


def _verdict(name: str, check: Callable[[], str]) -> str:
    try:
        return check()
    except (DatabaseError, RedisError, OSError, ValueError) as error:
        logger.warning("not ready: %s cannot be reached: %s", name, error)
        return "cannot be reached"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _redis() -> str:
    with Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS
    ) as client:
        client.ping()
    return OK


def _migrations() -> str:
    executor = MigrationExecutor(connections[DEFAULT_DB_ALIAS])
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(waiting)} not applied" if waiting else OK


CHECKS: dict[str, Callable[[], str]] = {"database": _database, "redis": _redis, "migrations": _migrations}
