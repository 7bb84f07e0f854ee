"""Throw-away Debian servers to test provisioning against.

Every host boots its own systemd (systemd-nspawn) with its own address, sshd, packet filter and package
database, and is reached over SSH the way a rented server is. Needs root on Debian.

    lab = Lab("demo", "10.88.0")
    lab.build()
    host = lab.start("web", "10.88.0.10")
    host.run("systemctl", "is-system-running")
    lab.destroy()
"""

from tools.targethost.hosts import Host
from tools.targethost.lab import Lab
from tools.targethost.process import LabError, Unsupported

__all__ = ["Host", "Lab", "LabError", "Unsupported"]
