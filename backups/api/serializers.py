"""Backups as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from backups.keys import LONGEST
from backups.models import Encryption, Status, Type
from backups.models.schedules import LONGEST_AGE_HOURS, LONGEST_QUERY, MOST_KEPT
from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query

_BACKUP = {
    "id": EXAMPLE_ID,
    "type": "database",
    "status": "completed",
    "name": "shop",
    "server_id": "01JAZ5P3C7D9E1F3G5H7J9K1M3",
    "server_name": "web-1",
    "database_id": "01JAZ5PWQ2S4T6V8X0Y2Z4A6B8",
    "site_id": None,
    "schedule_id": None,
    "credential_id": "01JAZ5PB5N7P9Q1R3S5T7V9W1X",
    "engine": "mariadb",
    "encryption": "none",
    "recipient": "",
    "bucket": "acme-backups",
    "key": f"web-1/shop/20260416T020000Z-{EXAMPLE_ID}.sql.zst",
    "sent": 48318382,
    "size": 48318382,
    "raw_size": 413138022,
    "sha256": "3b7f0c1d9e5a2468ace013579bdf02468ace13579bdf02468ace13579bdf0246",
    "stage": "",
    "error": "",
    "hint": "",
    "fault": "",
    "verified_at": "2026-04-16T02:01:12Z",
    "removed_at": None,
    "started_at": "2026-04-16T02:00:01Z",
    "finished_at": "2026-04-16T02:01:12Z",
    "created_at": "2026-04-16T02:00:00Z",
}
_SCHEDULE = {
    "id": "01JAZ5Q0E2G4J6M8P0R2T4V6X8",
    "type": "database",
    "name": "shop",
    "server_id": _BACKUP["server_id"],
    "database_id": _BACKUP["database_id"],
    "site_id": None,
    "credential_id": _BACKUP["credential_id"],
    "encryption": "none",
    "recipient": "",
    "cron": "0 2 * * *",
    "timezone": "Europe/Berlin",
    "is_active": True,
    "keep_last": 7,
    "keep_daily": 0,
    "keep_weekly": 4,
    "keep_monthly": 12,
    "keep_yearly": 0,
    "max_age_hours": 27,
    "drill_cron": "0 5 * * 0",
    "drill_query": "SELECT 1 FROM orders LIMIT 1",
    "next_run_at": "2026-04-17T00:00:00Z",
    "last_run_at": "2026-04-16T00:00:00Z",
    "next_drill_at": "2026-04-19T03:00:00Z",
    "skipped_at": None,
    "last_good_at": "2026-04-16T00:00:00Z",
    "last_proven_at": "2026-04-12T03:00:48Z",
    "alarm": "",
    "alarmed_at": None,
    "created_at": "2026-04-10T09:30:00Z",
    "updated_at": "2026-04-16T00:00:00Z",
}
_RESTORE: dict[str, Any] = {
    "id": "01JAZ5QK7N9Q1S3V5X7Z9B1D3F",
    "backup_id": EXAMPLE_ID,
    "schedule_id": None,
    "server_id": _BACKUP["server_id"],
    "database_id": _BACKUP["database_id"],
    "site_id": None,
    "name": "shop",
    "status": "succeeded",
    "received": 48318382,
    "seconds": 21.4,
    "stage": "",
    "error": "",
    "hint": "",
    "job_id": "01JAZ5R0M8Q2W4E6T8Y0P2A4SD",
    "started_at": "2026-04-16T10:30:00Z",
    "finished_at": "2026-04-16T10:30:24Z",
    "created_at": "2026-04-16T10:29:58Z",
}
_DRILL = _RESTORE | {
    "query": "SELECT 1 FROM orders LIMIT 1",
    "findings": [{"check": "The query gives a row", "passed": True, "detail": ""}],
}


class BackupOutput(Output):
    id = serializers.CharField()
    type = serializers.ChoiceField(choices=Type.choices)
    status = serializers.ChoiceField(
        choices=Status.choices, help_text="completed: it was read back from its store, and its checksum agreed."
    )
    name = serializers.CharField(help_text="What the database or site was called.")
    server_id = serializers.CharField(allow_null=True)
    server_name = serializers.CharField()
    database_id = serializers.CharField(allow_null=True)
    site_id = serializers.CharField(allow_null=True)
    schedule_id = serializers.CharField(allow_null=True, help_text="Null for one that was made by hand.")
    credential_id = serializers.CharField()
    engine = serializers.CharField(help_text="Of a database: mysql, mariadb or postgresql.")
    encryption = serializers.ChoiceField(choices=Encryption.choices)
    recipient = serializers.CharField(help_text="The public key that it is encrypted for.")
    bucket = serializers.CharField()
    key = serializers.CharField(help_text="Where it is in the bucket.")
    sent = serializers.IntegerField(help_text="Bytes, while it is being made.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes in the store.")
    raw_size = serializers.IntegerField(
        allow_null=True, help_text="Bytes before they were compressed. Of an encrypted one a few kB too many."
    )
    sha256 = serializers.CharField(help_text="Of what is in the store. Empty until that was read back.")
    stage = serializers.CharField(help_text="What it was doing when it failed.")
    error = serializers.CharField()
    hint = serializers.CharField()
    fault = serializers.CharField(help_text="What the last verification found wrong with it.")
    verified_at = serializers.DateTimeField(allow_null=True)
    removed_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    example = _BACKUP


class BackupQuery(Query):
    status = serializers.ChoiceField(choices=Status.choices, required=False)
    type = serializers.ChoiceField(choices=Type.choices, required=False)


class StorageInput(Input):
    """Where to, and encrypted for whom."""

    credential_id = serializers.CharField(max_length=26, help_text="Of a storage credential.")
    encryption = serializers.ChoiceField(choices=Encryption.choices, default=Encryption.NONE.value)
    recipient = serializers.CharField(
        max_length=LONGEST,
        allow_blank=True,
        default="",
        help_text="The public key: for age a line age1... or an SSH public key, for openpgp an armored block.",
    )

    example = {"credential_id": _BACKUP["credential_id"]}


class BackupInput(StorageInput):
    database_id = serializers.CharField(max_length=26)

    example = {"database_id": _BACKUP["database_id"], "credential_id": _BACKUP["credential_id"]}


class ApplicationBackupInput(StorageInput):
    site_id = serializers.CharField(max_length=26, help_text="Of the site, what its releases share.")

    example = {"site_id": "01JAZ5Q7R1T3V5X7Z9B1D3F5H7", "credential_id": _BACKUP["credential_id"]}


class DownloadOutput(Output):
    url = serializers.URLField(help_text="Opens the backup without another proof: keep it to yourself.")
    expires_at = serializers.DateTimeField()

    example = {
        "url": f"https://acme-backups.s3.eu-central-1.amazonaws.com/{_BACKUP['key']}?X-Amz-Expires=900&X-Amz-Signature=9a",
        "expires_at": "2026-04-16T10:45:00Z",
    }


class RestoreInput(Input):
    server_id = serializers.CharField(
        max_length=26, required=False, help_text="The server to restore a database on; its own, if not given."
    )
    name = serializers.CharField(
        max_length=64, required=False, help_text="The name of the database to restore into; its own, if not given."
    )
    site_id = serializers.CharField(
        max_length=26, required=False, help_text="The site to restore an application into; its own, if not given."
    )
    identity = serializers.CharField(
        max_length=LONGEST,
        required=False,
        trim_whitespace=False,
        help_text="The private key of an encrypted backup. It is forgotten when the restore has ended.",
    )

    example = {"name": "shop_restored"}


class RestoreOutput(Output):
    id = serializers.CharField()
    backup_id = serializers.CharField()
    schedule_id = serializers.CharField(allow_null=True)
    server_id = serializers.CharField()
    database_id = serializers.CharField(allow_null=True, help_text="Null where the restore has to create it.")
    site_id = serializers.CharField(allow_null=True)
    name = serializers.CharField(help_text="The database that is restored into; empty for the files of a site.")
    status = serializers.CharField(
        allow_null=True, help_text="That of its job: queued, running, succeeded, failed or cancelled."
    )
    received = serializers.IntegerField(help_text="Bytes so far.")
    seconds = serializers.FloatField(allow_null=True, help_text="How long loading took.")
    stage = serializers.CharField(help_text="What it was doing when it failed.")
    error = serializers.CharField()
    hint = serializers.CharField()
    job_id = serializers.CharField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    example = _RESTORE


class RestoreQuery(Query):
    backup = serializers.CharField(max_length=26, required=False)


class CheckOutput(Output):
    check = serializers.CharField()
    passed = serializers.BooleanField()
    detail = serializers.CharField()


class DrillOutput(RestoreOutput):
    query = serializers.CharField()
    findings = CheckOutput(many=True, help_text="What was looked at in the restored database.")

    example = _DRILL


class DrillQuery(RestoreQuery):
    schedule = serializers.CharField(max_length=26, required=False)


class DrillInput(Input):
    backup_id = serializers.CharField(max_length=26, required=False, help_text="Of a backup of a database.")
    schedule_id = serializers.CharField(
        max_length=26, required=False, help_text="In the place of `backup_id`: its newest good one is tried."
    )
    query = serializers.CharField(
        max_length=LONGEST_QUERY,
        required=False,
        help_text="One SELECT that has to give at least one row; that of the schedule, if not given.",
    )

    example = {"backup_id": EXAMPLE_ID, "query": "SELECT 1"}


class ScheduleOutput(Output):
    id = serializers.CharField()
    type = serializers.ChoiceField(choices=Type.choices)
    name = serializers.CharField(help_text="What the database or site is called.")
    server_id = serializers.CharField()
    database_id = serializers.CharField(allow_null=True)
    site_id = serializers.CharField(allow_null=True)
    credential_id = serializers.CharField()
    encryption = serializers.ChoiceField(choices=Encryption.choices)
    recipient = serializers.CharField()
    cron = serializers.CharField()
    timezone = serializers.CharField()
    is_active = serializers.BooleanField()
    keep_last = serializers.IntegerField()
    keep_daily = serializers.IntegerField()
    keep_weekly = serializers.IntegerField()
    keep_monthly = serializers.IntegerField()
    keep_yearly = serializers.IntegerField()
    max_age_hours = serializers.IntegerField()
    drill_cron = serializers.CharField()
    drill_query = serializers.CharField()
    next_run_at = serializers.DateTimeField(allow_null=True)
    last_run_at = serializers.DateTimeField(allow_null=True)
    next_drill_at = serializers.DateTimeField(allow_null=True)
    skipped_at = serializers.DateTimeField(
        allow_null=True, help_text="When one was last left out, because the one before was still being made."
    )
    last_good_at = serializers.DateTimeField(allow_null=True, help_text="When the newest good backup was made.")
    last_proven_at = serializers.DateTimeField(allow_null=True, help_text="When a drill last succeeded.")
    alarm = serializers.CharField(help_text="What is wrong; empty where all is well.")
    alarmed_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = _SCHEDULE


def _kept(what: str) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=MOST_KEPT, required=False, help_text=what)


class BackupScheduleChanges(Input):
    credential_id = serializers.CharField(max_length=26, required=False, help_text="Of a storage credential.")
    encryption = serializers.ChoiceField(choices=Encryption.choices, required=False)
    recipient = serializers.CharField(max_length=LONGEST, allow_blank=True, required=False)
    cron = serializers.CharField(
        max_length=100, required=False, help_text="Minute, hour, day of the month, month, day of the week."
    )
    timezone = serializers.CharField(max_length=64, required=False, help_text="As in Europe/Berlin; UTC, if not given.")
    is_active = serializers.BooleanField(required=False)
    keep_last = _kept("So many of the newest good ones are kept; 7, if not given.")
    keep_daily = _kept("Of so many days the newest good one is kept.")
    keep_weekly = _kept("The same of weeks, which begin on Mondays.")
    keep_monthly = _kept("The same of months.")
    keep_yearly = _kept("The same of years.")
    max_age_hours = serializers.IntegerField(
        min_value=1,
        max_value=LONGEST_AGE_HOURS,
        required=False,
        allow_null=True,
        help_text="An older newest good backup is an alarm. Null, or not given: the time between two, and two hours.",
    )
    drill_cron = serializers.CharField(
        max_length=100,
        allow_blank=True,
        required=False,
        help_text="When the newest good one is tried; empty for never.",
    )
    drill_query = serializers.CharField(max_length=LONGEST_QUERY, allow_blank=True, required=False)

    example = {"cron": "30 3 * * *", "keep_weekly": 8}


class BackupScheduleInput(BackupScheduleChanges):
    database_id = serializers.CharField(max_length=26, required=False)
    site_id = serializers.CharField(max_length=26, required=False, help_text="In the place of `database_id`.")
    credential_id = serializers.CharField(max_length=26, help_text="Of a storage credential.")
    cron = serializers.CharField(max_length=100, help_text="Minute, hour, day of the month, month, day of the week.")

    example = {
        "database_id": _BACKUP["database_id"],
        "credential_id": _BACKUP["credential_id"],
        "cron": "0 2 * * *",
        "timezone": "Europe/Berlin",
        "keep_weekly": 4,
        "keep_monthly": 12,
        "drill_cron": "0 5 * * 0",
        "drill_query": "SELECT 1 FROM orders LIMIT 1",
    }
