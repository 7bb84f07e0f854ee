"""SSH to a server: commands and scripts as root, over kept connections that are pinned to one host key."""

from servers.ssh.commands import (
    Result,
    Stream,
    close_connections,
    fetch_host_key,
    open_fresh_login,
    run,
    run_script,
    stream,
)
from servers.ssh.connecting import Target, check_address
from servers.ssh.errors import (
    CommandFailed,
    ConnectionLost,
    HostKeyChanged,
    LoginRefused,
    SSHError,
    TimedOut,
    Unreachable,
)
from servers.ssh.forwarding import Listener, listen
from servers.ssh.keys import KeyPair, fingerprint, generate_key
from servers.ssh.packed import Packed, pack

__all__ = [
    "CommandFailed",
    "ConnectionLost",
    "HostKeyChanged",
    "KeyPair",
    "Listener",
    "LoginRefused",
    "Packed",
    "Result",
    "SSHError",
    "Stream",
    "Target",
    "TimedOut",
    "Unreachable",
    "check_address",
    "close_connections",
    "fetch_host_key",
    "fingerprint",
    "generate_key",
    "listen",
    "open_fresh_login",
    "pack",
    "run",
    "run_script",
    "stream",
]
