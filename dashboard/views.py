"""The first page: how the servers and sites are, what runs now, and what was deployed lately."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from backups.models import Backup, Schedule, in_trouble
from deploynix.actor import Actor
from jobs.models import Job
from organizations.models import OwnedQuerySet
from organizations.pages import PageMixin
from servers.models import Server
from sites.models import Deployment, Site

RECENT = 5


class Dashboard(PageMixin):
    def get(self, request: HttpRequest) -> HttpResponse:
        servers, sites = Server.objects.visible_to(self.actor), Site.objects.visible_to(self.actor)
        context = {
            "servers": servers.order_by("-id")[:RECENT],
            "server_tally": tally(servers),
            "sites": sites.select_related("server").order_by("-id")[:RECENT],
            "site_tally": tally(sites),
            "deployments": recent_deployments(self.actor),
            "jobs": running_jobs(self.actor),
            **backups_of(self.actor),
        }
        return render(request, "dashboard/dashboard.html", context)


class RunningJobs(PageMixin):
    """The card of running jobs, which asks for itself again every few seconds."""

    ability = "job:read"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "dashboard/running.html", {"jobs": running_jobs(self.actor)})


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows there are of each status, the largest number first, and in all."""

    by_status: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_status.values())


def tally(rows: OwnedQuerySet[Any]) -> Tally:
    return Tally(dict(rows.values_list("status").annotate(count=Count("pk")).order_by("-count", "status")))


def running_jobs(actor: Actor) -> QuerySet[Job]:
    """Running ones first, then those that wait for a worker; not what is scheduled for later."""
    scheduled = Q(started_at=None, run_after__gt=timezone.now())
    return Job.objects.visible_to(actor).open().exclude(scheduled).order_by("-status", "-id")[:RECENT]


def backups_of(actor: Actor) -> dict[str, Any]:
    """What schedules have an alarm for, and the newest good copy; nothing for who may not see backups."""
    if not actor.can("backup:read"):
        return {}
    copies = Backup.objects.visible_to(actor).good().order_by("-id").defer("facts", "recipient")
    return {"alarms": in_trouble(Schedule.objects.visible_to(actor))[:RECENT], "newest_copy": copies.first()}


def recent_deployments(actor: Actor) -> QuerySet[Deployment]:
    mine = Deployment.objects.filter(site__organization=actor.organization, job__isnull=False)
    return mine.select_related("site__server", "job", "release").order_by("-id")[:RECENT]
