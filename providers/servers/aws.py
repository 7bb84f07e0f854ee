"""Amazon EC2. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/

Ids are the region and Amazon's id: `eu-central-1/i-0123456789abcdef0`.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

from botocore import xform_name
from botocore.exceptions import ClientError

from providers.base import Findings, Permission
from providers.clients.aws import (
    ALARM_NOTE,
    HOME_REGION,
    IAM_CONSOLE,
    KEY_FIELDS,
    NEEDED,
    OPTIONAL,
    OPTIONAL_NOTE,
    OWN_USER_PERMISSION,
    REGION,
    USER_STEPS,
    AwsProvider,
    allow,
    code_of,
    policy_of,
)
from providers.clients.aws_session import region_names
from providers.clients.ec2 import (
    ALIVE,
    GROUP,
    NO_IMAGE,
    OPEN_PORTS,
    TOKEN_TAG,
    UNDER_WAY,
    filters,
    import_key,
    instance_of,
    made_with,
    probes,
    rebuilding,
    releases,
    security_group,
    zones,
)
from providers.contracts.servers import (
    CloudServer,
    Image,
    Region,
    ServerProvider,
    ServerSpec,
    Size,
    SshKey,
    cheapest_first,
    newest_first,
)
from providers.errors import MissingPermission, NotFound, ProviderError, SoldOut, Unavailable

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import ImageTypeDef, InstanceTypeDef

ROOT_GIB = 30
# Another zone of the region may have what this one lacks.
OTHER_ZONE = frozenset({"InsufficientInstanceCapacity", "Unsupported"})
# A root volume is replaced within minutes.
REBUILD_SECONDS, REBUILD_PAUSE = 900.0, 5.0

REASONS = {
    "RunInstances": "Creates servers.",
    "TerminateInstances": "Deletes servers.",
    "RebootInstances": "Restarts servers.",
    "DescribeInstances": "Sees whether a server runs, and its address.",
    "DescribeRegions": "Lists the regions that the account may use.",
    "DescribeInstanceTypes": "Lists the sizes of servers that a region has.",
    "DescribeImages": "Finds the newest images of Debian and Ubuntu.",
    "DescribeAvailabilityZones": "Tries the other zones of a region where one has no server left.",
    "ImportKeyPair": "Uploads the SSH key of a new server.",
    "DeleteKeyPair": "Removes the SSH key of a deleted server.",
    "CreateSecurityGroup": f"Makes the security group {GROUP}, once in each region.",
    "AuthorizeSecurityGroupIngress": f"Opens the ports {', '.join(map(str, OPEN_PORTS))} in that group.",
    "DescribeSecurityGroups": "Finds that group again.",
    "CreateReplaceRootVolumeTask": "Rebuilds a server: gives it a new disk from an image.",
    "DescribeReplaceRootVolumeTasks": "Sees when the new disk is ready.",
    "CreateTags": "Marks what Deploynix made, so that a repeated request never makes a second server.",
}
LIST_KEYS = "DescribeKeyPairs"


class AmazonEc2(ServerProvider, AwsProvider):
    key = "aws"
    label = "Amazon Web Services"
    service = "ec2"
    console_url = IAM_CONSOLE
    fields = (
        *KEY_FIELDS,
        replace(
            REGION,
            label="Home region",
            required=False,
            default=HOME_REGION,
            help_text="Where permissions are checked. Servers can be created in every region of the account.",
        ),
    )
    permissions = (
        *(Permission(f"ec2:{action}", f"ec2:{action}", reason) for action, reason in REASONS.items()),
        Permission(
            f"ec2:{LIST_KEYS}",
            f"ec2:{LIST_KEYS}",
            "Lists the key pairs that are there. Nothing but that list needs it.",
            optional=True,
        ),
        OWN_USER_PERMISSION,
    )
    used_for = (
        "Create, delete, restart and rebuild EC2 instances",
        "List regions, instance types and images",
        "Upload and remove SSH keys",
        "Make the security group of the servers",
    )
    steps = USER_STEPS
    gates = ("Each region that you use needs its default VPC, which every account has unless it was deleted.",)
    notes = (
        "Prices are not shown, as no permission asks for them: see https://aws.amazon.com/ec2/pricing/on-demand/.",
        f"Ports besides {', '.join(map(str, OPEN_PORTS))} must also be opened in the security group {GROUP}.",
        OPTIONAL_NOTE,
        ALARM_NOTE,
    )

    def regions(self) -> Sequence[Region]:
        names = region_names()
        with self.asking():
            found = [row["RegionName"] for row in self._ec2().describe_regions()["Regions"]]
        return sorted((Region(slug, names.get(slug, slug)) for slug in found), key=lambda region: region.name)

    def sizes(self, region: str) -> Sequence[Size]:
        """Smallest first, as their prices are not known. Without accelerators, and without bare metal."""
        wanted = {
            "current-generation": ["true"],
            "processor-info.supported-architecture": ["x86_64"],
            "supported-usage-class": ["on-demand"],
            "bare-metal": ["false"],
        }
        with self.asking():
            pages = self._ec2(region).get_paginator("describe_instance_types").paginate(Filters=filters(wanted))
            rows = [row for page in pages for row in page["InstanceTypes"]]
        special = {"GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo", "NeuronInfo", "MediaAcceleratorInfo"}
        return cheapest_first([_size(row) for row in rows if not special & row.keys()])

    def images(self, region: str) -> Sequence[Image]:
        with self.asking():
            found = releases(self._ec2(region))
        return newest_first({Image(slug, slug.replace("-", " ").title()): slug for slug in found})

    def create(self, spec: ServerSpec) -> CloudServer:
        ec2 = self._ec2(spec.region)
        with self.asking():
            return _server(spec.region, made_with(ec2, spec.token) or self._launch(ec2, spec))

    def get(self, id: str) -> CloudServer:  # noqa: A002 -- its name in the contract
        region, instance = _split(id)
        with self.asking():
            found = instance_of(self._ec2(region), instance)
        if found is None or found["State"]["Name"] not in ALIVE:
            raise NotFound(f"{self.label} has no server {id}.", "It may have been deleted in the EC2 console.")
        return _server(region, found)

    def delete(self, id: str) -> None:  # noqa: A002
        region, instance = _split(id)
        ec2 = self._ec2(region)
        try:
            with self.asking():
                found = instance_of(ec2, instance)
                # First, because of a server that is gone nobody knows the key any more.
                if found and found.get("KeyName", "").startswith(f"{GROUP}-"):
                    ec2.delete_key_pair(KeyName=found["KeyName"])
                ec2.terminate_instances(InstanceIds=[instance])
        except NotFound:
            return

    def reboot(self, id: str) -> None:  # noqa: A002
        region, instance = _split(id)
        with self.asking():
            self._ec2(region).reboot_instances(InstanceIds=[instance])

    def rebuild(self, id: str, image: str, public_keys: Sequence[str] = ()) -> None:  # noqa: A002
        """Returns when the new disk is there. A second call while one is under way waits for the first.

        The keys are those of the start, which stand in the server's user data.
        """
        region, instance = _split(id)
        ec2 = self._ec2(region)
        with self.asking():
            task = rebuilding(ec2, instance)
            if not task:
                made = ec2.create_replace_root_volume_task(
                    InstanceId=instance, ImageId=self._release(ec2, image)["ImageId"], DeleteReplacedRootVolume=True
                )
                task = made["ReplaceRootVolumeTask"]["ReplaceRootVolumeTaskId"]
            self._await_rebuilt(ec2, task)

    def ssh_keys(self) -> Sequence[SshKey]:
        """Those in the home region. They need a permission that is optional."""
        with self.asking():
            rows = self._ec2().describe_key_pairs(IncludePublicKey=True)["KeyPairs"]
        return [
            SshKey(f"{self.region}/{row['KeyName']}", row["KeyName"], row.get("PublicKey", "").strip()) for row in rows
        ]

    def upload_ssh_key(self, name: str, public_key: str) -> SshKey:
        """In the home region. EC2 knows a key by its name: it is made from the key, so that the same is found."""
        with self.asking():
            made = import_key(self._ec2(), public_key)
        return SshKey(f"{self.region}/{made}", name, public_key)

    def delete_ssh_key(self, id: str) -> None:  # noqa: A002
        region, name = _split(id)
        with self.asking():
            self._ec2(region).delete_key_pair(KeyName=name)

    def verify(self) -> Findings:
        """Tries each action by DryRun, which says whether it would have been done."""
        owner, ec2 = self.owner(), self._ec2()
        image = self._probe_image(ec2)
        checks = (
            self.tried(f"ec2:{action}", partial(_call(ec2, action), DryRun=True, **parameters))
            for action, parameters in probes(image, (*REASONS, LIST_KEYS)).items()
        )
        return Findings((*checks, owner.check), account=owner.arn)

    def policy(self) -> Mapping[str, Any]:
        actions = [f"ec2:{action}" for action in REASONS]
        return policy_of(allow(NEEDED, actions, "*"), allow(OPTIONAL, f"ec2:{LIST_KEYS}", "*"))

    def _ec2(self, region: str = "") -> "EC2Client":
        return cast("EC2Client", self.connect("ec2", region))

    def _launch(self, ec2: "EC2Client", spec: ServerSpec) -> "InstanceTypeDef":
        image = self._release(ec2, spec.image)
        tags = [{"Key": "Name", "Value": spec.name}, {"Key": TOKEN_TAG, "Value": spec.token}]
        tags += [{"Key": tag, "Value": ""} for tag in spec.tags]
        disk = {"VolumeSize": ROOT_GIB, "VolumeType": "gp3", "DeleteOnTermination": True}
        request: dict[str, Any] = {
            "ImageId": image["ImageId"],
            "InstanceType": spec.size,
            "MinCount": 1,
            "MaxCount": 1,
            "SecurityGroupIds": [security_group(ec2)],
            "BlockDeviceMappings": [{"DeviceName": image["RootDeviceName"], "Ebs": disk}],
            # Nothing on the server can be tricked into handing out what only it may read.
            "MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"},
            "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
            "UserData": _user_data(spec),
        }
        if spec.public_keys:
            request["KeyName"] = import_key(ec2, spec.public_keys[0])
        return self._run(ec2, spec.token, request)

    def _run(self, ec2: "EC2Client", token: str, request: Mapping[str, Any]) -> "InstanceTypeDef":
        """In a zone of Amazon's choice, else in the first that has room."""
        for zone in zones(ec2):
            place: dict[str, Any] = {"Placement": {"AvailabilityZone": zone}} if zone else {}
            # Sent again, a token must come with the same request.
            once = sha256(f"{token} {zone}".encode()).hexdigest()
            try:
                return ec2.run_instances(**request, **place, ClientToken=once)["Instances"][0]
            except ClientError as error:
                if code_of(error) not in OTHER_ZONE:
                    raise
                failure = error
        raise SoldOut(
            f"{self.label} has no {request['InstanceType']} left in the region.", "Take another size or region."
        ) from failure

    def _release(self, ec2: "EC2Client", slug: str) -> "ImageTypeDef":
        found = releases(ec2).get(slug)
        if found is None:
            raise NotFound(f"{self.label} has no image {slug} in the region.", "Choose one that is listed for it.")
        return found

    def _await_rebuilt(self, ec2: "EC2Client", task: str) -> None:
        deadline = time.monotonic() + REBUILD_SECONDS
        while time.monotonic() < deadline:
            tasks = ec2.describe_replace_root_volume_tasks(ReplaceRootVolumeTaskIds=[task])
            state = tasks["ReplaceRootVolumeTasks"][0]["TaskState"]
            if state == "succeeded":
                return
            if state not in UNDER_WAY:
                raise ProviderError(f"{self.label} could not replace the disk: {state}.", "Look at it in the console.")
            time.sleep(REBUILD_PAUSE)
        raise Unavailable(f"{self.label} has been replacing the disk for {REBUILD_SECONDS / 60:.0f} minutes.")

    def _probe_image(self, ec2: "EC2Client") -> str:
        """One that is there: EC2 looks at the image before it looks at the permission."""
        try:
            with self.asking():
                return next((found["ImageId"] for found in releases(ec2).values()), NO_IMAGE)
        except MissingPermission:
            return NO_IMAGE


