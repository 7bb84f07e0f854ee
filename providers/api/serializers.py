"""Providers and their credentials as the API shows and takes them."""

from rest_framework import serializers

from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query
from providers.base import Kind, Verdict
from providers.models import Status
from providers.values import LONGEST_FILE

KINDS = [kind.value for kind in Kind]
REGION = r"^[A-Za-z0-9._-]{1,64}\Z"
_FIELD = {
    "name": "api_token",
    "label": "API Token",
    "secret": True,
    "required": True,
    "help_text": "An API Token, not the Global API Key, which opens the whole account.",
    "pattern": "",
    "choices": [],
    "default": "",
}
_PERMISSION = {
    "key": "records",
    "label": "Zone → DNS → Edit",
    "reason": "Makes the TXT records that prove the domain is yours.",
    "optional": False,
}
_FINDING = {
    "permission": "records",
    "label": "Zone → DNS → Edit",
    "verdict": "denied",
    "evidence": "GET /zones/{zone}/dns_records: 403",
    "fix": "Give the API Token the permission Zone → DNS → Edit, then check it again.",
}
_CREDENTIAL = {
    "id": EXAMPLE_ID,
    "kind": "dns",
    "provider": "cloudflare",
    "name": "Zone of shop.example",
    "settings": {},
    "status": "limited",
    "status_reason": "",
    "account": "",
    "findings": [_FINDING],
    "checked_at": "2026-04-16T10:30:00Z",
    "expires_at": "2027-04-16T00:00:00Z",
    "created_at": "2026-04-16T10:25:00Z",
    "updated_at": "2026-04-16T10:25:00Z",
}


def _texts(help_text: str) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=help_text)


class ChoiceOutput(Output):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # shadows the field's own label on purpose


class FieldOutput(Output):
    name = serializers.CharField(help_text="The name in `values`.")
    label = serializers.CharField()  # type: ignore[assignment]  # the same
    secret = serializers.BooleanField(help_text="Stored encrypted, and never shown.")
    required = serializers.BooleanField()  # type: ignore[assignment]  # the same
    help_text = serializers.CharField()  # type: ignore[assignment]  # the same
    pattern = serializers.CharField(help_text="A regular expression for the whole value; empty for anything.")
    choices = ChoiceOutput(many=True)
    default = serializers.CharField()


class PermissionOutput(Output):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the same
    reason = serializers.CharField()
    optional = serializers.BooleanField(help_text="Without it everything works but what the reason says.")


class ProviderOutput(Output):
    provider = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    label = serializers.CharField()  # type: ignore[assignment]  # the same
    credential = serializers.CharField(help_text="What the credential is called at the provider.")
    fields = FieldOutput(many=True)  # type: ignore[assignment]  # the same
    permissions = PermissionOutput(many=True)
    used_for = _texts("What Deploynix does with the credential.")
    steps = _texts("How to make one, in order.")
    gates = _texts("What the account must fulfil first.")
    notes = _texts("What else to know.")
    console_url = serializers.CharField(help_text="Where people make the credential.")

    example = {
        "provider": "cloudflare",
        "kind": "dns",
        "label": "Cloudflare",
        "credential": "API Token",
        "fields": [_FIELD],
        "permissions": [_PERMISSION],
        "used_for": ["Find the zone of a domain"],
        "steps": ["Choose Create Token, and there the template Edit zone DNS."],
        "gates": [],
        "notes": ["A token that is limited to one zone works."],
        "console_url": "https://dash.cloudflare.com/profile/api-tokens",
    }


class ProviderQuery(Query):
    kind = serializers.ChoiceField(
        choices=KINDS, default=Kind.SERVER.value, help_text="server, dns, git or storage; server if not given."
    )


class ChosenQuery(Query):
    credential = serializers.CharField(
        required=False, max_length=26, help_text="Whose account is asked; the oldest of the provider's if not given."
    )


class RegionalQuery(ChosenQuery):
    region = serializers.RegexField(
        REGION, required=False, help_text="The credential's own, or else the first, if not given."
    )


class RegionOutput(Output):
    slug = serializers.CharField()
    name = serializers.CharField()

    example = {"slug": "fra1", "name": "Frankfurt 1"}


