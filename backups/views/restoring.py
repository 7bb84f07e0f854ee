"""Restores and drills: the pages that begin one, and those that follow it."""

from typing import Any

from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import cached_property
from django.views.generic import TemplateView

from backups import actions
from backups.forms.restoring import DatabasePlaceForm, DrillForm, RestoreForm, SitePlaceForm
from backups.models import Encryption, Restore, RestoreKind, Type
from backups.places import Place, place_of, servers_for, sites_for
from backups.views.backups import BackupPage, shown_restores
from organizations.pages import ActionFormView, FormErrorsMixin, ListPage, PageMixin


class RestoreList(ListPage[Restore]):
    """`?kind=` for restores or drills only."""

    model = Restore
    ability = "backup:read"
    template_name = "backups/restores/list.html"
    search_fields = ("backup__name", "name", "server__name", "site__domain")
    filters = ("kind",)

    def get_queryset(self) -> QuerySet[Restore]:
        rows = super().get_queryset().filter(**{name: value for name, value in self.given.items() if value})
        return shown_restores(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(kinds=RestoreKind, **kwargs)


class RestoreDetail(PageMixin, TemplateView):
    ability = "backup:read"

    @cached_property
    def restore(self) -> Restore:
        related = ("backup", "job", "server", "site", "database__server", "schedule__database", "schedule__site")
        private = ("identity", "server__private_key", "server__login_key", "site__deploy_private_key")
        rows = Restore.objects.visible_to(self.actor).select_related(*related).defer(*private)
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        restore = self.restore
        job = restore.job
        is_forgotten = restore.backup.encryption != Encryption.NONE
        return super().get_context_data(
            restore=restore,
            backup=restore.backup,
            job=job,
            steps=job.steps.all() if job else (),
            # The job cannot go on without the private key, which is not kept.
            may_retry=bool(job and job.status in ("failed", "cancelled") and not is_forgotten),
            **kwargs,
        )

    def get_template_names(self) -> list[str]:
        is_part = self.request.headers.get("HX-Request") == "true"
        return ["backups/restores/state.html" if is_part else "backups/restores/detail.html"]


class RestoreBackup(BackupPage, FormErrorsMixin[RestoreForm]):
    """First where to, as a form of GET, whose values stay in the address; then what is asked for before it begins."""

    ability = "backup:restore"

    @cached_property
    def place_form(self) -> DatabasePlaceForm | SitePlaceForm:
        given = self.request.GET or None
        if self.backup.type == Type.APPLICATION:
            return SitePlaceForm(given, backup=self.backup, sites=sites_for(self.actor))
        return DatabasePlaceForm(given, backup=self.backup, servers=servers_for(self.actor, self.backup))

    @cached_property
    def place(self) -> Place | None:
        """None until it is chosen."""
        return place_of(self.place_form.place) if self.place_form.is_valid() else None

    def get_form(self, form_class: Any = None) -> RestoreForm:
        is_encrypted = self.backup.encryption != Encryption.NONE
        confirmation = self.place.confirmation if self.place else ""
        # Where nothing is asked for, what is posted may be empty.
        given = self.request.POST if self.request.method == "POST" else None
        return RestoreForm(given, is_encrypted=is_encrypted, confirmation=confirmation)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(place=self.place, place_form=self.place_form, **kwargs)

    def get_template_names(self) -> list[str]:
        return ["backups/restore.html" if self.place else "backups/place.html"]

    def perform(self, form: RestoreForm) -> HttpResponse:
        if self.place is None:
            return redirect("backup_restore", self.backup.pk)
        identity = form.cleaned_data.get("identity", "")
        place = self.place_form.place
        return redirect(actions.restore_backup(self.actor, backup=self.backup, identity=identity, **place))


class DrillBackup(BackupPage, ActionFormView):
    ability = "backup:restore"
    form_class = DrillForm
    template_name = "backups/drill.html"

    def get_initial(self) -> dict[str, Any]:
        return {"query": self.backup.schedule.drill_query if self.backup.schedule else ""}

    def perform(self, form: Form) -> HttpResponse:
        return redirect(actions.drill_backup(self.actor, backup=self.backup, **form.cleaned_data))
