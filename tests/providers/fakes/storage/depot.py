"""A store whose secret is a key file of several lines."""

from typing import Any

from providers.base import Field, Findings, Kind, Permission, PermissionCheck, Provider, Verdict


class Depot(Provider):
    kind = Kind.STORAGE
    key = "depot"
    label = "Depot"
    credential = "Key File"
    fields = (
        Field("bucket", "Bucket"),
        Field("key_file", "Key File", secret=True, is_long=True),
    )
    permissions = (Permission("write", "Objects: write", "Stores backups."),)
    used_for = ("Store backups",)
    steps = ("Make a bucket.",)

    def verify(self) -> Findings:
        return Findings((PermissionCheck("write", Verdict.GRANTED, "PUT canary: 200"),))

    def policy(self) -> dict[str, Any]:
        return {"Resource": f"depot:{self.values.get('bucket') or 'YOUR-BUCKET'}/*"}
