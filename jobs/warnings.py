"""Warnings by mail about a row of an organization: each is a job, so that a mail that fails is tried again."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from datetime import timedelta
from smtplib import SMTPException
from typing import Any, Protocol, TypeVar, cast

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Exists, F, Model, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.utils import timezone

from deploynix.actor import system_actor
from deploynix.errors import Error
from jobs.actions import enqueue_job
from jobs.kinds import JobKind, Step
from jobs.models import Job
from jobs.run import Run
from organizations.models import Organization

# How mails write a time.
TIME = "%-d %b %Y, %H:%M UTC"
# So many rows are warned of in one run; the next one goes on.
MOST_A_RUN = 500
# Who tells an end as a number of seconds tells another one each time, a little.
SLACK = timedelta(hours=1)

Row = TypeVar("Row", bound=Model)


class Owned(Protocol):
    organization: Organization


class WarningKind(JobKind, ABC):
    """Mails what `enqueue_warning` has written."""

    queue = "interactive"
    is_routine = True
    steps = (Step("mail", "Mail"),)
    # Over about four hours.
    max_retries = 8

    @abstractmethod
    def recipients(self, job: Job) -> Sequence[str]:
        """The addresses of those who are to be told; none where it has become pointless."""

    def mail(self, run: Run) -> None:
        addresses, params = self.recipients(run.job), run.job.params
        if not addresses:
            run.line("Nobody is left who could be told, or it is not so any more.")
            return
        try:
            send_mail(settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + params["title"], params["text"], None, addresses)
        except (OSError, SMTPException) as error:
            raise Error("The mail could not be sent.", "Check EMAIL_URL.", retryable=True) from error


def enqueue_warning(
    subject: Owned,
    *,
    job: str,
    label: str,
    kind: str,
    title: str,
    lines: Sequence[str],
    about: str,
    advice: str,
    page: str,
) -> None:
    """Queues a job of the WarningKind `job`. `kind` is what the warning is of, `about` says what the subject is, and
    `page` is the path of the page where people do what the advice says."""
    # Spaces alone: names of people's choice become part of a mail's header.
    title = " ".join(title.split())
    context = {
        "title": title,
        "lines": lines,
        "about": about,
        "organization": subject.organization,
        "advice": advice,
        "link": settings.BASE_URL + page,
    }
    enqueue_job(
        system_actor(subject.organization),
        kind=job,
        subject=cast(Model, subject),
        label=label,
        params={"kind": kind, "title": title, "text": render_to_string("jobs/mail/warning.txt", context)},
    )


def expiry_kind(days: int) -> str:
    """Of the warning that comes so many days before the end."""
    return f"expiry-{days}d"


def expiry_title(days: int) -> str:
    """What goes on after the name of what ends."""
    if not days:
        return "has expired"
    return f"expires in {days} day{'s' if days > 1 else ''}"


def expiring(rows: QuerySet[Row], told: QuerySet[Any], days: int, stages: Collection[int]) -> QuerySet[Row]:
    """Those to be warned of so many days before their `expires_at`: where no later one of the stages is due, and they
    were made to live longer than that. `told` are the warnings that a row, OuterRef("pk"), has had."""
    now, span = timezone.now(), timedelta(days=days)
    told = told.filter(kind=expiry_kind(days), created_at__gte=OuterRef("expires_at") - span - SLACK)
    found = rows.filter(~Exists(told), expires_at__lte=now + span, created_at__lte=F("expires_at") - span)
    later = [stage for stage in stages if stage < days]
    return found.filter(expires_at__gt=now + timedelta(days=max(later))) if later else found
