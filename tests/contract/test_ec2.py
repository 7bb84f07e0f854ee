"""Servers at Amazon, with a key that may do just what the policy says."""

import base64
import email
import json
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.stub import ANY, Stubber

from providers.clients.ec2 import security_group
from providers.contracts.servers import ServerSpec
from providers.errors import MissingPermission, NotFound, ProviderError, SoldOut, Unavailable
from providers.servers import aws
from providers.servers.aws import AmazonEc2
from tests.contract.aws import EC2_ACTIONS, REGION, Moto, allow

pytestmark = pytest.mark.usefixtures("at_moto")

KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBmM2Vyd7tbkYvPZzQ1jFqQnVCJm3aQ0nKDhYOQvVd0N server",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMB9hJQ2cPGqjtq3XcT1UFsJXnK6pZbSV7m4b0uD8yVh operator",
)
SCRIPT = "#!/bin/sh\necho grüße > /root/hello\n"
TASK = "replacevol-0123456789abcdef0"
IMAGE = "ami-00000000000000013"


@pytest.fixture(scope="module")
def key(moto: Moto) -> dict[str, str]:
    return moto.new_key(allow(EC2_ACTIONS))


@pytest.fixture
def provider(key: dict[str, str]) -> AmazonEc2:
    return AmazonEc2(key)


@pytest.fixture(autouse=True)
def _no_servers(moto: Moto) -> Iterator[None]:
    yield
    with moto.unguarded():
        if ids := [row["InstanceId"] for row in instances(moto)]:
            moto.root("ec2").terminate_instances(InstanceIds=ids)


