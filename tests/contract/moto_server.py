"""moto's server, with what it lacks.

Two calls of EC2 are made up here after Amazon's documentation:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html
And changes of DNS are held against what is there, where moto holds them against all that ever was:
https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html

python tests/contract/moto_server.py PORT
"""

import sys
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from botocore import xform_name
from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.iam.access_control import IAMRequest, S3IAMRequest
from moto.route53.exceptions import Route53ClientError
from moto.route53.models import Route53Backend
from moto.s3.exceptions import NoSuchUpload
from moto.s3.models import S3Backend
from moto.server import main

TASK = "replacevol-0123456789abcdef0"
aws_request = IAMRequest._create_aws_request
complete_upload = S3Backend.complete_multipart_upload
take_request, check_signature = S3IAMRequest.__init__, S3IAMRequest.check_signature
change_record_sets = Route53Backend.change_resource_record_sets


def create_replace_root_volume_task(self: Any) -> ActionResult:
    self.error_on_dryrun()
    return ActionResult({"ReplaceRootVolumeTask": {"ReplaceRootVolumeTaskId": TASK, "TaskState": "pending"}})


def describe_replace_root_volume_tasks(self: Any) -> ActionResult:
    self.error_on_dryrun()
    return ActionResult({"ReplaceRootVolumeTasks": []})


def create_aws_request(self: Any) -> Any:
    """Where there is no body, moto takes the headers for one, and finds the signature wrong."""
    if self._method == "GET":
        self._data = {}
    return aws_request(self)


def change_resource_record_sets(self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
    zone = self.get_hosted_zone(zoneid)
    there = {_place(vars(row)): (int(row.ttl or 0), row.records or []) for row in zone.rrsets}
    for change in change_list:
        row = change["ResourceRecordSet"]
        place, values = _place(row), [each["Value"] for each in row.get("ResourceRecords") or []]
        if change["Action"] == "CREATE" and place in there:
            raise _refusal("create", place, "it already exists")
        if change["Action"] == "DELETE" and there.pop(place, None) != (int(row.get("TTL") or 0), values):
            raise _refusal("delete", place, "the values provided do not match the current values")
        if change["Action"] != "DELETE":
            there[place] = (int(row.get("TTL") or 0), values)
    zone.rr_changes.clear()
    for change in change_list:
        if change["Action"] == "DELETE":
            # What moto wants to have seen.
            zone.rr_changes.append(deepcopy({**change, "Action": "CREATE"}))
    change_record_sets(self, zoneid, change_list)


def _place(row: dict[str, Any]) -> tuple[Any, ...]:
    """Of a change, or of what moto keeps."""
    name, *rest = (row.get(key, row.get(xform_name(key))) for key in ("Name", "Type", "SetIdentifier"))
    return str(name).replace("\\052", "*").strip("."), *rest


def _refusal(what: str, place: tuple[Any, ...], why: str) -> Route53ClientError:
    text = f"[Tried to {what} resource record set [name='{place[0]}.', type='{place[1]}'] but {why}]"
    return Route53ClientError("InvalidChangeBatch", text)


def check_signature_of_request(self: Any) -> None:
    """moto cannot sum up an address that was signed. That it is right shows at other stores."""
    if not self.is_address:
        check_signature(self)


def take_address(
    self: Any, account_id: str, method: str, path: str, data: Any, body: bytes, headers: Any, action: Any
) -> None:
    """moto looks for the key of a request in a header only: where an address was signed it is in the query."""
    query = dict(parse_qsl(urlsplit(path).query))
    self.is_address = "Authorization" not in headers and "X-Amz-Credential" in query
    if self.is_address:
        credential = query["X-Amz-Credential"]
        headers = {**headers, "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host"}
    take_request(self, account_id, method, path, data, body, headers, action)


def complete_known_upload(self: Any, bucket_name: str, multipart_id: str, body: Any) -> Any:
    """moto breaks where there is no such upload."""
    if multipart_id not in self.get_bucket(bucket_name).multiparts:
        raise NoSuchUpload(upload_id=multipart_id)
    return complete_upload(self, bucket_name, multipart_id, body)


if __name__ == "__main__":
    S3Backend.complete_multipart_upload = complete_known_upload  # type: ignore[method-assign]
    S3IAMRequest.__init__ = take_address  # type: ignore[method-assign]
    S3IAMRequest.check_signature = check_signature_of_request  # type: ignore[method-assign]
    for call in (create_replace_root_volume_task, describe_replace_root_volume_tasks):
        setattr(EC2Response, call.__name__, call)
    Route53Backend.change_resource_record_sets = change_resource_record_sets  # type: ignore[method-assign]
    IAMRequest._create_aws_request = create_aws_request  # type: ignore[method-assign]
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
