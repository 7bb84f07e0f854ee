"""The store, as Amazon's rules have it: with exactly the policy that we ask for, and with less."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from pytest_django import Settings

from backups import store
from backups.kinds.making import ABORT
from backups.models import Backup, BackupPart, Status
from deploynix.actor import Actor, system_actor
from jobs.actions import enqueue_job
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from providers.contracts.storage import StorageProvider
from providers.errors import MissingPermission, NotFound, ProviderError, Unavailable
from providers.models import Credential
from providers.storage.s3 import AmazonS3
from servers.models import Database
from tests import factories
from tests.contract.aws import REGION, Moto, allow
from tests.contract.conftest import at_moto, moto

__all__ = ["at_moto", "moto"]

BUCKET, KEY = "acme-backups", "web-1/shop/one.sql.zst"
ARN = f"arn:aws:s3:::{BUCKET}"
OBJECTS = allow(["s3:PutObject", "s3:GetObject", "s3:DeleteObject"], f"{ARN}/*")
LISTING = allow(["s3:ListBucket"], ARN)
ABORTING = allow(["s3:AbortMultipartUpload"], f"{ARN}/*")
FINDING = allow(["s3:ListBucketMultipartUploads"], ARN)
PART = 5 * 1024 * 1024


@pytest.fixture(scope="module", autouse=True)
def _bucket(moto: Moto) -> None:
    with moto.unguarded():
        moto.root("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


@pytest.fixture(autouse=True)
def _path_style(at_moto: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StorageProvider, "is_path_style", True)


@pytest.fixture
def backup(database: Database, storage: Credential) -> Backup:
    return factories.backup(storage, database=database, status=Status.IN_PROGRESS, bucket=BUCKET, key=KEY)


def connected(backup: Backup, moto: Moto, *policies: Mapping[str, Any]) -> StorageProvider:
    """Gives the backup's credential a key that may do this."""
    key = moto.new_key(*policies)
    credential = backup.credential
    credential.provider = AmazonS3.key
    credential.settings = {"access_key_id": key["access_key_id"], "region": REGION, "bucket": BUCKET}
    credential.seal({"secret_access_key": key["secret_access_key"]})
    credential.save()
    return store.storage_of(backup)


def send(storage: StorageProvider, backup: Backup, *contents: bytes) -> None:
    """As the program on a server does: with nothing but the addresses."""
    backup.upload_id = store.start_upload(storage, backup.bucket, backup.key)
    urls = store.part_urls(storage, backup.bucket, backup.key, backup.upload_id, range(1, len(contents) + 1), 60)
    backup.parts.all().delete()
    for number, content in enumerate(contents, start=1):
        answer = requests.put(urls[number], data=content, timeout=30)
        assert answer.status_code == 200, answer.text
        sha256, etag = hashlib.sha256(content).hexdigest(), answer.headers["ETag"]
        BackupPart.objects.create(backup=backup, number=number, size=len(content), sha256=sha256, etag=etag)
    backup.size = sum(map(len, contents))
    backup.save()


def unfinished(moto: Moto) -> set[str]:
    with moto.unguarded():
        return {row["UploadId"] for row in moto.root("s3").list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())}


def test_exactly_the_needed_policy_is_enough(moto: Moto, backup: Backup) -> None:
    storage = connected(backup, moto, OBJECTS, LISTING)
    send(storage, backup, b"a" * PART, b"b" * 10)
    store.complete_upload(storage, backup)
    assert b"".join(store.read(backup)) == b"a" * PART + b"b" * 10
    assert requests.get(store.download_url(backup, 60), timeout=30).content[-11:] == b"a" + b"b" * 10
    assert unfinished(moto) == set()
    for _ in range(2):
        store.delete(backup)
    with pytest.raises(NotFound):
        next(store.read(backup))


@pytest.mark.parametrize("lacking", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])
def test_each_permission_that_is_missing_is_named(moto: Moto, backup: Backup, lacking: str) -> None:
    actions = [action for action in OBJECTS["Statement"][0]["Action"] if action != lacking]
    storage = connected(backup, moto, allow(actions, f"{ARN}/*"), LISTING)
    calls: dict[str, Callable[[], object]] = {
        "s3:PutObject": lambda: store.start_upload(storage, BUCKET, KEY),
        "s3:GetObject": lambda: next(store.read(backup)),
        "s3:DeleteObject": lambda: store.delete(backup),
    }
    with pytest.raises(MissingPermission, match="AccessDenied") as failure:
        calls[lacking]()
    assert failure.value.permission == lacking
    assert lacking in failure.value.hint


