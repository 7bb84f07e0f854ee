"""DigitalOcean Spaces. https://docs.digitalocean.com/products/spaces/reference/s3-compatibility/"""

from dataclasses import replace

from providers.base import Field
from providers.clients.aws import KEY_FIELDS, REGION
from providers.contracts.storage import BUCKET, PREFIX, StorageProvider


class Spaces(StorageProvider):
    key = "spaces"
    label = "DigitalOcean Spaces"
    credential = "Spaces Access Key"
    console_url = "https://cloud.digitalocean.com/spaces/access_keys"
    fields = (
        *KEY_FIELDS,
        replace(REGION, help_text="For example nyc3."),
        BUCKET,
        Field(
            "endpoint",
            "Endpoint",
            required=False,
            pattern=r"https://[a-z0-9.-]+\.digitaloceanspaces\.com/?",
            help_text="For example https://nyc3.digitaloceanspaces.com; empty, it follows from the region.",
        ),
        PREFIX,
    )
    steps = (
        "Open the DigitalOcean control panel, and there Spaces Object Storage → Create a Spaces Bucket.",
        "Open the tab Access Keys and choose Create Access Key.",
        "Choose Limited Access, select the bucket, and give it Read/Write/Delete.",
        "Copy the Access Key ID and the Secret Key: the secret is shown once.",
    )
    notes = (
        "A key with full access opens all Spaces of the account, also to delete them: limit it to the bucket.",
        "Only this bucket is looked at. Whether the key opens others is not tried.",
    )

    @property
    def endpoint(self) -> str | None:
        return self.endpoint_url or self.values.get("endpoint") or f"https://{self.region}.digitaloceanspaces.com"

    def policy(self) -> None:
        """Its keys carry grants, not policies."""