class ImageOutput(Output):
    slug = serializers.CharField()
    name = serializers.CharField()

    example = {"slug": "debian-13-x64", "name": "Debian 13"}


class SizeOutput(Output):
    slug = serializers.CharField()
    name = serializers.CharField()
    cpus = serializers.IntegerField()
    memory = serializers.FloatField(help_text="In GiB.")
    disk = serializers.IntegerField(help_text="In GiB.")
    monthly = serializers.CharField(allow_null=True, help_text="The price of a month; null where it is not told.")
    currency = serializers.CharField()

    example = {
        "slug": "s-2vcpu-2gb",
        "name": "Basic",
        "cpus": 2,
        "memory": 2.0,
        "disk": 60,
        "monthly": "18.00",
        "currency": "USD",
    }


class FindingOutput(Output):
    permission = serializers.CharField(help_text="Its key in the provider's declaration.")
    label = serializers.CharField()  # type: ignore[assignment]  # the same
    verdict = serializers.ChoiceField(
        choices=[verdict.value for verdict in Verdict], help_text="excess: the credential may do more than is needed."
    )
    evidence = serializers.CharField(help_text="The call that was made, and how it was answered.")
    fix = serializers.CharField(help_text="What to do about it.")


class CredentialOutput(Output):
    id = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    provider = serializers.CharField()
    name = serializers.CharField()
    settings = serializers.DictField(
        child=serializers.CharField(), help_text="Its fields that are no secrets. Secrets are not shown."
    )
    status = serializers.ChoiceField(choices=Status.choices, help_text="What the last verification found.")
    status_reason = serializers.CharField(help_text="Why it is invalid or cannot be reached, and what to do about it.")
    account = serializers.CharField(help_text="Whose it is, where the provider tells.")
    findings = FindingOutput(many=True)
    checked_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True, help_text="When it ends, where the provider tells.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = _CREDENTIAL


class GitProviderOutput(CredentialOutput):
    example = {
        **_CREDENTIAL,
        "kind": "git",
        "provider": "github",
        "name": "Acme at GitHub",
        "status": "ok",
        "account": "acme",
        "findings": [],
    }


class CredentialQuery(Query):
    kind = serializers.ChoiceField(choices=KINDS, required=False)
    provider = serializers.CharField(max_length=32, required=False)
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class CredentialChanges(Input):
    name = serializers.CharField(max_length=100, required=False)
    values = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=LONGEST_FILE, trim_whitespace=False),
        required=False,
        help_text="The fields that the provider declares, by name. A secret that is empty is kept.",
    )
    credential = serializers.CharField(
        max_length=LONGEST_FILE,
        required=False,
        help_text="In the place of `values`: the credential as one string, such as `apikey:secretapikey`.",
    )

    example = {"name": "Zone of shop.example, renewed"}


class NewCredential(CredentialChanges):
    provider = serializers.CharField(max_length=32)
    name = serializers.CharField(max_length=100)


class CredentialInput(NewCredential):
    kind = serializers.ChoiceField(choices=KINDS, default=Kind.SERVER.value, help_text="server, if not given.")

    example = {
        "kind": "dns",
        "provider": "cloudflare",
        "name": "Zone of shop.example",
        "values": {"api_token": "cfut_4Tn0wq8Yb2Kc7Rz1"},
    }


class GitProviderInput(NewCredential):
    example = {
        "provider": "github",
        "name": "Acme at GitHub",
        "values": {"access_token": "github_pat_4Tn0wq8Yb2Kc7Rz1"},
    }


class RepositoryOutput(Output):
    id = serializers.CharField(help_text="What the provider knows it by.")
    full_name = serializers.CharField()
    clone_url = serializers.CharField()
    ssh_url = serializers.CharField()
    default_branch = serializers.CharField()
    is_private = serializers.BooleanField()

    example = {
        "id": "acme/shop",
        "full_name": "acme/shop",
        "clone_url": "https://github.com/acme/shop.git",
        "ssh_url": "git@github.com:acme/shop.git",
        "default_branch": "main",
        "is_private": True,
    }


class RepositoryQuery(Query):
    search = serializers.CharField(required=False, max_length=255, help_text="Only those with this in their name.")
    page = serializers.CharField(
        required=False, max_length=1024, help_text="`next_page` of an earlier answer; the first page if not given."
    )
