"""Any store that speaks S3: MinIO, Ceph, SeaweedFS, Backblaze B2, Cloudflare R2."""

from dataclasses import replace

from providers.base import Field
from providers.clients.aws import HOME_REGION, KEY_FIELDS, OPTIONAL_NOTE, REGION
from providers.contracts.storage import BUCKET, ENDPOINT_PATTERN, PREFIX, StorageProvider

YES, NO = "yes", "no"


class Custom(StorageProvider):
    key = "custom"
    label = "Custom S3-compatible"
    fields = (
        *KEY_FIELDS,
        replace(REGION, default=HOME_REGION, help_text="What the store calls its region; many take any."),
        BUCKET,
        Field(
            "endpoint",
            "Endpoint",
            pattern=ENDPOINT_PATTERN,
            help_text="The address of the store, without the bucket: https://s3.example.com.",
        ),
        Field(
            "path_style",
            "Path-style URLs",
            required=False,
            choices=((NO, "No: bucket.s3.example.com"), (YES, "Yes: s3.example.com/bucket")),
            default=NO,
            help_text="Stores of one's own often need it.",
        ),
        PREFIX,
    )
    steps = (
        "Create a bucket in your store.",
        "Create an access key that may read, write, list and delete in this bucket, and nothing else.",
        "Where the store takes policies in Amazon's form, paste the one shown here.",
    )
    notes = (
        "MinIO, Ceph, SeaweedFS, Backblaze B2 and Cloudflare R2 are such stores.",
        "A store in a private network is reached only where the operator of this install has opened it.",
        "Use https: over http everybody on the way can read the backups.",
        OPTIONAL_NOTE,
    )

    @property
    def endpoint(self) -> str | None:
        return self.endpoint_url or self.values["endpoint"]

    @property
    def is_path_style(self) -> bool:
        return self.values.get("path_style") == YES