def instances(moto: Moto) -> list[dict[str, Any]]:
    """Those that are there; asked inside `unguarded`."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    found = moto.root("ec2").describe_instances(Filters=states)["Reservations"]
    return [row for reservation in found for row in reservation["Instances"]]


def spec(which: str = "one", **more: Any) -> ServerSpec:
    plain = {"name": "web-1", "region": REGION, "size": "t3.small", "image": "debian-13", "public_keys": KEYS}
    return ServerSpec(which, **{**plain, **more})


def test_what_can_be_chosen_is_listed(provider: AmazonEc2) -> None:
    regions = {region.slug: region.name for region in provider.regions()}
    assert regions["eu-central-1"] == "Europe (Frankfurt)"
    # Neither what is too old, nor what lives but nine months, nor what somebody else made.
    images = [(image.slug, image.name) for image in provider.images(REGION)]
    assert images == [
        ("ubuntu-24.04", "Ubuntu 24.04"),
        ("ubuntu-22.04", "Ubuntu 22.04"),
        ("debian-13", "Debian 13"),
        ("debian-12", "Debian 12"),
    ]
    sizes = provider.sizes(REGION)
    small = next(size for size in sizes if size.slug == "t3.small")
    assert (small.cpus, small.memory, small.monthly) == (2, 2.0, None)
    assert sizes == sorted(sizes, key=lambda size: (size.memory, size.slug))
    assert not [size.slug for size in sizes if size.slug.startswith(("p3.", "g4dn.", "t4g."))]


def test_a_server_is_made_as_it_should_be(provider: AmazonEc2, moto: Moto) -> None:
    made = provider.create(spec(user_data=SCRIPT, tags=("staging",)))
    assert made.id.startswith(f"{REGION}/i-")
    assert made.name == "web-1"
    with moto.unguarded():
        ec2 = moto.root("ec2")
        (row,) = instances(moto)
        user_data = ec2.describe_instance_attribute(InstanceId=row["InstanceId"], Attribute="userData")["UserData"]
        (group,) = ec2.describe_security_groups(GroupIds=[row["SecurityGroups"][0]["GroupId"]])["SecurityGroups"]
        (pair,) = ec2.describe_key_pairs(KeyNames=[row["KeyName"]])["KeyPairs"]
        (disk,) = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [row["InstanceId"]]}])[
            "Volumes"
        ]
        (image,) = ec2.describe_images(ImageIds=[row["ImageId"]])["Images"]
    assert image["Name"] == "debian-13-amd64-20260901-2220"
    assert {tag["Key"]: tag["Value"] for tag in row["Tags"]} == {
        "Name": "web-1",
        "deploynix-token": "one",
        "staging": "",
    }
    assert row["MetadataOptions"]["HttpTokens"] == "required"
    assert pair["KeyName"].startswith("deploynix-")
    assert disk["Size"] == aws.ROOT_GIB
    rules = {(rule["FromPort"], rule["ToPort"]): rule for rule in group["IpPermissions"]}
    assert rules.keys() == {(22, 22), (80, 80), (443, 443)}
    assert rules[22, 22]["Ipv6Ranges"] == [{"CidrIpv6": "::/0"}]
    config, script = parts(user_data["Value"])
    assert json.loads(config.removeprefix("#cloud-config")) == {"disable_root": False, "ssh_authorized_keys": [*KEYS]}
    assert script == SCRIPT


def parts(user_data: str) -> list[str]:
    """As cloud-init takes it apart."""
    message = email.message_from_bytes(base64.b64decode(user_data))
    assert message.is_multipart()
    return [cast(bytes, part.get_payload(decode=True)).decode() for part in cast(Any, message.get_payload())]


def test_a_second_call_finds_the_server_of_the_first(provider: AmazonEc2, moto: Moto) -> None:
    first, again, other = provider.create(spec()), provider.create(spec()), provider.create(spec("two"))
    assert first.id == again.id != other.id
    with moto.unguarded():
        assert len(instances(moto)) == 2
        groups = moto.root("ec2").describe_security_groups()["SecurityGroups"]
    assert sorted(group["GroupName"] for group in groups) == ["default", "deploynix"]


def test_a_call_whose_answer_was_lost_is_the_same_request(provider: AmazonEc2, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new server is listed a little later; until then it is its token that Amazon knows a repetition by."""
    monkeypatch.setattr(aws, "made_with", lambda ec2, token: None)
    sent: list[dict[str, Any]] = []
    client = provider.connect("ec2", REGION)
    client.meta.events.register("provide-client-params.ec2.RunInstances", lambda params, **_: sent.append(params))
    monkeypatch.setattr(provider, "connect", lambda *_: client)
    for which in ("one", "one", "two"):
        provider.create(spec(which, user_data=SCRIPT))
    assert sent[0] == sent[1]
    assert sent[2]["ClientToken"] != sent[0]["ClientToken"]
    assert len(sent[0]["ClientToken"]) <= 64


def test_a_server_goes_and_its_key_with_it(provider: AmazonEc2, moto: Moto) -> None:
    made = provider.create(spec())
    found = provider.get(made.id)
    assert found.is_running
    assert found.ip_address
    provider.reboot(made.id)
    for _ in range(2):
        provider.delete(made.id)
    with pytest.raises(NotFound, match="has no server"):
        provider.get(made.id)
    with moto.unguarded():
        assert moto.root("ec2").describe_key_pairs()["KeyPairs"] == []


@pytest.mark.parametrize("server", [f"{REGION}/i-0123456789abcdef0", "i-0123456789abcdef0"])
def test_a_server_that_there_is_not(provider: AmazonEc2, server: str) -> None:
    with pytest.raises(NotFound):
        provider.get(server)


def test_an_image_that_there_is_not(provider: AmazonEc2) -> None:
    with pytest.raises(NotFound, match=r"no image debian-11"):
        provider.create(spec(image="debian-11"))


