"""Objects in the store of a backup: sent in parts by somebody else, read, deleted."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from botocore.exceptions import IncompleteReadError
from django.conf import settings

from backups.models import Backup, Schedule
from deploynix.errors import Error
from providers.contracts.storage import StorageProvider
from providers.errors import MissingPermission, NotFound, RateLimited, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CHUNK = 1024 * 1024
# Attempts to go on reading that bring nothing more.
MOST_FRUITLESS = 4


class OrphanStays(Error):
    """Parts of an upload that nobody will finish cannot be removed. `retryable` as in every error."""

    status = 409
    code = "orphan_stays"

    def __init__(self, storage: StorageProvider, bucket: str, key: str, upload_id: str) -> None:
        super().__init__(
            f"{storage.label} does not let the credential remove the parts of the upload that failed: they stay in"
            f" {bucket} under the key {key}, upload id {upload_id}.",
            "Allow s3:AbortMultipartUpload and retry, or give the bucket a lifecycle rule that removes unfinished"
            " uploads (AbortIncompleteMultipartUpload, DaysAfterInitiation 7). Until then they may cost.",
        )


def storage_of(row: Backup | Schedule) -> StorageProvider:
    """Its store. Each one connects anew: who asks often keeps it. Raises Unopenable."""
    return cast(StorageProvider, row.credential.adapter)


def address_of(storage: StorageProvider, backup: Backup) -> dict[str, str | int | bool]:
    """Where its object is, as the program on a server wants to know it: `{"host", "port", "tls", "authorities"}`.

    The last are certificates in PEM, which it believes besides those that the server knows.
    """
    with storage.asking():
        url = storage.client.generate_presigned_url("get_object", Params={"Bucket": backup.bucket, "Key": backup.key})
    parts = urlsplit(url)
    has_tls = parts.scheme == "https"
    bundle = Path(settings.OUTBOUND_CA_BUNDLE).read_text() if has_tls and settings.OUTBOUND_CA_BUNDLE else ""
    port = parts.port or (443 if has_tls else 80)
    return {"host": parts.hostname or "", "port": port, "tls": has_tls, "authorities": bundle}


def start_upload(storage: StorageProvider, bucket: str, key: str) -> str:
    """The id of a new upload. Raises ProviderError and Refused, as the others do."""
    with storage.asking():
        return storage.client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]


def part_urls(
    storage: StorageProvider, bucket: str, key: str, upload_id: str, numbers: Iterable[int], seconds: int
) -> dict[int, str]:
    """Addresses that take one part each by PUT, for so long. They are secrets."""
    with storage.asking():
        return {
            number: storage.client.generate_presigned_url(
                "upload_part",
                Params={"Bucket": bucket, "Key": key, "UploadId": upload_id, "PartNumber": number},
                ExpiresIn=seconds,
            )
            for number in numbers
        }


def complete_upload(storage: StorageProvider, backup: Backup) -> None:
    """Makes the parts one object. Done twice it is no error. Raises NotFound where the upload is gone."""
    parts = backup.parts.order_by("number").values_list("number", "etag")
    listed: list[CompletedPartTypeDef] = [{"PartNumber": number, "ETag": etag} for number, etag in parts]
    with suppress(NotFound), storage.asking():
        if backup.upload_id:
            storage.client.complete_multipart_upload(
                Bucket=backup.bucket, Key=backup.key, UploadId=backup.upload_id, MultipartUpload={"Parts": listed}
            )
            return
    if backup.size is None or size_of(storage, backup) != backup.size:
        raise NotFound("The parts that were uploaded are gone from the store.", "Retry: they are uploaded again.")


def size_of(storage: StorageProvider, backup: Backup) -> int | None:
    """Of its object, in bytes; None where there is none."""
    try:
        with storage.asking():
            return storage.client.head_object(Bucket=backup.bucket, Key=backup.key)["ContentLength"]
    # Who may not list is not told that an object is missing.
    except (NotFound, MissingPermission):
        return None


def abort_upload(storage: StorageProvider, bucket: str, key: str, upload_id: str) -> None:
    """Removes the parts of an upload; of all uploads of the key, where the credential may list them.

    `upload_id` may be empty. That there is none is no error. Raises OrphanStays.
    """
    with suppress(MissingPermission):
        for found in uploads_of(storage, bucket, key):
            _abort(storage, bucket, key, found)
    if upload_id:
        _abort(storage, bucket, key, upload_id)


def uploads_of(storage: StorageProvider, bucket: str, key: str) -> list[str]:
    """The ids of unfinished uploads of exactly this key."""
    with storage.asking():
        pages = storage.client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=key)
        return [row["UploadId"] for page in pages for row in page.get("Uploads", ()) if row["Key"] == key]


def _abort(storage: StorageProvider, bucket: str, key: str, upload_id: str) -> None:
    try:
        with suppress(NotFound), storage.asking():
            storage.client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except MissingPermission as error:
        raise OrphanStays(storage, bucket, key, upload_id) from error


def download_url(backup: Backup, seconds: int) -> str:
    """An address that opens the object to whoever has it, for so long."""
    storage = storage_of(backup)
    with storage.asking():
        return storage.client.generate_presigned_url(
            "get_object", Params={"Bucket": backup.bucket, "Key": backup.key}, ExpiresIn=seconds
        )


def read(backup: Backup) -> Iterator[bytes]:
    """The object piece by piece, in constant memory; a connection that breaks is taken up where it broke.

    Raises NotFound, and ProviderError where nothing more comes, or where it became another object meanwhile.
    """
    storage = storage_of(backup)
    offset, size, etag, fruitless = 0, -1, "", 0
    while offset != size:
        before = offset
        with suppress(Unavailable, RateLimited), storage.asking(), suppress(IncompleteReadError):
            wanted = {"Range": f"bytes={offset}-", "IfMatch": etag} if offset else {}
            answer = storage.client.get_object(Bucket=backup.bucket, Key=backup.key, **wanted)  # type: ignore[arg-type]
            size, etag = offset + answer["ContentLength"], answer["ETag"]
            with answer["Body"] as body:
                while chunk := body.read(CHUNK):
                    offset += len(chunk)
                    yield chunk
        fruitless = 0 if offset > before else fruitless + 1
        if offset != size and fruitless > MOST_FRUITLESS:
            raise Unavailable(f"{storage.label} does not send more than {offset} bytes of {backup.key}.")
        if fruitless:
            time.sleep(2**fruitless)


def delete(backup: Backup) -> None:
    """It is no error where it is gone."""
    storage = storage_of(backup)
    with storage.asking():
        storage.client.delete_object(Bucket=backup.bucket, Key=backup.key)
