"""Wasabi. https://docs.wasabi.com/docs/what-are-the-service-urls-for-wasabis-different-storage-regions"""

from dataclasses import replace

from providers.clients.aws import KEY_FIELDS, OPTIONAL_NOTE, REGION
from providers.contracts.storage import BUCKET, PREFIX, StorageProvider


class Wasabi(StorageProvider):
    key = "wasabi"
    label = "Wasabi"
    console_url = "https://console.wasabisys.com/access_keys"
    fields = (
        *KEY_FIELDS,
        replace(REGION, help_text="For example us-east-1; the endpoint, https://s3.us-east-1.wasabisys.com, follows."),
        BUCKET,
        PREFIX,
    )
    steps = (
        "Open the Wasabi console and create a bucket in the region that you prefer.",
        "Open Policies → Create Policy, and paste the policy shown here.",
        "Open Users → Create User of the type Programmatic, and attach that policy.",
        "Copy the Access Key and the Secret Key of the user: the secret is shown once.",
    )
    notes = (
        "The key of the root user opens every bucket: use one of a user with the policy shown here.",
        "Wasabi bills what is deleted early as if it had stayed for its shortest time, 90 days by default.",
        OPTIONAL_NOTE,
    )

    @property
    def endpoint(self) -> str | None:
        return self.endpoint_url or f"https://s3.{self.region}.wasabisys.com"
