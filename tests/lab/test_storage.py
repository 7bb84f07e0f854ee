"""Stores that speak S3, on a real one: what different keys may do, and that what was put is there."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from deploynix.guard import RefusedAddress
from providers.base import Verdict
from providers.clients.aws import AwsProvider
from providers.contracts.storage import DELETE, GET, LIST, PUT, StorageProvider
from providers.errors import InvalidCredential, MissingPermission, NotFound
from providers.storage.custom import Custom
from providers.storage.s3 import AmazonS3
from providers.storage.spaces import Spaces
from providers.storage.wasabi import Wasabi
from tests.lab.seaweedfs import BUCKET, OTHER_BUCKET, SeaweedFs, secret

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def seaweed() -> Iterator[SeaweedFs]:
    with SeaweedFs() as server:
        yield server


@pytest.fixture(autouse=True)
def _buckets(seaweed: SeaweedFs, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two, and nothing in them. All stores are the same one: most have no address that a user chooses."""
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr(AwsProvider, "endpoint_url", seaweed.url)
    monkeypatch.setattr(StorageProvider, "is_path_style", True)
    client = store("admin").client
    there = {row["Name"] for row in client.list_buckets()["Buckets"]}
    for bucket in (BUCKET, OTHER_BUCKET):
        if bucket not in there:
            client.create_bucket(Bucket=bucket)
        for row in client.list_objects_v2(Bucket=bucket).get("Contents", ()):
            client.delete_object(Bucket=bucket, Key=row["Key"])


def values(name: str, **more: str) -> dict[str, str]:
    key = {"access_key_id": name, "secret_access_key": secret(name), "region": "us-east-1"}
    return {**key, "bucket": BUCKET, "endpoint": "", "path_style": "yes", **more}


def store(name: str, **more: str) -> StorageProvider:
    return Custom(values(name, **more))


def verdicts(provider: StorageProvider) -> dict[str, Verdict]:
    return {check.permission: check.verdict for check in StorageProvider.verify(provider).checks}


def names(prefix: str = "") -> list[str]:
    return [found.name for found in store("admin", prefix=prefix).objects()]


@pytest.mark.parametrize("kind", [AmazonS3, Spaces, Wasabi, Custom])
@pytest.mark.parametrize("prefix", ["", "acme/production"])
def test_a_key_for_the_bucket_may_all_and_nothing_stays(kind: type[StorageProvider], prefix: str) -> None:
    found = verdicts(kind(values("writer", prefix=prefix)))
    assert set(found.values()) == {Verdict.GRANTED}
    # Of S3 the identity is looked at too, which is asked of Amazon only.
    assert found.keys() == {permission.key for permission in kind.permissions} - {"user"}
    assert names() == []


def test_a_key_that_only_reads() -> None:
    store("admin").put("backup", b"content")
    found = verdicts(store("reader"))
    assert {key: found[key] for key in (PUT, GET, DELETE, LIST)} == {
        PUT: Verdict.DENIED,
        GET: Verdict.GRANTED,
        DELETE: Verdict.DENIED,
        LIST: Verdict.GRANTED,
    }
    assert store("reader").get("backup", 100) == b"content"
    with pytest.raises(MissingPermission) as failure:
        store("reader").put("backup", b"other")
    assert failure.value.permission == PUT
    with pytest.raises(MissingPermission) as failure:
        store("reader").delete("backup")
    assert failure.value.permission == DELETE
    assert names() == ["backup"]


def test_a_key_for_another_bucket() -> None:
    found = verdicts(store("stranger"))
    assert Verdict.GRANTED not in found.values()
    assert [found[key] for key in (PUT, LIST, DELETE)] == [Verdict.DENIED] * 3
    assert set(verdicts(store("stranger", bucket=OTHER_BUCKET)).values()) == {Verdict.GRANTED}


@pytest.mark.parametrize("wrong", ["access_key_id", "secret_access_key"])
def test_a_wrong_key(wrong: str) -> None:
    provider = store("writer", **{wrong: "nobodys"})
    with pytest.raises(InvalidCredential) as failure:
        provider.verify()
    assert secret("writer") not in f"{failure.value.message}{failure.value.hint}"
    assert "Access Key" in failure.value.hint


def test_a_bucket_that_there_is_not() -> None:
    with pytest.raises(NotFound, match="NoSuchBucket") as failure:
        store("admin", bucket="nobodys-bucket").verify()
    assert "bucket" in failure.value.hint


def test_objects_come_and_go() -> None:
    provider = store("writer", prefix="/acme/")
    for number in range(3):
        provider.put(f"shop/backup-{number}", b"x" * number)
    provider.put("blog/backup", "grüße".encode())
    assert [(found.name, found.size) for found in provider.objects("shop/")] == [
        ("shop/backup-0", 0),
        ("shop/backup-1", 1),
        ("shop/backup-2", 2),
    ]
    assert provider.get("blog/backup", 1000).decode() == "grüße"
    assert provider.get("shop/backup-2", 1) == b"x"
    assert names()[0] == "acme/blog/backup"

    for _ in range(2):
        provider.delete("blog/backup")
    with pytest.raises(NotFound):
        provider.get("blog/backup", 1000)


def test_many_objects_are_listed_page_by_page() -> None:
    provider = store("writer")
    for number in range(5):
        provider.put(f"backup-{number}", b"")
    listing = provider.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    assert len(list(listing)) == 3
    assert len(list(provider.objects())) == 5


def test_a_store_in_our_own_network_must_be_opened(seaweed: SeaweedFs, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW = []
    with pytest.raises(RefusedAddress, match=r"127\.0\.0\.1"):
        store("writer").verify()
