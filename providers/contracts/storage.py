"""The contract of storage providers: all of them speak Amazon's S3. https://docs.aws.amazon.com/AmazonS3/latest/API/

Names are relative to the prefix of the credential.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar, cast
from urllib.parse import urlsplit

from django.utils.functional import cached_property

from providers.answers import Told
from providers.base import Field, Findings, Kind, Permission, PermissionCheck, Verdict
from providers.clients.aws import NEEDED, OPTIONAL, AwsProvider, allow, policy_of
from providers.clients.aws_session import first_bytes
from providers.errors import ProviderError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PROBE = "deploynix-probe"
# It is well-formed, and no upload has it.
NO_UPLOAD = "0" * 32
PUT, GET, DELETE, LIST = "s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"
ABORT, PARTS, UPLOADS = "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:ListBucketMultipartUploads"
PERMISSIONS: tuple[Permission, ...] = (
    Permission(PUT, PUT, "Uploads backups."),
    Permission(GET, GET, "Reads backups back: to check each one after its upload, and to restore it."),
    Permission(DELETE, DELETE, "Deletes backups that are past their time."),
    Permission(LIST, LIST, "Lists the backups that are there."),
    Permission(
        ABORT, ABORT, "Removes the parts of an upload that failed. Without it they stay, and cost.", optional=True
    ),
    Permission(PARTS, PARTS, "Goes on with an upload that was cut off. Without it it starts over.", optional=True),
    Permission(UPLOADS, UPLOADS, "Finds uploads that were never finished. Without it they stay unseen.", optional=True),
)
USED_FOR = ("Upload backups and read them back", "List the backups that are there", "Delete old backups")
BUCKET = Field("bucket", "Bucket", pattern=r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
ENDPOINT_PATTERN = r"https?://[^/?#@\s]+/?"
PREFIX = Field(
    "prefix",
    "Prefix",
    required=False,
    pattern=r"[A-Za-z0-9!_.*'()/-]{0,200}",
    help_text="A folder in the bucket, for a bucket that holds other things too.",
)


@dataclass(frozen=True, slots=True)
class StoredObject(Told):
    """`size` is in bytes."""

    name: str
    size: int
    modified_at: datetime


class StorageProvider(AwsProvider):
    kind = Kind.STORAGE
    service = "s3"
    permissions: ClassVar[tuple[Permission, ...]] = PERMISSIONS
    used_for = USED_FOR

    @property
    def is_path_style(self) -> bool:
        """Whether the bucket is the first part of the path, and not of the host name."""
        return False

    @property
    def needs_equal_parts(self) -> bool:
        """Whether all parts of an upload but the last must have one size, as at Cloudflare.

        https://developers.cloudflare.com/r2/objects/upload-objects/
        """
        host = urlsplit(self.endpoint or "").hostname or ""
        return host.endswith(".r2.cloudflarestorage.com")

    @property
    def bucket(self) -> str:
        return self.values["bucket"]

    @property
    def prefix(self) -> str:
        """Empty, or with a slash behind it."""
        folder = self.values.get("prefix", "").strip("/")
        return f"{folder}/" if folder else ""

    @cached_property
    def client(self) -> "S3Client":
        """For what is not below: uploads in parts, signed addresses. Its calls are made inside `asking`."""
        style = "path" if self.is_path_style else "virtual"
        return cast("S3Client", self.connect("s3", signature_version="s3v4", s3={"addressing_style": style}))

    def key_of(self, name: str) -> str:
        return f"{self.prefix}{name}"

    def put(self, name: str, content: bytes) -> None:
        """Stores a small object, in the place of one that is there."""
        with self.asking():
            self.client.put_object(Bucket=self.bucket, Key=self.key_of(name), Body=content)

    def get(self, name: str, most: int) -> bytes:
        """The first `most` bytes of an object. Raises NotFound."""
        with self.asking():
            answer = self.client.get_object(Bucket=self.bucket, Key=self.key_of(name))
            with answer["Body"] as body:
                return first_bytes(body, most)

    def delete(self, name: str) -> None:
        """It is no error where it is gone."""
        with self.asking():
            self.client.delete_object(Bucket=self.bucket, Key=self.key_of(name))

    def objects(self, under: str = "") -> Iterator[StoredObject]:
        """Those whose names begin so, in the order of their names."""
        with self.asking():
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket, Prefix=self.key_of(under)):
                for row in page.get("Contents", ()):
                    yield StoredObject(row["Key"].removeprefix(self.prefix), row["Size"], row["LastModified"])

    def verify(self) -> Findings:
        """Puts an object, lists it, reads it back and deletes it; asks about an upload that there is not."""
        # Where nothing may be deleted, each check overwrites the object of the one before.
        deleting = self.tried(DELETE, lambda: self.delete(f"{PROBE}-{token_hex(8)}"))
        can_delete = deleting.verdict == Verdict.GRANTED
        name = f"{PROBE}-{token_hex(8)}" if can_delete else PROBE
        try:
            checks = (*self._object_checks(name), deleting, *self._upload_checks(name))
        finally:
            if can_delete:
                with suppress(ProviderError):
                    self.delete(name)
        return Findings(checks)

    def _object_checks(self, name: str) -> tuple[PermissionCheck, ...]:
        content, seen = token_hex(16).encode(), list[bytes]()
        putting = self.tried(PUT, lambda: self.put(name, content))
        listing = self.tried(LIST, lambda: next(self.objects(name), None))
        getting = self.tried(GET, lambda: seen.append(self.get(name, len(content))))
        is_stored = putting.verdict == Verdict.GRANTED
        if is_stored and seen not in ([], [content]):
            raise ProviderError(f"{self.label} gave back something else than it was given.", "Check the endpoint.")
        if Verdict.GRANTED not in (putting.verdict, listing.verdict, getting.verdict):
            # Who may not list is not told that an object is missing: it looks as if reading were denied.
            why = f"{getting.evidence}, which is also said of what is not there"
            getting = PermissionCheck(GET, Verdict.UNTESTABLE, why, f"Allow {PUT} or {LIST} first, then check again.")
        return putting, getting, listing

    def _upload_checks(self, name: str) -> tuple[PermissionCheck, ...]:
        where = {"Bucket": self.bucket, "Key": self.key_of(name), "UploadId": NO_UPLOAD}
        client = cast(Any, self.client)
        return (
            self.tried(ABORT, lambda: client.abort_multipart_upload(**where)),
            self.tried(PARTS, lambda: client.list_parts(**where)),
            self.tried(UPLOADS, lambda: client.list_multipart_uploads(Bucket=self.bucket, Prefix=self.key_of(PROBE))),
        )

    def policy(self) -> Mapping[str, Any] | None:
        bucket = f"arn:aws:s3:::{self.values.get('bucket') or 'YOUR-BUCKET-NAME'}"
        objects = f"{bucket}/{self.prefix}*"
        return policy_of(
            allow(f"{NEEDED}ForObjects", [PUT, GET, DELETE], objects),
            allow(f"{NEEDED}ForBucket", LIST, bucket),
            allow(f"{OPTIONAL}ForObjects", [ABORT, PARTS], objects),
            allow(f"{OPTIONAL}ForBucket", UPLOADS, bucket),
        )
