"""The logins that a server's rows stand for."""

from servers.models import Server
from servers.ssh import Target


def target_of(server: Server) -> Target:
    """The login of a provisioned server: its managed user, with its own key and sudo."""
    return Target(
        host=server.ip_address,
        port=server.ssh_port,
        username=server.ssh_user,
        private_key=server.private_key,
        host_key=server.host_key or None,
        become=True,
    )


def first_target_of(server: Server) -> Target:
    """The login before that: the user that was there already, with the key that was given or the server's own."""
    return Target(
        host=server.ip_address,
        port=server.ssh_port,
        username=server.login_user,
        private_key=server.login_key or server.private_key,
        host_key=server.host_key or None,
        become=server.login_user != "root",
    )
