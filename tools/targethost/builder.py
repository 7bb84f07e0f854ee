"""Making a base image from the machine's own Debian mirror, and installing the programs that takes."""

import hashlib
import os
import shlex
import subprocess
from pathlib import Path

from tools.targethost.cgroups import Group
from tools.targethost.images import ImageStore, Layer
from tools.targethost.mirror import own_mirror
from tools.targethost.process import LabError, run

TOOLS = ("mmdebstrap", "systemd-container", "apt-cacher-ng", "iproute2", "openssh-client")
# What a cloud's Debian image has on its first day, beyond the packages of priority "important".
PACKAGES = (
    "systemd-sysv", "dbus", "libpam-systemd", "openssh-server", "sudo", "cron", "ca-certificates", "curl",
    "gnupg", "python3", "iproute2", "ifupdown", "iputils-ping", "netbase", "procps", "locales", "nftables",
)  # fmt: skip
CUSTOMIZE = Path(__file__).parent / "scripts" / "customize.sh"


def install_tools() -> None:
    """Installs the Debian packages that running a lab takes; needs root on Debian."""
    missing = [package for package in TOOLS if not is_installed(package)]
    if missing:
        run("apt-get", "update", "-qq")
        install = ["apt-get", "install", "-qq", "--no-install-recommends", *missing]
        run("env", "DEBIAN_FRONTEND=noninteractive", *install)


def is_installed(package: str) -> bool:
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    return subprocess.run(query, capture_output=True, text=True, check=False).stdout == "installed"


def build_image(store: ImageStore, group: Group, image: str, suite: str, apt_settings: str) -> bool:
    """Makes the base image unless it is there and made the same way; tells whether it had to be made."""
    sources = own_mirror().sources(suite)
    recipe = "\n".join([suite, *sources, *PACKAGES, CUSTOMIZE.read_text()])
    stamp = hashlib.sha256(recipe.encode()).hexdigest()
    with store.building(image):
        if store.stamp(image) == stamp:
            return False
        with store.new_layer(image) as layer:
            _bootstrap(group, layer, suite, sources, apt_settings)
            (layer.folder / "stamp").write_text(stamp)
    return True


def _bootstrap(group: Group, layer: Layer, suite: str, sources: list[str], apt_settings: str) -> None:
    settings, log = layer.folder / "apt.conf", layer.folder / "build.log"
    settings.write_text(apt_settings)
    # The mount namespace takes /proc and /dev of the new root with it, however the build ends.
    argv = ["unshare", "--mount", "--propagation", "private", "--", "mmdebstrap", "--mode=root"]
    argv += ["--variant=important", f"--include={','.join(PACKAGES)}", f"--aptopt={settings}"]
    argv += [f'--customize-hook=sh {shlex.quote(str(CUSTOMIZE))} "$1"', suite, str(layer.root), *sources]
    # What an aborted build left running ends here.
    group.end()
    try:
        with log.open("wb") as output:
            code = subprocess.run(
                group.command(argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "TMPDIR": str(layer.folder)},
                pass_fds=[layer.lock],
                check=False,
            ).returncode
    finally:
        group.end()
    if code != 0:
        last_lines = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
        raise LabError(f"the image could not be built:\n{last_lines}")
