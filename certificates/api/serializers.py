"""Certificates as the API shows and takes them."""

from typing import Any

from rest_framework import serializers

from certificates.acme.directories import DEFAULT, DIRECTORIES
from certificates.actions.checks import MOST_NAMES
from certificates.models import Challenge, KeyType, Reason, Source, Status
from certificates.pem import LONGEST_TEXT
from deploynix.api.schema import EXAMPLE_ID
from deploynix.api.serializers import Input, Output, Query

UPLOAD = frozenset({"chain", "private_key"})


def name_list(**options: Any) -> serializers.ListField:
    help_text = "For example shop.example.com, or *.shop.example.com for all names below it."
    return serializers.ListField(child=serializers.CharField(max_length=255), help_text=help_text, **options)


class CertificateOutput(Output):
    id = serializers.CharField()
    server_id = serializers.CharField()
    site_id = serializers.CharField()
    source = serializers.ChoiceField(choices=Source.choices)  # type: ignore[assignment] # a field is not its options
    status = serializers.ChoiceField(
        choices=Status.choices, help_text="active: the server serves it, which was read back by a TLS handshake."
    )
    names = name_list()
    challenge = serializers.ChoiceField(choices=Challenge.choices, allow_blank=True)
    directory_url = serializers.CharField(allow_null=True, help_text="The ACME directory; null for an uploaded one.")
    credential_id = serializers.CharField(
        allow_null=True, help_text="The DNS credential that was chosen; null where it is found by itself."
    )
    key_type = serializers.ChoiceField(choices=KeyType.choices)
    preferred_chain = serializers.CharField()
    issuer = serializers.CharField(allow_null=True)
    serial = serializers.CharField(allow_null=True)
    fingerprint = serializers.CharField(allow_null=True, help_text="SHA-256 of the certificate.")
    not_before = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    renew_at = serializers.DateTimeField(allow_null=True, help_text="When it is next renewed, or tried again.")
    failures = serializers.IntegerField(help_text="So many attempts in a row have failed.")
    failed_at = serializers.DateTimeField(allow_null=True)
    error = serializers.CharField()
    hint = serializers.CharField()
    alarm = serializers.CharField(help_text="Why somebody is needed; empty where all is well.")
    alarmed_at = serializers.DateTimeField(allow_null=True)
    rehearsed_at = serializers.DateTimeField(
        allow_null=True, help_text="When its renewal was last tried, at a staging CA."
    )
    rehearsal_error = serializers.CharField(help_text="Why that failed.")
    served_at = serializers.DateTimeField(allow_null=True, help_text="When a handshake last found it on the server.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    job_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    example = {
        "id": EXAMPLE_ID,
        "server_id": "01JAZ5P3C7D9E1F3G5H7J9K1M3",
        "site_id": "01JAZ5Q7R1T3V5X7Z9B1D3F5H7",
        "source": "acme",
        "status": "active",
        "names": ["shop.example.com", "*.shop.example.com"],
        "challenge": "dns-01",
        "directory_url": DIRECTORIES[DEFAULT].url,
        "credential_id": None,
        "key_type": "ecdsa",
        "preferred_chain": "",
        "issuer": "E7",
        "serial": "05a1c9f27e0d4b8833e6b1f0a94c7d21ee58",
        "fingerprint": "3b7f0c1d9e5a2468ace013579bdf02468ace13579bdf02468ace13579bdf0246",
        "not_before": "2026-04-16T09:31:12Z",
        "not_after": "2026-07-15T09:31:11Z",
        "renew_at": "2026-06-14T22:10:40Z",
        "failures": 0,
        "failed_at": None,
        "error": "",
        "hint": "",
        "alarm": "",
        "alarmed_at": None,
        "rehearsed_at": None,
        "rehearsal_error": "",
        "served_at": "2026-04-16T10:30:20Z",
        "revoked_at": None,
        "job_id": "01JAZ5R0M8Q2W4E6T8Y0P2A4SD",
        "created_at": "2026-04-16T10:29:58Z",
        "updated_at": "2026-04-16T10:30:20Z",
    }


class CertificateQuery(Query):
    status = serializers.ChoiceField(choices=Status.choices, required=False)


class CertificateInput(Input):
    """What is to be issued; or a chain with its key, which is then installed as it is."""

    names = name_list(required=False, min_length=1, max_length=MOST_NAMES)
    domain = serializers.CharField(
        max_length=255, required=False, help_text="A domain of yours: names at or below it may be among the names, too."
    )
    challenge = serializers.ChoiceField(
        choices=Challenge.choices, required=False, help_text="Chosen by itself, if not given; a wildcard needs dns-01."
    )
    credential_id = serializers.CharField(
        max_length=26,
        required=False,
        help_text="The id of the DNS credential that holds the zone; found by itself, if not given.",
    )
    directory_url = serializers.CharField(
        max_length=500, required=False, help_text=f"https:// and so on, or one of {', '.join(DIRECTORIES)}."
    )
    email = serializers.EmailField(required=False, help_text="Where the certificate authority reaches you.")
    eab_kid = serializers.CharField(
        max_length=255, required=False, help_text="The key id of an external account binding, where the directory asks."
    )
    eab_key = serializers.CharField(
        max_length=1000, required=False, help_text="Its HMAC key, in base64url. It is not shown again."
    )
    key_type = serializers.ChoiceField(choices=KeyType.choices, required=False, help_text="ecdsa, if not given.")
    preferred_chain = serializers.CharField(
        max_length=255, required=False, help_text="The common name of the root, where several are offered."
    )
    chain = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, help_text="To upload one: PEM, the certificate itself first."
    )
    private_key = serializers.CharField(
        max_length=LONGEST_TEXT, required=False, help_text="With `chain`: PEM, without a passphrase. It is never shown."
    )

    example = {"names": ["shop.example.com", "*.shop.example.com"], "challenge": "dns-01"}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = attrs.keys() & UPLOAD
        if not given:
            return attrs
        missing = {name: [f"The {name.replace('_', ' ')} field is required."] for name in UPLOAD - given}
        extra = {name: ["What is uploaded is taken as it is: leave this out."] for name in attrs.keys() - UPLOAD}
        if missing or extra:
            raise serializers.ValidationError(missing | extra)
        return attrs


class RevokeInput(Input):
    reason = serializers.ChoiceField(
        choices=Reason.choices, required=False, help_text="unspecified, if not given. See RFC 5280, section 5.3.1."
    )

    example = {"reason": "superseded"}


class ChainOutput(Output):
    chain = serializers.CharField(help_text="PEM, the certificate itself first.")
    fingerprint = serializers.CharField(help_text="SHA-256 of the certificate.")

    example = {
        "chain": "-----BEGIN CERTIFICATE-----\nMIIDmzCCAyGgAwIBAgISBaHJ8n4NS4gz5rHwqUx9Ie5YMAoGCCqGSM49BAMDMDIx\n...\n",
        "fingerprint": CertificateOutput.example["fingerprint"],
    }