def test_keys_are_uploaded_once(provider: AmazonEc2, moto: Moto) -> None:
    first, again = provider.upload_ssh_key("server", KEYS[0]), provider.upload_ssh_key("server", KEYS[0])
    assert first == again
    assert provider.upload_ssh_key("operator", KEYS[1]).id != first.id
    with pytest.raises(MissingPermission) as failure:
        provider.ssh_keys()
    assert failure.value.permission == "ec2:DescribeKeyPairs"

    listing = AmazonEc2(moto.new_key(allow([*EC2_ACTIONS, "ec2:DescribeKeyPairs"])))
    assert first.id in {key.id for key in listing.ssh_keys()}
    for key in listing.ssh_keys():
        for _ in range(2):
            provider.delete_ssh_key(key.id)
    assert listing.ssh_keys() == []


def test_a_rule_that_somebody_narrowed_stays(provider: AmazonEc2, moto: Moto) -> None:
    provider.create(spec())
    with moto.unguarded():
        ec2 = moto.root("ec2")
        (group,) = ec2.describe_security_groups(GroupNames=["deploynix"])["SecurityGroups"]
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        narrow = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}
        ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[narrow])
    provider.create(spec("two"))
    with moto.unguarded():
        (group,) = moto.root("ec2").describe_security_groups(GroupNames=["deploynix"])["SecurityGroups"]
    rules = {rule["FromPort"]: [each["CidrIp"] for each in rule["IpRanges"]] for rule in group["IpPermissions"]}
    assert rules == {22: ["198.51.100.7/32"], 80: ["0.0.0.0/0"], 443: ["0.0.0.0/0"]}


