"""Making a backup by hand, and what its page and that of a new schedule offer to choose from."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from backups import actions
from backups.forms.making import BackupForm, Targets
from organizations.pages import FormErrorsMixin, PageMixin
from providers.base import Kind
from providers.models import Credential
from servers.models import Database, DatabaseStatus
from sites.models import Site


class TargetsPage(PageMixin):
    """A form that asks what is to be backed up, and where to; `?database=` or `?site=` chooses one beforehand."""

    ability = "backup:create"

    @cached_property
    def credentials(self) -> QuerySet[Credential]:
        return Credential.objects.visible_to(self.actor).filter(kind=Kind.STORAGE).order_by("name")

    @cached_property
    def targets(self) -> Targets:
        databases = Database.objects.visible_to(self.actor).filter(status=DatabaseStatus.ACTIVE)
        sites = Site.objects.visible_to(self.actor).exclude(installed_at=None)
        return Targets(
            databases.select_related("server").only("name", "server__name").order_by("server__name", "name"),
            sites.select_related("server").only("domain", "server__name").order_by("domain"),
        )

    @property
    def chosen(self) -> dict[str, str]:
        words = (f"{kind}:{self.request.GET.get(kind, '')}" for kind in ("database", "site"))
        return {"target": next((word for word in words if word in self.targets), "")}

    @property
    def form_options(self) -> dict[str, Any]:
        return {"targets": self.targets, "credentials": self.credentials, "initial": self.chosen}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(  # type: ignore[misc,no-any-return]
            has_storage=bool(self.credentials), has_targets=bool(self.targets), **kwargs
        )


class BackupCreate(TargetsPage, FormErrorsMixin[BackupForm]):
    template_name = "backups/create.html"

    def get_form(self, form_class: Any = None) -> BackupForm:
        return BackupForm(self.request.POST or None, **self.form_options)

    def perform(self, form: BackupForm) -> HttpResponse:
        return redirect(actions.make_backup(self.actor, **form.values))
