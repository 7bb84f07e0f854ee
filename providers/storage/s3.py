"""Amazon S3. https://docs.aws.amazon.com/AmazonS3/latest/userguide/"""

from dataclasses import replace

from providers.base import Findings
from providers.clients.aws import (
    ALARM_NOTE,
    IAM_CONSOLE,
    KEY_FIELDS,
    OPTIONAL_NOTE,
    OWN_USER_PERMISSION,
    REGION,
    USER_STEPS,
)
from providers.contracts.storage import BUCKET, PERMISSIONS, PREFIX, StorageProvider


class AmazonS3(StorageProvider):
    key = "s3"
    label = "AWS S3"
    console_url = IAM_CONSOLE
    fields = (*KEY_FIELDS, REGION, BUCKET, PREFIX)
    permissions = (*PERMISSIONS, OWN_USER_PERMISSION)
    steps = (
        "Open the S3 console and choose Create bucket; leave Block all public access on.",
        *USER_STEPS,
        "Enter both here, with the region and the name of the bucket.",
    )
    notes = (
        "Nothing but this one bucket is looked at, and the names of your other buckets are never asked for.",
        "A lifecycle rule that aborts incomplete uploads after a week keeps failed ones from costing.",
        OPTIONAL_NOTE,
        ALARM_NOTE,
    )

    def verify(self) -> Findings:
        owner = self.owner()
        found = super().verify()
        return replace(found, checks=(*found.checks, owner.check), account=owner.arn)