@pytest.fixture
def stub(provider: AmazonEc2, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """moto replaces no root volumes and always has room: here Amazon's answers are made up, in its own shapes."""
    client = provider.connect("ec2", REGION)
    monkeypatch.setattr(provider, "connect", lambda *_: client)
    monkeypatch.setattr(aws, "REBUILD_PAUSE", 0.0)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def tasks(*states: str) -> dict[str, Any]:
    return {"ReplaceRootVolumeTasks": [{"ReplaceRootVolumeTaskId": TASK, "TaskState": state} for state in states]}


def stub_rebuild(stub: Stubber) -> None:
    image = {"ImageId": IMAGE, "Name": "debian-13-amd64-20260901-2220", "CreationDate": "2026-09-01T00:00:00.000Z"}
    of_server = {"Filters": [{"Name": "instance-id", "Values": ["i-0123456789abcdef0"]}]}
    stub.add_response("describe_replace_root_volume_tasks", tasks("succeeded"), of_server)
    stub.add_response("describe_images", {"Images": [image]}, {"Owners": ANY, "Filters": ANY})
    stub.add_response(
        "create_replace_root_volume_task",
        {"ReplaceRootVolumeTask": {"ReplaceRootVolumeTaskId": TASK, "TaskState": "pending"}},
        {"InstanceId": "i-0123456789abcdef0", "ImageId": IMAGE, "DeleteReplacedRootVolume": True},
    )


def stub_states(stub: Stubber, *states: str) -> None:
    for state in states:
        stub.add_response("describe_replace_root_volume_tasks", tasks(state), {"ReplaceRootVolumeTaskIds": [TASK]})


def test_a_rebuilt_server_gets_a_new_disk(provider: AmazonEc2, stub: Stubber) -> None:
    stub_rebuild(stub)
    stub_states(stub, "pending", "in-progress", "succeeded")
    provider.rebuild(f"{REGION}/i-0123456789abcdef0", "debian-13", KEYS)


def test_a_disk_that_is_being_replaced_is_waited_for(provider: AmazonEc2, stub: Stubber) -> None:
    stub.add_response("describe_replace_root_volume_tasks", tasks("failed", "in-progress"), {"Filters": ANY})
    stub_states(stub, "succeeded")
    provider.rebuild(f"{REGION}/i-0123456789abcdef0", "debian-13")


@pytest.mark.parametrize("state", ["failing", "failed", "failed-detached"])
def test_a_disk_that_could_not_be_replaced(provider: AmazonEc2, stub: Stubber, state: str) -> None:
    stub_rebuild(stub)
    stub_states(stub, "pending", state)
    with pytest.raises(ProviderError, match=state):
        provider.rebuild(f"{REGION}/i-0123456789abcdef0", "debian-13")


def test_a_disk_that_takes_too_long(provider: AmazonEc2, stub: Stubber, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "REBUILD_SECONDS", 0.0)
    stub_rebuild(stub)
    with pytest.raises(Unavailable, match="has been replacing"):
        provider.rebuild(f"{REGION}/i-0123456789abcdef0", "debian-13")


def stub_launch(stub: Stubber) -> None:
    image = {
        "ImageId": IMAGE,
        "Name": "debian-13-amd64-20260901-2220",
        "CreationDate": "2026-09-01T00:00:00.000Z",
        "RootDeviceName": "/dev/xvda",
    }
    group = {"GroupId": "sg-1", "IpPermissions": [{"FromPort": port} for port in (22, 80, 443)]}
    stub.add_response("describe_instances", {"Reservations": []}, {"Filters": ANY})
    stub.add_response("describe_images", {"Images": [image]}, {"Owners": ANY, "Filters": ANY})
    stub.add_response("describe_security_groups", {"SecurityGroups": [group]}, {"GroupNames": ["deploynix"]})


def test_a_group_that_another_has_just_made_is_used(provider: AmazonEc2, stub: Stubber) -> None:
    stub.add_client_error("describe_security_groups", "InvalidGroup.NotFound", "It is not there.", 400)
    stub.add_client_error("create_security_group", "InvalidGroup.Duplicate", "It is there.", 400)
    group = {"GroupId": "sg-1", "IpPermissions": []}
    stub.add_response("describe_security_groups", {"SecurityGroups": [group]}, {"GroupNames": ["deploynix"]})
    stub.add_client_error("authorize_security_group_ingress", "InvalidPermission.Duplicate", "They are there.", 400)
    assert security_group(provider.connect("ec2", REGION)) == "sg-1"


def stub_zones(stub: Stubber, *names: str) -> None:
    zones = [{"ZoneName": name, "ZoneType": "availability-zone"} for name in names]
    zones.append({"ZoneName": "eu-central-1-ham-1a", "ZoneType": "local-zone"})
    stub.add_response("describe_availability_zones", {"AvailabilityZones": zones}, {"Filters": ANY})


def no_room(stub: Stubber) -> None:
    stub.add_client_error("run_instances", "InsufficientInstanceCapacity", "There is no room.", 500)


def test_where_one_zone_has_no_room_the_next_is_tried(provider: AmazonEc2, stub: Stubber) -> None:
    made = {"InstanceId": "i-0123456789abcdef0", "State": {"Name": "pending"}}
    stub_launch(stub)
    no_room(stub)
    stub_zones(stub, "eu-central-1b", "eu-central-1a")
    no_room(stub)
    wanted = dict.fromkeys(
        (
            *("ImageId", "InstanceType", "MinCount", "MaxCount", "SecurityGroupIds", "BlockDeviceMappings"),
            *("MetadataOptions", "TagSpecifications", "UserData", "ClientToken"),
        ),
        ANY,
    )
    stub.add_response(
        "run_instances", {"Instances": [made]}, {**wanted, "Placement": {"AvailabilityZone": "eu-central-1b"}}
    )
    assert provider.create(spec(public_keys=())).id == f"{REGION}/i-0123456789abcdef0"


def test_where_no_zone_has_room_it_is_said(provider: AmazonEc2, stub: Stubber) -> None:
    stub_launch(stub)
    no_room(stub)
    stub_zones(stub, "eu-central-1a")
    no_room(stub)
    with pytest.raises(SoldOut, match=r"no t3\.small left") as failure:
        provider.create(spec(public_keys=()))
    assert "another size" in failure.value.hint
