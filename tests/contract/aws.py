"""Amazon, as moto plays it, with its permissions enforced."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import requests
from botocore.config import Config

from tests.peers import Command, Peer
from tools.ports import listens

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
# Amazon's words for what the documentation of Deploynix asks people to allow.
EC2_ACTIONS = [
    *("ec2:RunInstances", "ec2:TerminateInstances", "ec2:RebootInstances", "ec2:DescribeInstances"),
    *("ec2:DescribeRegions", "ec2:DescribeInstanceTypes", "ec2:DescribeImages", "ec2:DescribeAvailabilityZones"),
    *("ec2:ImportKeyPair", "ec2:DeleteKeyPair", "ec2:CreateSecurityGroup", "ec2:AuthorizeSecurityGroupIngress"),
    *("ec2:DescribeSecurityGroups", "ec2:CreateReplaceRootVolumeTask", "ec2:DescribeReplaceRootVolumeTasks"),
    "ec2:CreateTags",
]
ROUTE53_ACTIONS = [
    *("route53:ListHostedZones", "route53:GetHostedZone"),
    *("route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"),
]
# As Amazon's own: newest last, and some that must not be offered.
IMAGES = [
    ("136693071363", "debian-12-amd64-20250316-2053", "2025-03-16"),
    ("136693071363", "debian-12-amd64-20260811-2201", "2026-08-11"),
    ("136693071363", "debian-13-amd64-20260901-2220", "2026-09-01"),
    ("136693071363", "debian-11-amd64-20260601-2130", "2026-06-01"),
    ("136693071363", "debian-13-backports-amd64-20260901-2220", "2026-09-01"),
    ("099720109477", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20260911", "2026-09-11"),
    ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260910", "2026-09-10"),
    ("099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-plucky-25.04-amd64-server-20260110", "2026-01-10"),
    ("012345678901", "debian-13-amd64-29990101-9999", "2999-01-01"),
]


class Moto(Peer):
    """Listens at `url`. What its root does is always allowed; others may do what their policy says."""

    def __init__(self) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{self.port}"
        self.users = 0
        images = self.folder / "images.json"
        images.write_text(json.dumps([image(*each) for each in IMAGES]))
        self._images = {"MOTO_AMIS_PATH": str(images)}

    def command(self) -> Command:
        return [sys.executable, ROOT / "tests" / "contract" / "moto_server.py", str(self.port)]

    def start(self) -> None:
        with patch.dict(os.environ, {"PYTHONPATH": str(ROOT), **self._images}):
            super().start()

    def answers(self) -> bool:
        return listens("127.0.0.1", self.port)

    @contextmanager
    def unguarded(self) -> Iterator[None]:
        """Inside, everybody may do everything."""
        self._enforce("inf")
        try:
            yield
        finally:
            self._enforce("0")

    def root(self, service: str, region: str = REGION) -> Any:
        """A client for `unguarded`."""
        keys = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
        once = Config(retries={"total_max_attempts": 1}, proxies={})
        return boto3.client(service, region_name=region, endpoint_url=self.url, config=once, **keys)  # type: ignore[call-overload]

    def new_key(self, *policies: Mapping[str, Any]) -> dict[str, str]:
        """The key of a new user with these policies, as the fields of a credential."""
        self.users += 1
        name = f"user-{self.users}"
        with self.unguarded():
            iam = self.root("iam")
            iam.create_user(UserName=name)
            for number, policy in enumerate(policies):
                iam.put_user_policy(UserName=name, PolicyName=f"policy-{number}", PolicyDocument=json.dumps(policy))
            key = iam.create_access_key(UserName=name)["AccessKey"]
        return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"], "region": REGION}

    def _enforce(self, free_calls: str) -> None:
        requests.post(f"{self.url}/moto-api/reset-auth", data=free_calls, timeout=5).raise_for_status()


def image(owner: str, name: str, day: str) -> dict[str, Any]:
    """In moto's form."""
    number = sum(map(ord, owner + name))
    return {
        "ami_id": f"ami-{number:017x}",
        "name": name,
        "owner_id": owner,
        "creation_date": f"{day}T00:00:00.000Z",
        "description": name,
        "architecture": "x86_64",
        "root_device_name": "/dev/xvda" if name.startswith("debian") else "/dev/sda1",
        "root_device_type": "ebs",
        "virtualization_type": "hvm",
        "hypervisor": "xen",
        "state": "available",
        "public": True,
        "image_type": "machine",
        "image_location": name,
        "sriov": "simple",
        "platform": None,
    }


def allow(actions: list[str], resource: str = "*") -> dict[str, Any]:
    """A policy."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource}]}


def without(policy: Mapping[str, Any], action: str) -> dict[str, Any]:
    """The policy, but for one action."""
    statements = []
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if kept := [each for each in actions if each != action]:
            statements.append({**statement, "Action": kept})
    return {**policy, "Statement": statements}
