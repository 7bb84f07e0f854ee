"""moto's server, with what it lacks.

Two calls of EC2 are made up here after Amazon's documentation:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html

python tests/contract/moto_server.py PORT
"""

import sys
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.responses import EC2Response
from moto.iam.access_control import IAMRequest
from moto.server import main

TASK = "replacevol-0123456789abcdef0"
aws_request = IAMRequest._create_aws_request


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


if __name__ == "__main__":
    for call in (create_replace_root_volume_task, describe_replace_root_volume_tasks):
        setattr(EC2Response, call.__name__, call)
    IAMRequest._create_aws_request = create_aws_request  # type: ignore[method-assign]
    main(["-H", "127.0.0.1", "-p", sys.argv[1]])
