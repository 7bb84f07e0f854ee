"""What all have in common that are signed as Amazon's API is. https://docs.aws.amazon.com/IAM/latest/UserGuide/"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, SSLError
from botocore.exceptions import ConnectionError as NotConnected
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError

from deploynix.http import Unreachable
from providers.answers import reading
from providers.base import DEFAULT_PAUSE, Field, Permission, PermissionCheck, Provider, Verdict
from providers.clients.aws_session import connect
from providers.errors import (
    Conflict,
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)

HOME_REGION = "us-east-1"
CERTIFICATE = "Check its address. An authority of your own is believed once OUTBOUND_CA_BUNDLE names it."
KEY_FIELDS = (
    Field("access_key_id", "Access Key ID", pattern=r"[^\s:/,]{3,128}", changes_with_secret=True),
    Field("secret_access_key", "Secret Access Key", secret=True),
)
REGION = Field("region", "Region", pattern=r"[a-z0-9-]{2,40}", help_text="For example eu-central-1.")

OWN_USER = "user"
OWN_USER_PERMISSION = Permission(
    OWN_USER,
    "An IAM user of its own",
    "The key of the root user or of an administrator would open the whole account to whoever finds it.",
)
USER_STEPS = (
    "Open the IAM console, and there Users → Create user; name it deploynix.",
    "Choose Attach policies directly → Create policy → JSON, paste the policy shown here and save it.",
    "Select that policy for the user, and choose Create user.",
    "Open the user → Security credentials → Create access key, for the use case Third-party service.",
    "Copy the Access Key ID and the Secret Access Key: the secret is shown once.",
)
# The names of a policy's statements.
NEEDED, OPTIONAL = "Needed", "Optional"
OPTIONAL_NOTE = f"The policy's statement {OPTIONAL} is for the optional permissions: leave it out if you do without."
ALARM_NOTE = "A check tries each action without effect. What is denied shows in CloudTrail, which may raise an alarm."
IAM_CONSOLE = "https://console.aws.amazon.com/iam/home#/users"

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
UNKNOWN_KEY = frozenset(
    {
        *("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
        *("ExpiredToken", "InvalidToken", "IncompleteSignature", "MissingAuthenticationToken"),
    }
)
BUSY = frozenset(
    {
        *("Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown", "TooManyRequestsException"),
        *("PriorRequestNotComplete", "BandwidthLimitExceeded"),
    }
)
WRONG_CLOCK = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
# EC2 says the second where others, and those that stand in for it, say the first.
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AllAccessDisabled"})
CONFLICTS = frozenset({"IdempotentParameterMismatch", "IncorrectInstanceState", "IncorrectState"})
HINTS = {
    "NoSuchBucket": "Check the name of the bucket and the region.",
    "NoSuchHostedZone": "Check the Hosted Zone ID: it begins with Z.",
    "VPCIdNotSpecified": "The region has no default VPC: make one in the VPC console under Actions.",
    "PendingVerification": "Amazon is still verifying the account.",
    "OptInRequired": "Enable the region in the account's settings.",
    "PermanentRedirect": "The bucket is in another region.",
    "AuthorizationHeaderMalformed": "The bucket is in another region.",
    "VcpuLimitExceeded": "Ask Amazon for a higher limit under Service Quotas.",
}
# What must be there for a probe to say anything.
MISSING_TARGET = frozenset({"NoSuchBucket", "NoSuchHostedZone"})
# The name of a permission, where it is not that of the call.
PERMISSIONS = {
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "s3:ListParts": "s3:ListMultipartUploadParts",
    "s3:HeadObject": "s3:GetObject",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:UploadPart": "s3:PutObject",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:DeleteObjects": "s3:DeleteObject",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose key it is, and whether that is more than it should be."""

    arn: str
    check: PermissionCheck


