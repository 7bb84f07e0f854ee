"""What reaches the network through boto3, and what its answers do to us."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from pytest_django import Settings

from deploynix.guard import RefusedAddress
from providers.clients import aws_session
from providers.clients.aws import AwsProvider
from providers.dns.route53 import Route53
from providers.errors import (
    InvalidCredential,
    MissingPermission,
    NotFound,
    ProviderError,
    RateLimited,
    Unavailable,
)
from providers.servers.aws import AmazonEc2
from providers.storage.custom import Custom
from providers.storage.s3 import AmazonS3
from providers.storage.spaces import Spaces
from providers.storage.wasabi import Wasabi

SECRET = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
KEY = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET, "region": "eu-central-1"}
EMPTY = b"<ListBucketResult></ListBucketResult>"


class Handler(BaseHTTPRequestHandler):
    """Answers everything alike, and keeps who asked."""

    protocol_version = "HTTP/1.1"
    status, body, headers_sent = 200, EMPTY, dict[str, str]()
    signers: list[str] = []

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.signers.append(self.headers.get("Authorization", ""))
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command != "HEAD":
            try:
                self.wfile.write(self.body)
            except OSError:
                self.close_connection = True

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 -- the names that the server looks for

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    settings.OUTBOUND_ALLOW = ["127.0.0.0/8"]
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
    Handler.status, Handler.body, Handler.headers_sent, Handler.signers = 200, EMPTY, {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def store(endpoint: str) -> Custom:
    return Custom({**KEY, "bucket": "backups", "endpoint": endpoint, "path_style": "yes"})


def answer(status: int, code: str, text: str = "It says why.", **headers: str) -> None:
    Handler.status, Handler.headers_sent = status, headers
    Handler.body = f"<Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()


def test_the_credential_alone_signs(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine is used: no keys, profile, endpoint, proxy or bundle of certificates."""
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-west-2\nendpoint_url = http://127.0.0.1:9\nproxy = nobody\n")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "AKIDMACHINE",
        "AWS_SECRET_ACCESS_KEY": "of-the-machine",
        "AWS_SESSION_TOKEN": "token-of-the-machine",
        "AWS_PROFILE": "nobody",
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(config),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_CA_BUNDLE": "/nowhere",
        "AWS_MAX_ATTEMPTS": "50",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    aws_session._session.cache_clear()
    try:
        assert list(store(url).objects()) == []
    finally:
        aws_session._session.cache_clear()
    assert len(Handler.signers) == 1
    assert "Credential=AKIDEXAMPLE/" in Handler.signers[0]
    assert "/eu-central-1/s3/" in Handler.signers[0]


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://{host}",
        "http://localhost:{port}",
        "http://2130706433:{port}",
        "http://[::ffff:127.0.0.1]:{port}",
        "http://169.254.169.254",
        "http://10.0.0.1:9000",
        "https://192.168.1.10",
        "http://[fd00:ec2::254]",
    ],
)
def test_our_own_network_is_not_reached(url: str, settings: Settings, endpoint: str) -> None:
    settings.OUTBOUND_ALLOW = []
    host = url.removeprefix("http://")
    with pytest.raises(RefusedAddress):
        store(endpoint.format(host=host, port=host.partition(":")[2])).verify()
    assert Handler.signers == []


