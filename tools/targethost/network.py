"""A lab's network: one bridge with a /24 of its own, closed towards the outside."""

import ipaddress
import json
import subprocess
from pathlib import Path

from tools.targethost.process import LabError, run

INOTIFY_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")


class Network:
    """The /24 whose first three octets are `net` (such as "10.88.0"), with this machine as its .1."""

    def __init__(self, lab: str, net: str) -> None:
        try:
            self.subnet = ipaddress.IPv4Network(f"{net}.0/24")
        except ValueError:
            raise LabError(f"{net!r} is not the first three octets of a subnet, such as 10.88.0") from None
        self.bridge = f"dnx-{lab}"
        self.gateway = str(self.subnet[1])

    def check_address(self, ip: str) -> str:
        """The address, when a host of this lab may have it."""
        if ip not in map(str, list(self.subnet)[2:255]):
            raise LabError(f"{ip} is not a host address of {self.subnet} ({self.gateway} is this machine)")
        return ip

    def up(self) -> None:
        """Makes what is missing of the network; safe to call again."""
        bridge_is_up = self._bridge_is_up()
        # A fuse: whenever the bridge is missing, the subnet is unreachable instead of the outside's.
        run("ip", "route", "replace", "unreachable", str(self.subnet), "metric", "9999")
        if not bridge_is_up:
            self.down()
            self._make_bridge()
        # Each systemd holds some 15 of them, all hosts share root's count, and the kernel's default is 128.
        if int(INOTIFY_INSTANCES.read_text()) < 4096:
            INOTIFY_INSTANCES.write_text("4096")

    def down(self) -> None:
        """Removes the bridge; the unreachable route stays, so nothing meant for a host reaches a stranger."""
        remove_device(self.bridge)

    def _make_bridge(self) -> None:
        run("ip", "link", "add", self.bridge, "type", "bridge")
        for setting, value in {"ipv4/conf/{}/forwarding": "0", "ipv6/conf/{}/disable_ipv6": "1"}.items():
            path = Path("/proc/sys/net", setting.format(self.bridge))
            if path.exists():
                path.write_text(value)
        run("ip", "address", "add", f"{self.gateway}/24", "dev", self.bridge)
        run("ip", "link", "set", self.bridge, "up")

    def _bridge_is_up(self) -> bool:
        """False also for a bridge that an interrupted run left without an address."""
        is_up = False
        for device in json.loads(run("ip", "-json", "-4", "address")):
            is_own = device.get("ifname") == self.bridge
            for address in device.get("addr_info", []):
                if is_own != (ipaddress.IPv4Address(address["local"]) in self.subnet):
                    raise LabError(
                        f"{device['ifname']} has {address['local']}, so {self.bridge} cannot have {self.subnet}: "
                        "destroy that lab, or choose another name and subnet"
                    )
                is_up |= is_own
        return is_up


def machine_of(ip: str) -> str:
    """What systemd-nspawn calls the host with this address: unique on the machine, as addresses are."""
    return ipaddress.IPv4Address(ip).packed.hex()


def remove_device(name: str) -> None:
    """Removes a network device if it is there (the kernel may be removing it at this very moment)."""
    subprocess.run(["ip", "link", "delete", name], capture_output=True, check=False)
