"""Requests of test keys: answered as live ones, and undone."""

from collections.abc import Callable

from django.http import HttpRequest

from deploynix.actor import Actor
from deploynix.api.exceptions import handle
from deploynix.api.responses import Response
from deploynix.dry_run import check_at_the_end, undone
from deploynix.signals import dry_run_ended

_READING = ("GET", "HEAD")


def answer_undone(request: HttpRequest, actor: Actor, answer: Callable[[], Response]) -> Response:
    """What `answer` makes. Of what it did nothing stays, but that it was asked for.

    Reading is undone, too: it may start a job, or leave a row in the audit log.
    """
    told: list[str] = []
    try:
        with undone(told):
            response = answer()
            if request.method not in _READING:
                check_at_the_end()
    except Exception as exception:
        response = handle(exception, request)
    if told or request.method not in _READING:
        dry_run_ended.send(sender=None, actor=actor, request=request, status=response.status_code, events=told)
    return response
