"""What the views of backups share."""

from collections.abc import Mapping
from typing import Any, TypeVar

from django.db.models import F, Model, QuerySet
from django.db.models.functions import Coalesce

from backups.api.serializers import BackupOutput
from backups.models import Backup, Restore, RestoreKind, Schedule, with_outcomes
from deploynix.api.views import View
from deploynix.errors import Invalid
from providers.base import Kind
from providers.models import Credential
from servers.models import Database, Server
from sites.models import Site

Row = TypeVar("Row", bound=Model)


class BackupView(View):
    tag = "Backups"

    @property
    def backups(self) -> QuerySet[Backup]:
        return Backup.objects.visible_to(self.actor)

    @property
    def schedules(self) -> QuerySet[Schedule]:
        rows = Schedule.objects.visible_to(self.actor)
        return with_outcomes(rows).annotate(name=Coalesce("database__name", "site__domain"))

    def restores(self, kind: RestoreKind) -> QuerySet[Restore]:
        return Restore.objects.visible_to(self.actor).filter(kind=kind).annotate(status=F("job__status"))

    def chosen(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values, with what they name by id in the place of the id. Raises Invalid where it is not there."""
        sources: dict[str, QuerySet[Any]] = {
            "backup_id": self.backups,
            "credential_id": Credential.objects.visible_to(self.actor).filter(kind=Kind.STORAGE),
            "database_id": Database.objects.visible_to(self.actor).select_related("server"),
            "schedule_id": Schedule.objects.visible_to(self.actor),
            "server_id": Server.objects.visible_to(self.actor),
            "site_id": Site.objects.visible_to(self.actor).select_related("server"),
        }
        found = {name: sources[name].filter(pk=pk).first() for name, pk in values.items() if name in sources}
        if missing := [name for name, row in found.items() if row is None]:
            raise Invalid({name: [f"The selected {name.replace('_', ' ')} is invalid."] for name in missing})
        return {name.removesuffix("_id"): found.get(name, value) for name, value in values.items()}

    def shown(self, backup: Backup) -> dict[str, Any]:
        return self.row(self.backups.filter(pk=backup.pk), BackupOutput)
