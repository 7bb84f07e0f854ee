"""What keys of Amazon may do is told exactly: with the policy all is granted, and what one lacks is what is denied."""

from collections.abc import Mapping
from typing import Any

import pytest

from providers.base import Verdict
from providers.clients.aws import NEEDED, OPTIONAL, OWN_USER, AwsProvider
from providers.dns.route53 import Route53
from providers.errors import InvalidCredential, MissingPermission, NotFound
from providers.servers.aws import AmazonEc2
from providers.storage.s3 import AmazonS3
from tests.contract.aws import EC2_ACTIONS, REGION, ROUTE53_ACTIONS, Moto, allow, without

pytestmark = pytest.mark.usefixtures("at_moto")

BUCKET = "acme-backups"


S3_ACTIONS = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:ListBucket"]
POLICIES: dict[type[AwsProvider], dict[str, Any]] = {
    AmazonEc2: allow(EC2_ACTIONS),
    Route53: allow(ROUTE53_ACTIONS),
    AmazonS3: {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": S3_ACTIONS[:3], "Resource": f"arn:aws:s3:::{BUCKET}/*"},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
        ],
    },
}
ACTIONS = {AmazonEc2: EC2_ACTIONS, Route53: ROUTE53_ACTIONS, AmazonS3: S3_ACTIONS}
EACH = [pytest.param(provider, id=provider.key) for provider in POLICIES]
EACH_ACTION = [pytest.param(provider, action, id=action) for provider, actions in ACTIONS.items() for action in actions]


@pytest.fixture(scope="module")
def zone_id(moto: Moto) -> str:
    with moto.unguarded():
        made = moto.root("route53").create_hosted_zone(Name="example.com", CallerReference="one")
    return str(made["HostedZone"]["Id"]).removeprefix("/hostedzone/")


@pytest.fixture(scope="module", autouse=True)
def _bucket(moto: Moto) -> None:
    with moto.unguarded():
        moto.root("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


def connected(kind: type[AwsProvider], key: Mapping[str, str], zone_id: str) -> AwsProvider:
    extra = {Route53: {"zone": zone_id}, AmazonS3: {"bucket": BUCKET}}.get(kind, {})
    return kind({**key, **extra})


def verdicts(provider: AwsProvider) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in provider.verify().checks}


@pytest.mark.parametrize("kind", EACH)
def test_with_the_policy_all_that_is_needed_is_granted(moto: Moto, zone_id: str, kind: type[AwsProvider]) -> None:
    found = verdicts(connected(kind, moto.new_key(POLICIES[kind]), zone_id))
    optional = {permission.key for permission in kind.permissions if permission.optional} - set(ACTIONS[kind])
    assert {key for key, verdict in found.items() if verdict == Verdict.GRANTED} == {*ACTIONS[kind], OWN_USER}
    assert {key for key, verdict in found.items() if verdict == Verdict.DENIED} == optional
    assert found.keys() == {permission.key for permission in kind.permissions}


@pytest.mark.parametrize(("kind", "action"), EACH_ACTION)
def test_without_one_action_that_one_is_denied(moto: Moto, zone_id: str, kind: type[AwsProvider], action: str) -> None:
    provider = connected(kind, moto.new_key(without(POLICIES[kind], action)), zone_id)
    found = {check.permission: check for check in provider.verify().checks}
    assert [each for each in ACTIONS[kind] if found[each].verdict != Verdict.GRANTED] == [action]
    assert found[action].verdict == Verdict.DENIED
    assert "403" in found[action].evidence
    assert action in found[action].fix


@pytest.mark.parametrize("kind", EACH)
def test_what_the_shown_policy_says_is_needed_is_enough(moto: Moto, zone_id: str, kind: type[AwsProvider]) -> None:
    # moto knows no zones in policies: the one for all zones is tried.
    shown = part(connected(kind, moto.new_key(), ""), NEEDED)
    found = verdicts(connected(kind, moto.new_key(shown), ""))
    assert {key for key, verdict in found.items() if verdict == Verdict.GRANTED} == {*ACTIONS[kind], OWN_USER}


@pytest.mark.parametrize("kind", EACH)
def test_with_its_optional_part_the_shown_policy_opens_all(moto: Moto, zone_id: str, kind: type[AwsProvider]) -> None:
    shown = connected(kind, moto.new_key(), "").policy()
    assert shown
    actions = [action for each in shown["Statement"] for action in listed(each["Action"])]
    assert {*actions, OWN_USER} == {permission.key for permission in kind.permissions}
    assert len(actions) == len({*actions})
    # moto knows neither zones nor changes in policies.
    widened = [{**each, "Resource": "*"} if kind is Route53 else each for each in shown["Statement"]]
    key = moto.new_key({**shown, "Statement": widened})
    assert set(verdicts(connected(kind, key, "")).values()) == {Verdict.GRANTED}
    assert any(OPTIONAL in note for note in kind.notes)


def part(provider: AwsProvider, name: str) -> dict[str, Any]:
    """Those statements of the policy whose names begin so, without their names."""
    shown = provider.policy()
    assert shown
    named = [dict(statement) for statement in shown["Statement"]]
    return {**shown, "Statement": [each for each in named if each.pop("Sid").startswith(name)]}


def listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def test_the_policy_names_the_bucket_and_the_zone() -> None:
    key = {"access_key_id": "AKIA", "secret_access_key": "secret"}
    for kind, policy in POLICIES.items():
        assert part(connected(kind, key, ""), NEEDED) == policy
    shop = AmazonS3({**key, "bucket": BUCKET, "prefix": "/shop/"})
    bucket = f"arn:aws:s3:::{BUCKET}"
    for name in (NEEDED, OPTIONAL):
        assert [each["Resource"] for each in part(shop, name)["Statement"]] == [f"{bucket}/shop/*", bucket]
    one_zone = Route53({**key, "zone": "/hostedzone/Z123ABC"})
    assert part(one_zone, NEEDED)["Statement"][0]["Resource"] == "arn:aws:route53:::hostedzone/Z123ABC"
    assert part(one_zone, OPTIONAL)["Statement"] == [
        {"Effect": "Allow", "Action": "route53:GetChange", "Resource": "arn:aws:route53:::change/*"}
    ]


@pytest.mark.parametrize("kind", EACH)
def test_an_administrator_is_flagged(moto: Moto, zone_id: str, kind: type[AwsProvider]) -> None:
    provider = connected(kind, moto.new_key(allow(["*"])), zone_id)
    found = provider.verify()
    checks = {check.permission: check for check in found.checks}
    assert checks[OWN_USER].verdict == Verdict.EXCESS
    assert "iam:GetAccountSummary" in checks[OWN_USER].evidence
    assert checks[OWN_USER].fix
    assert found.account == f"arn:aws:iam::123456789012:user/user-{moto.users}"
    assert {check.verdict for key, check in checks.items() if key != OWN_USER} == {Verdict.GRANTED}


def test_the_root_user_is_flagged(moto: Moto, zone_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """moto has no keys of the root user: the answer to the question whose key it is, is made up."""
    provider = connected(AmazonEc2, moto.new_key(POLICIES[AmazonEc2]), zone_id)
    connect = provider.connect

    class Sts:
        def get_caller_identity(self) -> dict[str, str]:
            return {"Arn": "arn:aws:iam::123456789012:root"}

    monkeypatch.setattr(provider, "connect", lambda name, *rest, **config: Sts() if name == "sts" else connect(name))
    assert provider.owner().check.verdict == Verdict.EXCESS
    assert "root user" in provider.owner().check.evidence


@pytest.mark.parametrize("kind", EACH)
@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_a_wrong_key_is_said_to_be_one(moto: Moto, zone_id: str, kind: type[AwsProvider], wrong: str) -> None:
    key = {**moto.new_key(POLICIES[kind]), wrong: "AKIAIOSFODNN7EXAMPLE"}
    with pytest.raises(InvalidCredential) as failure:
        connected(kind, key, zone_id).verify()
    assert key["secret_access_key"] not in f"{failure.value.message}{failure.value.hint}"


def test_what_is_denied_in_use_is_named(moto: Moto, zone_id: str) -> None:
    key = moto.new_key()
    with pytest.raises(MissingPermission) as failure:
        AmazonEc2(key).regions()
    assert failure.value.permission == "ec2:DescribeRegions"
    with pytest.raises(MissingPermission) as failure:
        Route53(key).find_zone("www.example.com")
    assert failure.value.permission == "route53:ListHostedZones"
    with pytest.raises(MissingPermission) as failure:
        list(AmazonS3({**key, "bucket": BUCKET}).objects())
    assert failure.value.permission == "s3:ListBucket"


def test_a_bucket_or_zone_that_there_is_not(moto: Moto) -> None:
    key = moto.new_key(POLICIES[Route53], allow(["s3:*"]))
    with pytest.raises(NotFound, match="NoSuchBucket"):
        AmazonS3({**key, "bucket": "nobodys-bucket"}).verify()
    with pytest.raises(NotFound, match="NoSuchHostedZone"):
        Route53({**key, "zone": "Z0000000NOBODYS"}).verify()


def test_a_check_leaves_nothing_behind(moto: Moto, zone_id: str) -> None:
    key = moto.new_key(*POLICIES.values())
    for kind in POLICIES:
        connected(kind, {**key, "prefix": "shop"}, zone_id).verify()
    with moto.unguarded():
        assert "Contents" not in moto.root("s3").list_objects_v2(Bucket=BUCKET, Prefix="shop")
        assert moto.root("ec2").describe_instances()["Reservations"] == []
        assert moto.root("ec2").describe_key_pairs()["KeyPairs"] == []
        groups = moto.root("ec2").describe_security_groups()["SecurityGroups"]
        assert [group["GroupName"] for group in groups] == ["default"]
        rows = moto.root("route53").list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
        assert {row["Type"] for row in rows} == {"NS", "SOA"}
