"""What takes EC2 a call and a look at its answer. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/

All raise ClientError.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from providers.clients.aws import code_of
from providers.contracts.servers import version_of

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeDef

# The owners: https://wiki.debian.org/Cloud/AmazonEC2Image
# and https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
DEBIAN, CANONICAL = "136693071363", "099720109477"
IMAGE_NAMES = ("debian-*-amd64-*", "ubuntu/images/hvm-ssd*/ubuntu-*-amd64-server-*")
DEBIAN_NAME = re.compile(r"debian-(\d+)-amd64-\d+.*")
UBUNTU_NAME = re.compile(r"ubuntu/images/hvm-ssd(?:-gp3)?/ubuntu-\w+-(\d+\.04)-amd64-server-\d+.*")

# The security group, and what the names of key pairs begin with.
GROUP = "deploynix"
TOKEN_TAG = "deploynix-token"  # noqa: S105 -- the name of a tag
OPEN_PORTS = (22, 80, 443)
ALIVE = ("pending", "running", "stopping", "stopped")
# Of the replacement of a root volume.
UNDER_WAY = ("pending", "in-progress")
# Nothing has these ids, so that not even a call without DryRun would have an effect.
NO_INSTANCE, NO_GROUP, NO_IMAGE = "i-00000000000000fff", "sg-00000000000000fff", "ami-00000000000000fff"
PROBE_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP"
PROBE = "deploynix-probe"


def filters(wanted: Mapping[str, Sequence[str]]) -> Any:
    return [{"Name": name, "Values": list(values)} for name, values in wanted.items()]


def releases(ec2: "EC2Client") -> Mapping[str, "ImageTypeDef"]:
    """The newest image of each release that can be provisioned, by slug: `debian-13`, `ubuntu-24.04`."""
    wanted = {"name": IMAGE_NAMES, "state": ["available"], "architecture": ["x86_64"], "root-device-type": ["ebs"]}
    pages = ec2.get_paginator("describe_images").paginate(Owners=[DEBIAN, CANONICAL], Filters=filters(wanted))
    found = sorted((row for page in pages for row in page["Images"]), key=lambda row: row["CreationDate"])
    return {slug: row for row in found if (slug := _slug(row["Name"]))}


def _slug(name: str) -> str:
    """Empty for what is no release, is too old, or is one of Ubuntu's without long support."""
    if debian := DEBIAN_NAME.fullmatch(name):
        slug = f"debian-{debian[1]}"
    elif ubuntu := UBUNTU_NAME.fullmatch(name):
        slug = f"ubuntu-{ubuntu[1]}"
    else:
        return ""
    version = version_of(slug)
    is_short_lived = slug.startswith("ubuntu") and version and version[0] % 2
    return slug if version and not is_short_lived else ""


def zones(ec2: "EC2Client") -> Iterator[str]:
    yield ""
    found = ec2.describe_availability_zones(Filters=filters({"state": ["available"]}))["AvailabilityZones"]
    yield from sorted(
        zone["ZoneName"] for zone in found if zone.get("ZoneType", "availability-zone") == "availability-zone"
    )


def made_with(ec2: "EC2Client", token: str) -> "InstanceTypeDef | None":
    wanted = {f"tag:{TOKEN_TAG}": [token], "instance-state-name": ALIVE}
    found = ec2.describe_instances(Filters=filters(wanted))["Reservations"]
    return next((instance for reservation in found for instance in reservation["Instances"]), None)


def instance_of(ec2: "EC2Client", instance: str) -> "InstanceTypeDef | None":
    found = ec2.describe_instances(InstanceIds=[instance])["Reservations"]
    return next((each for reservation in found for each in reservation["Instances"]), None)


def rebuilding(ec2: "EC2Client", instance: str) -> str:
    found = ec2.describe_replace_root_volume_tasks(Filters=filters({"instance-id": [instance]}))
    rows = found["ReplaceRootVolumeTasks"]
    return next((row["ReplaceRootVolumeTaskId"] for row in rows if row["TaskState"] in UNDER_WAY), "")


def import_key(ec2: "EC2Client", public_key: str) -> str:
    """The name of the key pair."""
    material = " ".join(public_key.split()[:2])
    name = f"{GROUP}-{sha256(material.encode()).hexdigest()[:16]}"
    with _unless("InvalidKeyPair.Duplicate"):
        ec2.import_key_pair(KeyName=name, PublicKeyMaterial=material.encode())
    return name


def security_group(ec2: "EC2Client") -> str:
    """Of the default VPC; rules that somebody has made narrower stay as they are."""
    group = _group(ec2) or _make_group(ec2)
    closed = set(OPEN_PORTS) - {rule.get("FromPort") for rule in group.get("IpPermissions", ())}
    if closed:
        rules = [_rule(port) for port in sorted(closed)]
        with _unless("InvalidPermission.Duplicate"):
            ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=rules)
    return str(group["GroupId"])


def _group(ec2: "EC2Client") -> Mapping[str, Any]:
    """Empty where there is none. By its name it is found in the default VPC only."""
    found: list[Any] = []
    with _unless("InvalidGroup.NotFound"):
        found += ec2.describe_security_groups(GroupNames=[GROUP])["SecurityGroups"]
    return found[0] if found else {}


def _make_group(ec2: "EC2Client") -> Mapping[str, Any]:
    # Another server of the region may be made at the same time.
    made: Mapping[str, Any] = {}
    with _unless("InvalidGroup.Duplicate"):
        made = {"GroupId": ec2.create_security_group(GroupName=GROUP, Description="Servers of Deploynix")["GroupId"]}
    return made or _group(ec2)


@contextmanager
def _unless(code: str) -> Iterator[None]:
    """Lets an error with this code pass."""
    try:
        yield
    except ClientError as error:
        if code_of(error) != code:
            raise


def _rule(port: int) -> Any:
    ranges = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **ranges}


def probes(image: str, actions: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    """What each action is tried with, by its name; most need nothing."""
    instances = {"InstanceIds": [NO_INSTANCE]}
    return {
        **{action: {} for action in actions},
        "RunInstances": {"ImageId": image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1},
        "TerminateInstances": instances,
        "RebootInstances": instances,
        "DescribeImages": {"Owners": [DEBIAN]},
        "DescribeInstanceTypes": {"InstanceTypes": ["t3.micro"]},
        "ImportKeyPair": {"KeyName": PROBE, "PublicKeyMaterial": PROBE_KEY.encode()},
        "DeleteKeyPair": {"KeyName": PROBE},
        "CreateSecurityGroup": {"GroupName": PROBE, "Description": PROBE},
        "AuthorizeSecurityGroupIngress": {"GroupId": NO_GROUP, "IpPermissions": [_rule(443)]},
        "CreateReplaceRootVolumeTask": {"InstanceId": NO_INSTANCE},
        "CreateTags": {"Resources": [NO_INSTANCE], "Tags": [{"Key": PROBE, "Value": ""}]},
    }
