"""The pages of backups."""

from typing import Any

from django.db.models import Q, QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from backups import actions
from backups.actions.backups import ENDINGS
from backups.calendar import weeks, without_one
from backups.figures import charts_of
from backups.models import Backup, Encryption, Restore, Schedule, Status, Type, in_trouble
from deploynix.api.throttling import DOWNLOAD, throttle
from jobs.models import Job
from organizations.pages import ActionFormView, ActionView, ListPage, PageMixin
from providers.base import Kind
from providers.models import Credential

# Of the alarms that the page tells of by name.
MOST_ALARMS = 5
# Of the restores on the page of one backup.
LATEST = 50


class BackupList(ListPage[Backup]):
    """`?database=`, `?site=` and `?schedule=` for those of one, and `?removed=1` with those that are no longer stored.

    What is asked for again while a backup is under way is the table alone.
    """

    model = Backup
    ability = "backup:read"
    search_fields = ("name", "server_name", "key")
    filters = ("status", "type", "database", "site", "schedule", "removed")

    def get_queryset(self) -> QuerySet[Backup]:
        rows = self.ever_made.defer("facts", "recipient")
        return rows if self.given["removed"] else rows.filter(removed_at=None)

    @property
    def ever_made(self) -> QuerySet[Backup]:
        """Of what is asked for, those that are no longer stored, too."""
        wanted = {name: value for name, value in self.given.items() if value and name != "removed"}
        return super().get_queryset().filter(**wanted)

    @property
    def is_part(self) -> bool:
        return self.request.headers.get("HX-Request") == "true"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(statuses=Status, types=Type, **kwargs)
        context["is_busy"] = any(backup.is_open for backup in context["page_obj"])
        if not context["object_list"]:
            storages = Credential.objects.visible_to(self.actor).filter(kind=Kind.STORAGE)
            context["has_storage"] = storages.exists()
        return context if self.is_part else context | self.overview(context)

    def overview(self, context: dict[str, Any]) -> dict[str, Any]:
        """What stands above the table: alarms, and on the first page the last weeks."""
        schedules = Schedule.objects.visible_to(self.actor)
        # One more than is shown says that there are more.
        alarms = {"alarms": list(in_trouble(schedules)[: MOST_ALARMS + 1])}
        if context["page_obj"].number > 1 or not (context["object_list"] or context["is_narrowed"]):
            return alarms
        rows = weeks(Backup.objects.visible_to(self.actor), schedules)
        return alarms | {"weeks": rows, "days_without": without_one(rows), "charts": charts_of(self.ever_made)}

    def get_template_names(self) -> list[str]:
        return ["backups/found.html" if self.is_part else "backups/list.html"]


class BackupPage(PageMixin):
    """What all pages of one backup share."""

    ability = "backup:read"

    @cached_property
    def backup(self) -> Backup:
        related = ("schedule__database", "schedule__site", "server", "database__server", "site", "credential", "job")
        rows = Backup.objects.visible_to(self.actor).select_related(*related)
        return get_object_or_404(rows.defer("server__private_key", "server__login_key"), pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        parent = getattr(super(), "get_context_data", dict)
        context: dict[str, Any] = parent(backup=self.backup, **kwargs)
        return context

    def get_success_url(self) -> str:
        return self.backup.get_absolute_url()


class BackupDetail(BackupPage, TemplateView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pk = self.kwargs["pk"]
        about = Q(subject_type="backup", subject_id=pk)
        about |= Q(subject_type="restore", subject_id__in=Restore.objects.filter(backup=pk).values("pk"))
        # Before the row itself, so that what ends in between is shown as ended: then nothing asks again.
        jobs = list(Job.objects.visible_to(self.actor).open().filter(about).order_by("id"))
        backup = self.backup
        restores = list(shown_restores(backup.restores.visible_to(self.actor))[:LATEST])
        proven = (row for row in restores if row.finished_at and not row.error)
        return super().get_context_data(
            restores=restores,
            proven=next(proven, None),
            jobs=[job for job in jobs if job.pk != backup.job_id],
            steps=backup.job.steps.all() if backup.is_open and backup.job else (),
            expected=expected_size(backup) if backup.is_open else None,
            is_busy=bool(jobs) or backup.is_open,
            **kwargs,
        )

    def get_template_names(self) -> list[str]:
        is_part = self.request.headers.get("HX-Request") == "true"
        return ["backups/state.html" if is_part else "backups/detail.html"]


class DownloadBackup(BackupPage, ActionFormView):
    """The address is made by a POST, and shown in its answer alone."""

    form_class = Form
    template_name = "backups/download.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        throttle(request, DOWNLOAD, self.actor)
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(command=command_that_opens(self.backup), **kwargs)

    def perform(self, form: Form) -> HttpResponse:
        download = actions.download_backup(self.actor, backup=self.backup)
        response = self.render_to_response(self.get_context_data(form=form, download=download))
        response["Cache-Control"] = "no-store"
        return response


class VerifyBackup(BackupPage, ActionView):
    ability = "backup:restore"

    def perform(self) -> str:
        actions.verify_backup(self.actor, backup=self.backup)
        return "It is being read back from its store."


class DeleteBackup(BackupPage, ActionView):
    ability = "backup:delete"

    @property
    def confirmation(self) -> str:
        return self.backup.typed_name

    def perform(self) -> str:
        actions.remove_backup(self.actor, backup=self.backup)
        return "It is being removed from its store. What is known of it stays here."


def command_that_opens(backup: Backup) -> str:
    """What turns the file back into a dump or an archive, in a shell."""
    file = backup.key.rpartition("/")[2]
    plain = file.removesuffix(ENDINGS[Encryption(backup.encryption)]).removesuffix(".zst")
    opened = {
        Encryption.NONE: f"zstd -d {file}",
        Encryption.AGE: f"age -d -i key.txt {file} | zstd -d > {plain}",
        Encryption.OPENPGP: f"gpg -d {file} | zstd -d > {plain}",
    }
    return opened[Encryption(backup.encryption)]


def shown_restores(restores: QuerySet[Restore]) -> QuerySet[Restore]:
    """The newest first, with what their rows show, and without secrets."""
    private = ("identity", "server__private_key", "server__login_key", "site__deploy_private_key", "backup__facts")
    return restores.select_related("backup", "job", "server", "site").defer(*private).order_by("-id")


def expected_size(backup: Backup) -> int | None:
    """That of the newest good one of the same thing."""
    same = {"database": backup.database_id} if backup.database_id else {"site": backup.site_id}
    rows = Backup.objects.good().filter(encryption=backup.encryption, **same)
    return rows.order_by("-id").values_list("size", flat=True).first()