def test_completing_twice_is_no_error(moto: Moto, backup: Backup) -> None:
    storage = connected(backup, moto, OBJECTS, LISTING)
    send(storage, backup, b"whole")
    for _ in range(2):
        store.complete_upload(storage, backup)
    backup.upload_id = ""
    store.complete_upload(storage, backup)
    assert b"".join(store.read(backup)) == b"whole"
    store.delete(backup)
    assert store.size_of(storage, backup) is None


def test_an_upload_that_is_gone_is_told_from_one_that_is_complete(moto: Moto, backup: Backup) -> None:
    storage = connected(backup, moto, OBJECTS, LISTING, ABORTING)
    send(storage, backup, b"whole")
    store.abort_upload(storage, BUCKET, KEY, backup.upload_id)
    with pytest.raises(NotFound, match="gone from the store"):
        store.complete_upload(storage, backup)
    # An object of another size is not the one.
    storage.put(KEY, b"another")
    with pytest.raises(NotFound):
        store.complete_upload(storage, backup)
    store.delete(backup)


def test_aborting_finds_every_upload_of_the_key_and_no_other(moto: Moto, backup: Backup) -> None:
    storage = connected(backup, moto, OBJECTS, LISTING, ABORTING, FINDING)
    known, other = store.start_upload(storage, BUCKET, KEY), store.start_upload(storage, BUCKET, f"{KEY}.age")
    store.start_upload(storage, BUCKET, KEY)
    for _ in range(2):
        store.abort_upload(storage, BUCKET, KEY, known)
    assert unfinished(moto) == {other}
    store.abort_upload(storage, BUCKET, f"{KEY}.age", "")
    assert unfinished(moto) == set()


def test_an_orphan_that_must_stay_is_named_and_so_is_what_removes_it(moto: Moto, backup: Backup, owner: Actor) -> None:
    storage = connected(backup, moto, OBJECTS, LISTING)
    backup.upload_id, backup.status = store.start_upload(storage, BUCKET, KEY), Status.FAILED
    backup.save()
    system = system_actor(owner.organization)
    job = enqueue_job(system, kind=ABORT, subject=backup, label="Abort")
    for _ in range(2):
        Job.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED)
        run_job(job.pk)
        job.refresh_from_db()
        backup.refresh_from_db()
        assert job.status == JobStatus.FAILED
        for text in (job.error + job.hint, backup.hint):
            assert text.count(backup.upload_id) == text.count(KEY) == 1
            assert "s3:AbortMultipartUpload" in text
            assert "AbortIncompleteMultipartUpload" in text
    assert backup.upload_id
    connected(backup, moto, OBJECTS, LISTING, ABORTING)
    Job.objects.filter(pk=job.pk).update(status=JobStatus.QUEUED)
    run_job(job.pk)
    backup.refresh_from_db()
    assert (backup.upload_id, unfinished(moto)) == ("", set())


class Cutting(BaseHTTPRequestHandler):
    """A store with one object, which ends its answers early, and has another object from time to time."""

    content = bytes(range(256)) * 20_000
    etags: Iterator[str]
    most = 1_500_000

    def do_GET(self) -> None:
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
        etag = next(type(self).etags)
        if self.headers.get("If-Match", etag) != etag:
            self.send_response(412)
            self.end_headers()
            return
        rest = self.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.send_header("ETag", etag)
        self.end_headers()
        self.wfile.write(rest[: self.most])

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def cut_off(settings: Settings, backup: Backup, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Cutting]]:
    monkeypatch.setattr("backups.store.time.sleep", lambda seconds: None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cutting)
    monkeypatch.setattr("providers.clients.aws.AwsProvider.endpoint_url", f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, daemon=True).start()
    yield Cutting
    server.shutdown()
    server.server_close()


def test_reading_goes_on_where_the_connection_broke(
    cut_off: type[Cutting], backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_off, "etags", iter(['"one"'] * 100), raising=False)
    assert b"".join(store.read(backup)) == cut_off.content


def test_reading_ends_where_it_became_another_object(
    cut_off: type[Cutting], backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_off, "etags", iter(['"one"', *['"two"'] * 100]), raising=False)
    with pytest.raises(ProviderError, match="412"):
        b"".join(store.read(backup))


def test_reading_ends_where_nothing_more_comes(
    cut_off: type[Cutting], backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cut_off, "etags", iter(['"one"'] * 100), raising=False)
    monkeypatch.setattr(cut_off, "most", 0)
    with pytest.raises(Unavailable, match="does not send more than 0 bytes"):
        b"".join(store.read(backup))
