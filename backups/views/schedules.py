"""The pages of schedules."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from backups import actions, times
from backups.figures import chart_of_drills, charts_of
from backups.forms.schedules import NewScheduleForm, ScheduleForm, TimesForm
from backups.models import Backup, Restore, RestoreKind, Schedule, with_outcomes
from backups.views.backups import shown_restores
from backups.views.making import TargetsPage
from deploynix.errors import Denied, Error
from organizations.pages import ActionView, FormErrorsMixin, ListPage, PageMixin
from providers.base import Kind
from providers.models import Credential

LATEST = 10


class ScheduleList(ListPage[Schedule]):
    """`?alarm=1` for those that are in trouble."""

    model = Schedule
    ability = "backup:read"
    template_name = "backups/schedules/list.html"
    search_fields = ("database__name", "site__domain", "server__name")
    filters = ("alarm",)

    def get_queryset(self) -> QuerySet[Schedule]:
        rows = super().get_queryset()
        if self.given["alarm"]:
            rows = rows.exclude(alarmed_at=None)
        rows = rows.select_related("database", "site", "server")
        return with_outcomes(rows.defer("server__private_key", "server__login_key", "site__deploy_private_key"))


class ScheduleFormPage(FormErrorsMixin[Any]):
    """A form beside which the next times are shown."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.get_form()
        given = {name: form[name].value() or "" for name in TimesForm.base_fields}
        return super().get_context_data(**kwargs | {"form": form, "preview": preview_of(given)})


class ScheduleCreate(TargetsPage, ScheduleFormPage):
    template_name = "backups/schedules/create.html"

    def get_form(self, form_class: Any = None) -> NewScheduleForm:
        return NewScheduleForm(self.request.POST or None, **self.form_options)

    def perform(self, form: NewScheduleForm) -> HttpResponse:
        schedule = actions.create_schedule(self.actor, **form.values)
        messages.success(self.request, "The schedule is on. Its first backup is made at its next time, or now.")
        return redirect(schedule)


class NextTimes(PageMixin):
    """The part of the form that follows what is typed: the next five times."""

    ability = "backup:read"

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "backups/schedules/times.html", {"preview": preview_of(request.GET)})


class SchedulePage(PageMixin):
    """What all pages of one schedule share."""

    ability = "backup:read"

    @cached_property
    def schedule(self) -> Schedule:
        """With its outcomes."""
        related = ("database__server", "site__server", "server", "credential", "organization")
        rows = Schedule.objects.visible_to(self.actor).select_related(*related)
        return get_object_or_404(with_outcomes(rows), pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(schedule=self.schedule, **kwargs)  # type: ignore[misc,no-any-return]

    def get_success_url(self) -> str:
        return self.schedule.get_absolute_url()


class ScheduleDetail(SchedulePage, TemplateView):
    """While a backup or a drill is under way, the page asks for its lists again."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        schedule = self.schedule
        backups = list(schedule.backups.order_by("-id").defer("facts", "recipient")[:LATEST])
        drills = list(shown_restores(self.drills)[:LATEST])
        is_busy = any(backup.is_open for backup in backups) or any(row.job and row.job.is_open for row in drills)
        context = super().get_context_data(backups=backups, drills=drills, is_busy=is_busy, **kwargs)
        if self.is_part:
            return context
        return context | {
            "charts": charts_of(schedule.backups.all()),
            "drill_chart": chart_of_drills(self.drills),
        }

    @property
    def drills(self) -> QuerySet[Restore]:
        return Restore.objects.filter(schedule=self.schedule, kind=RestoreKind.DRILL)

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get_template_names(self) -> list[str]:
        return ["backups/schedules/work.html" if self.is_part else "backups/schedules/detail.html"]


class ScheduleEdit(SchedulePage, ScheduleFormPage):
    ability = "backup:update"
    template_name = "backups/schedules/edit.html"

    def get_form(self, form_class: Any = None) -> ScheduleForm:
        credentials = Credential.objects.visible_to(self.actor).filter(kind=Kind.STORAGE).order_by("name")
        return ScheduleForm.of(self.schedule, self.request.POST or None, credentials=credentials)

    def perform(self, form: ScheduleForm) -> HttpResponse:
        schedule = actions.update_schedule(self.actor, schedule=self.schedule, **form.cleaned_data)
        messages.success(self.request, "The schedule is saved.")
        return redirect(schedule)


class PauseSchedule(SchedulePage, ActionView):
    ability = "backup:update"

    def perform(self) -> str:
        actions.update_schedule(self.actor, schedule=self.schedule, is_active=False)
        return "The schedule is off: it makes no backups and raises no alarm. What it has stored stays."


class ResumeSchedule(SchedulePage, ActionView):
    ability = "backup:update"

    def perform(self) -> str:
        actions.update_schedule(self.actor, schedule=self.schedule, is_active=True)
        return "The schedule is on again."


class ScheduleWork(ABC, SchedulePage):
    """A button that starts something, and leads to its page."""

    http_method_names = ["post"]

    @abstractmethod
    def start(self) -> Backup | Restore:
        """Calls the action; what it started has a page."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return redirect(self.start())
        except Denied:
            raise
        except Error as error:
            messages.error(request, f"{error.message} {error.hint}".strip())
            return redirect(self.schedule)


class RunSchedule(ScheduleWork):
    ability = "backup:create"

    def start(self) -> Backup | Restore:
        return actions.run_schedule(self.actor, schedule=self.schedule)


class DrillSchedule(ScheduleWork):
    ability = "backup:restore"

    def start(self) -> Backup | Restore:
        return actions.drill_schedule(self.actor, schedule=self.schedule)


class DeleteSchedule(SchedulePage, ActionView):
    ability = "backup:update"

    @property
    def confirmation(self) -> str:
        return self.schedule.typed_name

    def perform(self) -> str:
        actions.delete_schedule(self.actor, schedule=self.schedule)
        return "The schedule is deleted. What it has stored stays, and is no longer removed by age."

    def get_success_url(self) -> str:
        is_there = Schedule.objects.filter(pk=self.kwargs["pk"]).exists()
        return super().get_success_url() if is_there else reverse("schedule_list")


def preview_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The next times of what stands in a form: `{"runs", "spoken", "zone"}`, or what is wrong with it in `error`."""
    form = TimesForm(given)
    if not form.is_valid():
        return {"error": next(text for texts in form.errors.values() for text in texts)}
    cron, zone = form.cleaned_data["cron"], form.cleaned_data["timezone"]
    return {"runs": times.next_runs(cron, zone), "spoken": times.spoken(cron), "zone": zone}
