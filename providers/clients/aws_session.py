"""Clients of boto3 that know nothing but what they are given.

By itself boto3 completes a credential with keys, regions, addresses and proxies from the environment, from ~/.aws and
from the metadata service of the machine: here that would lend strangers the machine's own rights.
"""

import time
from collections.abc import Iterator, Mapping
from functools import cache
from ssl import SSLContext
from threading import Lock
from typing import Any, cast

import boto3.session
import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.config import Config
from botocore.configprovider import ConfigValueStore, ConstantProvider
from botocore.credentials import CredentialResolver
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader

from deploynix.guard import GUARDED_POOLS, Refused
from deploynix.http import CONNECT_SECONDS, LARGEST_BODY, READ_SECONDS, TOTAL_SECONDS, Unreachable, outbound_context

ATTEMPTS = 3
# Two types are narrower than what botocore takes: hence the casts.
CONFIG = cast(Any, Config)(
    # Pauses between attempts grow, and are short: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
    ignore_configured_endpoint_urls=True,
    user_agent_extra="Deploynix",
    # Stores other than Amazon's do not know its newer checksums.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
# A session makes one client at a time; clients themselves may be shared.
_making = Lock()


def connect(
    service: str, access_key: str, secret_key: str, region: str, endpoint: str | None = None, **config: Any
) -> Any:
    """A client of the service; `endpoint` is where to find it, if not at Amazon.

    Raises BotoCoreError and ValueError; its calls raise ClientError, BotoCoreError, Unreachable and Refused.
    """
    with _making:
        client = _session().client(
            cast(Any, service),
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=CONFIG.merge(Config(**config)),
        )
    cast(Any, client)._endpoint.http_session = _GuardedHttp()
    return client


@cache
def region_names() -> Mapping[str, str]:
    """What Amazon calls its regions: `{"eu-central-1": "Europe (Frankfurt)"}`."""
    partitions = cast(Any, _session())._loader.load_data("endpoints")["partitions"]
    return {slug: row["description"] for partition in partitions for slug, row in partition["regions"].items()}


@cache
def _session() -> boto3.session.Session:
    bare = botocore.session.Session()
    defaults = {name: default for name, (_, _, default, *_) in bare.SESSION_VARIABLES.items()}
    known = {**defaults, "config_file": None, "credentials_file": None}
    store = ConfigValueStore({name: ConstantProvider(value) for name, value in known.items()})
    bare.register_component("config_store", store)
    bare.register_component("credential_provider", CredentialResolver([]))
    loader = Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    bare.register_component("data_loader", loader)
    return boto3.session.Session(botocore_session=bare)


class _GuardedHttp(URLLib3Session):
    """Sends to public addresses only, by no proxy, and reads what is small or to be parsed up to a limit."""

    def __init__(self) -> None:
        super().__init__(timeout=cast(Any, (CONNECT_SECONDS, READ_SECONDS)))
        cast(Any, self)._manager.pool_classes_by_scheme = GUARDED_POOLS

    def _get_ssl_context(self) -> SSLContext:
        return outbound_context()

    def send(self, request: AWSRequest | AWSPreparedRequest) -> AWSResponse:
        deadline = time.monotonic() + TOTAL_SECONDS
        is_streamed, request.stream_output = request.stream_output, True
        try:
            response = super().send(request)
        except HTTPClientError as error:
            cause = error.kwargs.get("error")
            # As itself it is final, where botocore would try again.
            raise cause if isinstance(cause, Refused) else error from None
        try:
            _check_redirect(response)
            if not is_streamed or response.status_code >= 300:
                response.raw = _Limited(response.raw, deadline)
                # Reads it, and keeps it.
                _ = response.content
        except BaseException:
            response.raw.close()
            raise
        return response


def _check_redirect(response: AWSResponse) -> None:
    """botocore asks where a bucket is; to be redirected from there too, it would ask without end."""
    if response.status_code in REDIRECTS and "x-amz-bucket-region" not in response.headers:
        raise Unreachable("It sends us elsewhere. Check the region and the endpoint.")


def first_bytes(body: Any, most: int) -> bytes:
    """Of what is being received, at most so many. Raises Unreachable where they do not come in time."""
    found = bytearray()
    for chunk in _Limited(body, time.monotonic() + TOTAL_SECONDS).stream():
        found += chunk
        if len(found) >= most:
            break
    return bytes(found[:most])


class _Limited:
    """A body that ends in an error where it is too large or too slow."""

    def __init__(self, raw: Any, deadline: float) -> None:
        self._raw, self._deadline = raw, deadline

    def stream(self) -> Iterator[bytes]:
        length = 0
        # A piece of a size would wait until all of it is there, however slowly it comes.
        while chunk := self._raw.read1(_CHUNK, decode_content=True):
            length += len(chunk)
            if length > LARGEST_BODY:
                raise Unreachable(f"The answer is larger than {LARGEST_BODY // 1024} KiB.")
            if time.monotonic() > self._deadline:
                raise Unreachable(f"The answer took longer than {TOTAL_SECONDS:.0f} seconds.", retryable=True)
            yield chunk

    def close(self) -> None:
        self._raw.close()
