"""Reading backups back from a real store: whatever was changed there is found."""

from hashlib import md5, sha256
from random import Random
from typing import Any

import pytest
import zstandard

from backups.actions import verify_backup
from backups.models import Backup, BackupPart
from deploynix.actor import Actor
from jobs.models import Job
from jobs.models import Status as JobStatus
from jobs.runner import run_job
from tests import factories
from tests.backups.test_structure import WHOLE
from tests.examples import share
from tests.lab.seaweedfs import BUCKET, SeaweedFs
from tests.lab.stores import client_of, credential

pytestmark = [pytest.mark.lab, pytest.mark.elsewhere, pytest.mark.soak, pytest.mark.django_db(transaction=True)]
PART = 3000
random = Random(1)  # noqa: S311 -- the same bits in every run


def put(store: SeaweedFs, backup: Backup, content: bytes) -> None:
    client_of(store.url).put_object(Bucket=BUCKET, Key=backup.key, Body=content)


def stored(owner: Actor, store: SeaweedFs, plain: bytes, **fields: Any) -> tuple[Backup, bytes]:
    """A backup in the store, in parts of a few bytes, and what is in the store."""
    content = fields.pop("content", None) or zstandard.ZstdCompressor(write_checksum=True).compress(plain)
    server = factories.server(owner.organization, database_type="mariadb")
    backup = factories.backup(
        credential(owner.organization, store.url),
        database=factories.database(server, name="shop"),
        bucket=BUCKET,
        **{"size": len(content), "raw_size": len(plain), "sha256": sha256(content).hexdigest(), **fields},
    )
    for number, start in enumerate(range(0, len(content), PART), 1):
        end = min(start + PART, len(content))
        so_far = sha256(content[:end]).hexdigest()
        BackupPart.objects.create(backup=backup, number=number, size=end - start, sha256=so_far, etag="")
    put(store, backup, content)
    return backup, content


def unread(backup: Backup, content: bytes) -> None:
    """The same as if it had just been sent: the sums are those of each part, what it unpacks to is known about."""
    Backup.objects.filter(pk=backup.pk).update(verified_at=None, sha256="", raw_size=(backup.raw_size or 0) + 7000)
    for part in backup.parts.all():
        start = PART * (part.number - 1)
        part.md5 = md5(content[start : start + part.size], usedforsecurity=False).hexdigest()
        part.sha256 = ""
        part.save()
    backup.refresh_from_db()


def verified(owner: Actor, backup: Backup) -> Job:
    job = verify_backup(owner, backup=backup)
    run_job(job.pk)
    job.refresh_from_db()
    backup.refresh_from_db()
    return job


def random_dump() -> bytes:
    """What compresses so badly that the object has some parts."""
    rows = b"\n".join(b"(" + random.randbytes(40).hex().encode() + b")," for _ in range(300))
    return WHOLE["mariadb"].replace(b"INSERT INTO `t` VALUES\n", b"", 8000).replace(b"\n--\n", b"\n--\n" + rows, 1)


@pytest.mark.parametrize("engine", WHOLE)
def test_a_whole_one_is_good(owner: Actor, store: SeaweedFs, engine: str) -> None:
    backup, _ = stored(owner, store, WHOLE[engine], engine=engine, verified_at=None)
    job = verified(owner, backup)
    assert (job.status, backup.fault) == (JobStatus.SUCCEEDED, ""), job.error
    assert backup.verified_at


def sums(backup: Backup) -> tuple[str, list[str], int | None]:
    backup.refresh_from_db()
    return backup.sha256, [part.sha256 for part in backup.parts.all()], backup.raw_size


@pytest.mark.parametrize("engine", WHOLE)
def test_the_first_reading_writes_down_what_later_ones_compare(owner: Actor, store: SeaweedFs, engine: str) -> None:
    backup, content = stored(owner, store, WHOLE[engine], engine=engine)
    before = sums(backup)
    unread(backup, content)
    job = verified(owner, backup)
    assert (job.status, sums(backup)) == (JobStatus.SUCCEEDED, before), job.error
    assert backup.is_good


