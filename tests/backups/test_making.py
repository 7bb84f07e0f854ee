"""How a backup's job ends for the backup, and what is heard from a server that says nonsense."""

import json
import re
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from backups import exchange, store
from backups.actions import make_backup
from backups.exchange import LONGEST_WORD, TransferFailed, Words
from backups.kinds import making
from backups.kinds.making import ABORT, AbortUpload, MakeBackup
from backups.models import Backup, Status
from backups.store import OrphanStays
from backups.upload import Upload
from deploynix.actor import Actor
from deploynix.errors import Error
from jobs.actions import stop_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.run import Run
from providers.models import Credential
from servers import ssh
from servers.models import Database
from servers.ssh import HostKeyChanged
from servers.target import target_of


@pytest.fixture
def backup(owner: Actor, database: Database, storage: Credential) -> Backup:
    return make_backup(owner, database=database, credential=storage)


@pytest.fixture
def run(backup: Backup) -> Run:
    Job.objects.update(status=JobStatus.RUNNING, attempt=1)
    return Run(Job.objects.select_related("organization").get())


def aborts() -> list[Job]:
    return list(Job.objects.filter(kind=ABORT))


def fail(backup: Backup, error: Error) -> Backup:
    assert backup.job
    backup.job.refresh_from_db()
    MakeBackup().on_failed(backup.job, error)
    backup.refresh_from_db()
    return backup


def test_a_failure_is_told_with_its_stage(backup: Backup, run: Run) -> None:
    making.begin(run, "upload")
    fail(backup, TransferFailed("dump", "mariadb-dump ended with exit code 2.", "See its log."))
    told = (backup.status, backup.stage, backup.error, backup.hint)
    assert told == (Status.FAILED, "dump", "mariadb-dump ended with exit code 2.", "See its log.")
    assert backup.finished_at
    assert not aborts()


def test_beginning_again_forgets_the_failure(backup: Backup, run: Run) -> None:
    making.begin(run, "upload")
    fail(backup, Error("No."))
    again = making.begin(run, "upload")
    assert (again.status, again.error, again.finished_at) == (Status.IN_PROGRESS, "", None)
    assert again.started_at == backup.started_at


def test_an_upload_that_is_left_is_removed_by_a_job_of_its_own(backup: Backup, run: Run) -> None:
    Backup.objects.update(upload_id="an-upload")
    making.begin(run, "publish")
    fail(backup, Error("No."))
    [job] = aborts()
    # Not while a retry makes use of it.
    assert job.lane == backup.job.lane  # type: ignore[union-attr]
    assert backup.stage == "publish"


def test_a_killed_worker_may_have_left_an_upload_that_nobody_knows_of(backup: Backup, run: Run) -> None:
    making.begin(run, "upload")
    Job.objects.update(attempt=2)
    fail(backup, Error("No."))
    assert len(aborts()) == 1


def test_a_cancelled_one_has_failed(backup: Backup, run: Run) -> None:
    Job.objects.update(status=JobStatus.QUEUED)
    assert backup.job
    stop_job(job=backup.job)
    backup.refresh_from_db()
    assert (backup.status, backup.error) == (Status.FAILED, "It was cancelled.")


def test_a_good_one_stays_good_where_removing_others_fails(backup: Backup, run: Run) -> None:
    Backup.objects.update(status=Status.COMPLETED, upload_id="", finished_at=timezone.now())
    fail(backup, Error("No."))
    assert (backup.status, backup.error) == (Status.COMPLETED, "")
    AbortUpload().on_failed(run.job, OrphanStays(store.storage_of(backup), "bucket", "key", "id"))
    backup.refresh_from_db()
    assert backup.hint == ""


def test_a_refused_host_key_is_kept_for_the_server_s_page(backup: Backup, run: Run) -> None:
    fail(backup, HostKeyChanged("192.0.2.1", "SHA256:one", "SHA256:two"))
    assert backup.server
    backup.server.refresh_from_db()
    assert backup.server.refused_fingerprint == "SHA256:two"


def test_words_are_told_from_lines() -> None:
    words = Words()
    heard = [*words.feed(b'hello\n\n@{"sent": '), *words.feed(b"1}\n@{broken\n@nobody\nhalf")]
    assert heard == [b"hello\n", {"sent": 1}, b"@nobody\n"]
    # A line without end does not pile up.
    assert b"".join(words.feed(b"x" * LONGEST_WORD)) == b"half" + b"x" * LONGEST_WORD + b"\n"  # type: ignore[arg-type]
    assert list(words.feed(b"\n")) == []