def _call(ec2: "EC2Client", action: str) -> Callable[..., object]:
    return cast(Callable[..., object], getattr(ec2, xform_name(action)))


def _split(id: str) -> tuple[str, str]:  # noqa: A002
    region, slash, name = id.partition("/")
    if not slash:
        raise NotFound(f"{id} is no id of Amazon Web Services: it lacks the region.")
    return region, name


def _server(region: str, found: "InstanceTypeDef") -> CloudServer:
    tags = {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}
    is_running = found["State"]["Name"] == "running"
    return CloudServer(
        f"{region}/{found['InstanceId']}", tags.get("Name", ""), is_running, found.get("PublicIpAddress") or ""
    )


def _size(row: Mapping[str, Any]) -> Size:
    slug, cpus, memory = row["InstanceType"], row["VCpuInfo"]["DefaultVCpus"], row["MemoryInfo"]["SizeInMiB"] / 1024
    return Size(slug, f"{slug}: {cpus} vCPU, {memory:g} GiB", cpus, memory, ROOT_GIB)


def _user_data(spec: ServerSpec) -> str:
    """For cloud-init. Images of EC2 let root in by no key, and take one key pair: here all keys open root.

    https://docs.cloud-init.io/en/latest/explanation/format/mime-multi-part.html
    """
    # The same each time: a request that is sent again must not differ.
    parts = MIMEMultipart(boundary=sha256(spec.token.encode()).hexdigest())
    keys = {"disable_root": False, "ssh_authorized_keys": list(spec.public_keys)}
    parts.attach(MIMEText(f"#cloud-config\n{json.dumps(keys)}\n", "cloud-config", "us-ascii"))
    if spec.user_data:
        # cloud-init tells what it is from its first line.
        parts.attach(MIMEText(spec.user_data, "plain", "utf-8"))
    return parts.as_string()