def test_a_first_reading_that_finds_a_fault_writes_no_sums_down(owner: Actor, store: SeaweedFs) -> None:
    backup, content = stored(owner, store, random_dump())
    before = sums(backup)
    unread(backup, content)
    put(store, backup, content[:PART] + bytes([content[PART] ^ 1]) + content[PART + 1 :])
    assert verified(owner, backup).status == JobStatus.FAILED
    assert backup.fault.startswith("Part 2 of the object in the store is not what was sent")
    assert sums(backup) == ("", [""] * backup.parts.count(), (before[2] or 0) + 7000)
    put(store, backup, content)
    assert verified(owner, backup).status == JobStatus.SUCCEEDED
    assert sums(backup) == before


def test_an_unread_one_without_parts_is_nothing_to_rely_on(owner: Actor, store: SeaweedFs) -> None:
    backup, content = stored(owner, store, random_dump())
    unread(backup, content)
    backup.parts.all().delete()
    assert verified(owner, backup).status == JobStatus.FAILED
    assert "is not what was sent" in backup.fault


@pytest.mark.parametrize("is_first", [True, False])
def test_every_flipped_bit_is_found(owner: Actor, store: SeaweedFs, is_first: bool) -> None:
    backup, content = stored(owner, store, random_dump())
    assert len(content) > 3 * PART
    if is_first:
        unread(backup, content)
    for _ in range(share(2)):
        bit = random.randrange(8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        put(store, backup, bytes(changed))
        job = verified(owner, backup)
        assert job.status == JobStatus.FAILED, bit
        part = bit // 8 // PART + 1
        assert backup.fault.startswith(f"Part {part} of the object in the store is not what was sent"), bit
    put(store, backup, content)
    assert verified(owner, backup).status == JobStatus.SUCCEEDED
    assert backup.fault == ""


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("size", [0, 1, PART, -1])
def test_an_object_of_another_size_is_found(owner: Actor, store: SeaweedFs, size: int, is_first: bool) -> None:
    backup, content = stored(owner, store, random_dump())
    if is_first:
        unread(backup, content)
    put(store, backup, content[:size] if size >= 0 else content + b"\0")
    assert verified(owner, backup).status == JobStatus.FAILED
    assert "is not" in backup.fault


def test_an_object_that_is_gone_is_found(owner: Actor, store: SeaweedFs) -> None:
    backup, _ = stored(owner, store, random_dump())
    client_of(store.url).delete_object(Bucket=BUCKET, Key=backup.key)
    assert verified(owner, backup).status == JobStatus.FAILED
    assert "has no object" in backup.fault


def test_a_dump_that_was_never_whole_is_found(owner: Actor, store: SeaweedFs) -> None:
    backup, _ = stored(owner, store, random_dump()[:-20])
    assert verified(owner, backup).status == JobStatus.FAILED
    assert "stored as it was sent" in backup.fault
    assert "lacks the last line" in backup.fault


def test_of_an_encrypted_one_checksum_and_header_are_looked_at(owner: Actor, store: SeaweedFs) -> None:
    encrypted = b"age-encryption.org/v1\n-> X25519 abc\n" + random.randbytes(2 * PART)
    how = {"encryption": "age", "recipient": "age1xyz"}
    backup, _ = stored(owner, store, b"", content=encrypted, **how)
    assert verified(owner, backup).status == JobStatus.SUCCEEDED
    put(store, backup, encrypted[:-1] + b"\0" if encrypted[-1] else encrypted[:-1] + b"\1")
    assert verified(owner, backup).status == JobStatus.FAILED
    backup, _ = stored(owner, store, b"", content=encrypted[30:], **how)
    assert verified(owner, backup).status == JobStatus.FAILED
    assert "does not begin" in backup.fault


def test_a_store_that_cannot_be_read_says_nothing_about_the_backup(owner: Actor, store: SeaweedFs) -> None:
    backup, _ = stored(owner, store, random_dump())
    backup.credential.settings["endpoint"] = "http://127.0.0.1:9"
    backup.credential.save()
    assert verified(owner, backup).status != JobStatus.SUCCEEDED
    assert (backup.fault, backup.is_good) == ("", True)
