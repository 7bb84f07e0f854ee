"""Backups, and what is done with them."""

from typing import Any

from django.http import HttpRequest

from backups import actions
from backups.api.base import BackupView
from backups.api.serializers import (
    ApplicationBackupInput,
    BackupInput,
    BackupOutput,
    BackupQuery,
    DownloadOutput,
    RestoreInput,
    RestoreOutput,
    StorageInput,
)
from backups.models import RestoreKind
from deploynix.api.operations import operation
from deploynix.api.throttling import DOWNLOAD
from deploynix.api.views import Response
from servers.models import Database, Server

STARTED = "The backup is queued."
CHECKING = "The backup is being verified."
REMOVAL = "The backup is being removed."
RESTORING = "The restore is queued."


class MakingView(BackupView):
    def made(self, values: dict[str, Any]) -> Response:
        backup = actions.make_backup(self.actor, **self.chosen(values))
        assert backup.job is not None  # noqa: S101 -- the action has just queued it
        return self.accepted(STARTED, job=backup.job, data=self.shown(backup))


class Backups(MakingView):
    abilities = {"GET": "backup:read", "POST": "backup:create"}

    @operation("List backups", query=BackupQuery, page=BackupOutput)
    def get(self, request: HttpRequest) -> Response:
        """Of the whole organization. What has been removed from its store is not among them."""
        return self.page(self.backups.filter(removed_at=None, **self.query(BackupQuery)), BackupOutput)

    @operation("Make a backup", input=BackupInput, one=BackupOutput, status=202, job=True, message=STARTED)
    def post(self, request: HttpRequest) -> Response:
        """Of a database, while it goes on working. The data goes from its server straight to the store."""
        return self.made(self.input(BackupInput))


class ApplicationBackups(MakingView):
    abilities = {"POST": "backup:create"}

    @operation(
        "Make a backup of an application",
        input=ApplicationBackupInput,
        one=BackupOutput,
        status=202,
        job=True,
        message=STARTED,
    )
    def post(self, request: HttpRequest) -> Response:
        """Of the files that the releases of a site share."""
        return self.made(self.input(ApplicationBackupInput))


class DatabaseBackups(MakingView):
    abilities = {"GET": "backup:read", "POST": "backup:create"}

    def database(self, server: str, database: str) -> Database:
        row = self.find(Server.objects.visible_to(self.actor), server)
        return self.find(Database.objects.filter(server=row).select_related("server"), database)

    @operation("List the backups of a database", query=BackupQuery, page=BackupOutput)
    def get(self, request: HttpRequest, server: str, database: str) -> Response:
        rows = self.backups.filter(database=self.database(server, database), removed_at=None)
        return self.page(rows.filter(**self.query(BackupQuery)), BackupOutput)

    @operation(
        "Make a backup of a database", input=StorageInput, one=BackupOutput, status=202, job=True, message=STARTED
    )
    def post(self, request: HttpRequest, server: str, database: str) -> Response:
        """The same as `POST /backups`."""
        row = self.database(server, database)
        return self.made({**self.input(StorageInput), "database_id": row.pk})


class BackupDetail(BackupView):
    abilities = {"GET": "backup:read", "DELETE": "backup:delete"}

    @operation("Show a backup", one=BackupOutput)
    def get(self, request: HttpRequest, backup: str) -> Response:
        return self.one(self.backups.filter(pk=backup), BackupOutput)

    @operation("Remove a backup", one=BackupOutput, status=202, job=True, message=REMOVAL)
    def delete(self, request: HttpRequest, backup: str) -> Response:
        """Deletes it from its store. What is known of it stays, with `removed_at`."""
        row = self.find(self.backups, backup)
        job = actions.remove_backup(self.actor, backup=row)
        return self.accepted(REMOVAL, job=job, data=self.shown(row))


class DownloadBackup(BackupView):
    abilities = {"GET": "backup:read"}
    limits = {"GET": (DOWNLOAD,)}

    @operation("Download a backup", bare=DownloadOutput, others={409: "It is not in its store"})
    def get(self, request: HttpRequest, backup: str) -> Response:
        """Answers an address at the store that opens the backup for a quarter of an hour. It may be asked for ten
        times an hour."""
        row = self.find(self.backups.select_related("credential"), backup)
        download = actions.download_backup(self.actor, backup=row)
        return Response({"url": download.url, "expires_at": download.expires_at})


class VerifyBackup(BackupView):
    abilities = {"POST": "backup:restore"}

    @operation("Verify a backup", one=BackupOutput, status=202, job=True, message=CHECKING)
    def post(self, request: HttpRequest, backup: str) -> Response:
        """Reads all of it back from its store, and compares checksums; what is not encrypted is decompressed and
        looked at, too. What is found wrong is its `fault`."""
        row = self.find(self.backups, backup)
        job = actions.verify_backup(self.actor, backup=row)
        return self.accepted(CHECKING, job=job, data=self.shown(row))


class RestoreBackup(BackupView):
    abilities = {"POST": "backup:restore"}

    @operation("Restore a backup", input=RestoreInput, one=RestoreOutput, status=202, job=True, message=RESTORING)
    def post(self, request: HttpRequest, backup: str) -> Response:
        """Into a database or site, which is replaced at the end, once all of the backup is there: a restore that fails
        changes nothing. Without a body, to where the backup was made."""
        row = self.find(self.backups, backup)
        restore = actions.restore_backup(self.actor, backup=row, **self.chosen(self.input(RestoreInput)))
        assert restore.job is not None  # noqa: S101 -- the action has just queued it
        rows = self.restores(RestoreKind.RESTORE).filter(pk=restore.pk)
        return self.accepted(RESTORING, job=restore.job, data=self.row(rows, RestoreOutput))