@pytest.mark.parametrize("region", [{}, {"x-amz-bucket-region": "eu-west-1"}])
def test_a_redirect_is_not_followed(url: str, region: dict[str, str]) -> None:
    Handler.status, Handler.body = 302, b""
    Handler.headers_sent = {"Location": "http://169.254.169.254/latest/meta-data", **region}
    with pytest.raises(ProviderError, match=r"elsewhere|answered 302"):
        list(store(url).objects())
    # Where the store names another region, that is tried once, at the same address.
    assert len(Handler.signers) == 1 + len(region)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (401, "Unauthorized", InvalidCredential),
        (403, "InvalidAccessKeyId", InvalidCredential),
        (403, "SignatureDoesNotMatch", InvalidCredential),
        (400, "ExpiredToken", InvalidCredential),
        (403, "AccessDenied", MissingPermission),
        (403, "RequestTimeTooSkewed", ProviderError),
        (404, "NoSuchBucket", NotFound),
        (409, "OperationAborted", ProviderError),
        (422, "Unprocessable", ProviderError),
        (429, "TooManyRequests", RateLimited),
        (503, "SlowDown", RateLimited),
        (500, "InternalError", Unavailable),
        (503, "ServiceUnavailable", Unavailable),
    ],
)
def test_refusals_and_failures_become_the_errors_of_one_tree(
    url: str, status: int, code: str, error: type[ProviderError]
) -> None:
    answer(status, code, **{"Retry-After": "7"})
    with pytest.raises(error) as failure:
        list(store(url).objects())
    assert SECRET not in f"{failure.value.message}{failure.value.hint}"
    if isinstance(failure.value, RateLimited):
        assert failure.value.retry_after == 7
    else:
        assert f"{status} {code}: It says why." in failure.value.message
    assert len(Handler.signers) <= aws_session.ATTEMPTS


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied"])
def test_both_words_for_denied_mean_it(url: str, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The first is EC2's; its encoded explanation is of no use to people."""
    monkeypatch.setattr(AwsProvider, "endpoint_url", url)
    Handler.status = 403
    Handler.body = (
        f"<Response><Errors><Error><Code>{code}</Code><Message>You are not authorized to perform this operation. "
        "Encoded authorization failure message: 4GIOHlTk0Ma</Message></Error></Errors></Response>"
    ).encode()
    with pytest.raises(MissingPermission) as failure:
        AmazonEc2(KEY).images("eu-central-1")
    assert failure.value.permission == "ec2:DescribeImages"
    assert "not authorized" in failure.value.message
    assert "4GIOHlTk0Ma" not in failure.value.message
    assert "ec2:DescribeImages" in failure.value.hint


@pytest.mark.parametrize("body", [b"<html>Bad gateway", b'{"result": ', b"\xff\xfe"])
def test_what_makes_no_sense_is_an_error_too(url: str, body: bytes) -> None:
    Handler.body = body
    with pytest.raises(Unavailable):
        list(store(url).objects())


def test_a_huge_answer_is_not_read_to_its_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_session, "LARGEST_BODY", 10_000)
    Handler.body = b"<ListBucketResult>" + b" " * 200_000
    with pytest.raises(Unavailable, match="larger than 9 KiB"):
        list(store(url).objects())


def test_of_an_object_only_what_is_wanted_is_read(url: str) -> None:
    Handler.body = b"x" * 200_000
    assert store(url).get("backup", 100) == b"x" * 100


def test_a_slow_answer_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_session, "TOTAL_SECONDS", -1.0)
    with pytest.raises(Unavailable, match="took longer"):
        list(store(url).objects())


def test_a_slow_object_has_an_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_session, "TOTAL_SECONDS", -1.0)
    with pytest.raises(Unavailable, match="took longer"):
        store(url).get("backup", 100)


def test_nobody_there_is_unavailable(url: str) -> None:
    with pytest.raises(Unavailable, match="cannot be reached"):
        list(store("http://127.0.0.1:9").objects())


def test_a_region_cannot_lead_elsewhere() -> None:
    for region in ("evil.example.com/", "a@evil.example.com", "eu central"):
        with pytest.raises(ProviderError, match="region"):
            list(Wasabi({**KEY, "region": region, "bucket": "backups"}).objects())


def test_each_store_has_its_address() -> None:
    values = {**KEY, "bucket": "backups"}
    assert Wasabi(values).client.meta.endpoint_url == "https://s3.eu-central-1.wasabisys.com"
    assert Spaces({**values, "region": "nyc3"}).client.meta.endpoint_url == "https://nyc3.digitaloceanspaces.com"
    own = Spaces({**values, "endpoint": "https://fra1.digitaloceanspaces.com"})
    assert own.client.meta.endpoint_url == "https://fra1.digitaloceanspaces.com"
    assert AmazonS3(values).client.meta.endpoint_url == "https://s3.eu-central-1.amazonaws.com"
    assert signed(store("https://s3.example.com")) == "https://s3.example.com/backups/key"
    by_host = Custom({**values, "endpoint": "https://s3.example.com", "path_style": "no"})
    assert signed(by_host) == "https://backups.s3.example.com/key"


def signed(provider: Custom) -> str:
    """Where an object is."""
    url = provider.client.generate_presigned_url("get_object", Params={"Bucket": "backups", "Key": "key"})
    return url.partition("?")[0]


@pytest.mark.parametrize("kind", [AmazonEc2, Route53, AmazonS3])
def test_a_credential_may_be_one_string(kind: type[AwsProvider]) -> None:
    assert kind.parse("AKID:se/cr+et") == {"access_key_id": "AKID", "secret_access_key": "se/cr+et"}
    assert kind.parse("AKID:se/cr+et:eu-west-1")["region"] == "eu-west-1"
    for text in ("AKID", "AKID:", ":secret", "a:b:c:d", ""):
        with pytest.raises(ValueError, match="accessKeyId:secretAccessKey"):
            kind.parse(text)
