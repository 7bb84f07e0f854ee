"""What can go wrong between this machine and a server, in words for the person who owns the server."""

from deploynix.errors import Error


class SSHError(Error):
    """The common base: a server could not be used over SSH."""

    status = 502
    code = "ssh_error"


class Unreachable(SSHError):
    """No SSH connection could be made; nothing was run."""

    def __init__(self, host: str, port: int, reason: str, *, retryable: bool = True) -> None:
        super().__init__(
            f"{host} cannot be reached over SSH on port {port}: {reason}.",
            "Check the address, the port, and that the firewalls before it let this machine in.",
            retryable=retryable,
        )


class HostKeyChanged(SSHError):
    """The server shows another host key than the pinned one; nothing was sent to it."""

    def __init__(self, host: str, expected_fingerprint: str, presented_fingerprint: str) -> None:
        super().__init__(
            f"The host key of {host} has changed: expected {expected_fingerprint}, "
            f"but the server presents {presented_fingerprint}. The connection was refused.",
            "If the server was reinstalled, compare the new fingerprint on its console and accept it. "
            "Otherwise somebody may be standing between this machine and the server.",
        )
        self.expected_fingerprint = expected_fingerprint
        self.presented_fingerprint = presented_fingerprint


class LoginRefused(SSHError):
    """The server is there, but does not let the key in; nothing was run."""

    def __init__(self, host: str, username: str, reason: str = "") -> None:
        super().__init__(
            f"{host} refuses the login of {username}{': ' + reason if reason else ''}.",
            f"Check that the server's public key is in the authorized_keys file of {username}.",
        )


class ConnectionLost(SSHError):
    """The connection broke while a command ran; whether the command finished is not known."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"The connection to {host} was lost before the command had finished.",
            "The server may be restarting, or the network between may be down.",
            retryable=True,
        )


class CommandFailed(SSHError):
    """A command ended with an exit status other than 0. `tail`, the end of its output, may hold secrets."""

    def __init__(self, what: str, exit_status: int, tail: str) -> None:
        super().__init__(f"{what} failed on the server with exit status {exit_status}.", "See its output in the log.")
        self.exit_status = exit_status
        self.tail = tail


class TimedOut(SSHError):
    """A command did not end in time."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(
            f"{what} did not finish within {seconds:g} seconds.",
            "The server may be overloaded. Try again, or look at it over SSH.",
            retryable=True,
        )