class AwsProvider(Provider):
    credential = "Access Key"
    # The service that its main calls go to, as its permissions name it: `ec2`.
    service: ClassVar[str]
    # Tests override it.
    endpoint_url: ClassVar[str | None] = None

    @property
    def region(self) -> str:
        return self.values.get("region") or HOME_REGION

    @property
    def endpoint(self) -> str | None:
        """Where all services are; None at Amazon, where each has an address of its own."""
        return self.endpoint_url

    def connect(self, service: str, region: str = "", **config: Any) -> Any:
        """A client of boto3. Its calls are made inside `asking`. Raises ProviderError."""
        key, secret = self.values["access_key_id"], self.values["secret_access_key"]
        try:
            return connect(service, key, secret, region or self.region, self.endpoint, **config)
        except (BotoCoreError, ValueError) as error:
            raise ProviderError(
                f"{self.label} cannot be asked: {error}", "Check the region and the endpoint."
            ) from error

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Inside, what goes wrong becomes a ProviderError, or Refused."""
        with reading(self.label):
            try:
                yield
            except ClientError as error:
                raise self.error_of(error) from error
            except Unreachable as error:
                raise Unavailable(f"{self.label}: {error.message}") from error
            except SSLError as error:
                raise ProviderError(
                    f"{self.label} shows a certificate that is not valid for it.", CERTIFICATE
                ) from error
            except (HTTPClientError, NotConnected, HTTPError) as error:
                raise Unavailable(f"{self.label} cannot be reached.") from error
            except ResponseParserError as error:
                raise Unavailable(f"{self.label} answered something that makes no sense.") from error
            except BotoCoreError as error:
                raise ProviderError(f"{self.label} cannot be asked: {error}") from error

    def error_of(self, error: ClientError) -> ProviderError:
        code, status = code_of(error), status_of(error)
        text = text_of(error)
        message = f"{self.label} answered {answer_of(error)}{': ' if text else '.'}{text}"
        if code in WRONG_CLOCK:
            return ProviderError(message, "The clock of this machine is wrong: set it by NTP.")
        if status == 401 or code in UNKNOWN_KEY:
            return InvalidCredential(message, f"Make a new {self.credential} and replace this one with it.")
        if status == 429 or code in BUSY:
            return RateLimited(self.label, _retry_after(error))
        if status == 403 or code in DENIED:
            permission = self.permission_of(error)
            return MissingPermission(permission, message, self.how_to_grant(permission))
        if status == 404 or code.endswith((".NotFound", ".Malformed")):
            return NotFound(message, HINTS.get(code, ""))
        if status == 409 or code in CONFLICTS or code.endswith(".Duplicate"):
            return Conflict(message)
        if status >= 500:
            return Unavailable(message)
        return ProviderError(message, HINTS.get(code, ""))

    def permission_of(self, error: ClientError) -> str:
        name = f"{self.service}:{error.operation_name}"
        return PERMISSIONS.get(name, name)

    def how_to_grant(self, permission: str) -> str:
        return f"Allow {permission} in the policy of the user whose key this is, then check it again."

    def tried(self, permission: str, call: Callable[[], object]) -> PermissionCheck:
        """Whether a call is let through. One that names something made up is, where that is all that is wrong.

        Raises InvalidCredential, RateLimited, Unavailable, and NotFound for a bucket or zone that there is not.
        """
        try:
            with self.asking():
                call()
        except MissingPermission as error:
            return PermissionCheck(permission, Verdict.DENIED, _evidence(permission, error), error.hint)
        except (InvalidCredential, RateLimited, Unavailable):
            raise
        except ProviderError as error:
            if _code_behind(error) in MISSING_TARGET:
                raise
            is_through = isinstance(error, NotFound | Conflict) or _code_behind(error) == "DryRunOperation"
            verdict = Verdict.GRANTED if is_through else Verdict.UNTESTABLE
            return PermissionCheck(permission, verdict, _evidence(permission, error))
        return PermissionCheck(permission, Verdict.GRANTED, f"{permission}: 200")

    def owner(self) -> Owner:
        """Amazon tells every key whose it is. An administrator is recognized by what no policy of ours allows."""
        with self.asking():
            arn = str(self.connect("sts").get_caller_identity()["Arn"])
        seen = f"sts:GetCallerIdentity: 200, {arn}."
        fix = "Make an IAM user with just the policy shown here, use its key, and delete this one."
        if arn.endswith(":root"):
            return Owner(arn, PermissionCheck(OWN_USER, Verdict.EXCESS, f"{seen} That is the root user.", fix))
        looked = self.tried("iam:GetAccountSummary", self.connect("iam").get_account_summary)
        if looked.verdict == Verdict.GRANTED:
            evidence = f"{seen} {looked.evidence}: it may do more than the policy allows."
            return Owner(arn, PermissionCheck(OWN_USER, Verdict.EXCESS, evidence, fix))
        return Owner(arn, PermissionCheck(OWN_USER, Verdict.GRANTED, f"{seen} {looked.evidence}."))

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`accessKeyId:secretAccessKey`, or with `:region` behind it. Raises ValueError."""
        parts = text.split(":")
        if len(parts) not in (2, 3) or not all(parts):
            raise ValueError("it is written accessKeyId:secretAccessKey, or accessKeyId:secretAccessKey:region")
        return dict(zip(("access_key_id", "secret_access_key", "region"), parts, strict=False))


def allow(name: str, actions: Sequence[str] | str, resource: str) -> Mapping[str, Any]:
    """A statement of a policy."""
    return {"Sid": name, "Effect": "Allow", "Action": actions, "Resource": resource}


def policy_of(*statements: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def answer_of(error: ClientError) -> str:
    """Its status, and its code where it has one: `403 AccessDenied`."""
    return f"{status_of(error)} {code_of(error)}".rstrip()


def text_of(error: ClientError) -> str:
    """Shortened: EC2 appends an encoded explanation that only an administrator can read."""
    text = str(error.response.get("Error", {}).get("Message", "")).partition("Encoded authorization failure")[0]
    return " ".join(text.split())[:300]


def _retry_after(error: ClientError) -> float:
    text = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("retry-after", "")
    return float(text) if text.isdecimal() else DEFAULT_PAUSE


def _code_behind(error: ProviderError) -> str:
    return code_of(error.__cause__) if isinstance(error.__cause__, ClientError) else ""


def _evidence(permission: str, error: ProviderError) -> str:
    cause = error.__cause__
    said = answer_of(cause) if isinstance(cause, ClientError) else error.message
    return f"{permission}: {said}"