@pytest.fixture
def upload(backup: Backup, run: Run, monkeypatch: pytest.MonkeyPatch) -> Upload:
    """One whose answers to the server are kept in `answers`."""
    monkeypatch.setattr(store, "start_upload", lambda storage, bucket, key: "the-upload")
    backup = making.begin(run, "upload")
    assert backup.server
    return Upload(run, backup, target_of(backup.server))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = []
    monkeypatch.setattr(ssh, "run", lambda *_, stdin, **__: kept.append(json.loads(stdin)))
    return kept


def hear(upload: Upload, *words: dict[str, Any]) -> None:
    upload.take(b"".join(b"@" + json.dumps(word).encode() + b"\n" for word in words))


def wanted(number: int, count: int = 4, turn: int = 1) -> dict[str, Any]:
    return {"wanted": {"round": turn, "number": number, "count": count}}


def test_addresses_are_given_for_what_is_asked_for(upload: Upload, answers: list[dict[str, Any]]) -> None:
    hear(upload, {"began": "nonce"}, wanted(1))
    [answer] = answers
    assert (answer["round"], list(answer["urls"]), answer["relay"]) == (1, ["1", "2", "3", "4"], None)
    assert "the-upload" not in answer["upload"]
    assert {"uploadId=the-upload", "partNumber=4"} <= set(re.split("[?&]", answer["urls"]["4"]))
    row = Backup.objects.get()
    assert (row.upload_id, row.sender) == ("the-upload", "nonce")


def test_nobody_can_ask_for_more_than_there_may_be(upload: Upload, answers: list[dict[str, Any]]) -> None:
    hear(upload, {"began": "nonce"}, wanted(1, 10**9))
    assert len(answers[0]["urls"]) == exchange.MOST_URLS
    hear(upload, wanted(9_999, 50, 2))
    assert list(answers[1]["urls"]) == ["9999", "10000"]


def test_a_new_way_takes_nothing_from_what_was_just_given(
    upload: Upload, answers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may not have read it yet."""
    ways = [SimpleNamespace(port=port, is_open=True) for port in (4001, 4002)]
    left = iter(ways)
    monkeypatch.setattr(exchange, "relay", lambda *_: nullcontext(next(left)))
    hear(upload, {"began": "nonce"}, {"unreachable": "no route"}, wanted(1))
    ways[0].is_open = False
    upload.tend()
    upload.tend()
    assert [answer["relay"] for answer in answers] == [4001, 4002]
    assert answers[0]["urls"] == answers[1]["urls"]


def test_what_is_heard_again_is_answered_once(upload: Upload, answers: list[dict[str, Any]]) -> None:
    """By a successor of the worker, which reads the log from its start."""
    Backup.objects.update(upload_id="the-upload", sender="nonce")
    upload.backup.refresh_from_db()
    part = {"size": 5, "md5": "0" * 32, "etag": '"e"'}
    hear(
        upload,
        {"began": "nonce"},
        wanted(1, 2),
        {"sent": {"number": 1, **part}},
        wanted(3, 2, 2),
        {"sent": {"number": 2, **part}},
    )
    [answer] = answers
    assert (answer["round"], list(answer["urls"])) == (2, ["3", "4"])


def test_an_upload_that_was_given_up_is_not_fed_further(upload: Upload, answers: list[dict[str, Any]]) -> None:
    part = {"number": 1, "size": 5, "md5": "0" * 32, "etag": '"e"'}
    with pytest.raises(TransferFailed, match="given up") as failure:
        hear(upload, {"began": "nonce"}, wanted(1), {"sent": part})
    assert failure.value.retryable
    assert answers == []


@pytest.mark.parametrize(
    "done",
    [
        {"parts": 1, "size": 4},
        {"parts": 2, "size": 5},
        {"parts": 1, "size": 5, "upload": "another"},
    ],
)
def test_what_does_not_add_up_is_no_backup(upload: Upload, answers: list[dict[str, Any]], done: dict[str, Any]) -> None:
    hear(upload, {"began": "nonce"}, wanted(1))
    whole = {"upload": upload.tag, "raw_size": 9, "usage": {"seconds": 1, "cpu": 1, "memory": 1}}
    hear(upload, {"sent": {"number": 1, "size": 5, "md5": "0" * 32, "etag": '"e"'}}, {"done": whole | done})
    with pytest.raises(TransferFailed):
        upload._finish()
    assert Backup.objects.get().size is None


def test_what_a_program_said_is_redacted(upload: Upload, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload.run, "redact", lambda text: text.replace("hunter2", "***"))
    failed = {"stage": "anything", "message": "x ended.", "hint": "", "said": "password hunter2"}
    hear(upload, {"failed": failed})
    assert upload.failure
    assert upload.failure.message == "x ended. It said: password ***"
    assert upload.failure.stage == "upload"
