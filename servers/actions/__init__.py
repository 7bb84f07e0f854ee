"""Every change of state of servers and of the scripts that run on them."""

from servers.actions.scripts import create_script, delete_script, run_script, update_script
from servers.actions.servers import (
    CHOICES,
    LOG_LINES,
    REBOOT,
    SETTINGS,
    accept_host_key,
    apply_configuration,
    check_configuration,
    create_server,
    delete_server,
    provision_server,
    read_log,
    refresh_comparison,
    refresh_log,
    restart_server,
    update_server,
)

__all__ = [
    "CHOICES",
    "LOG_LINES",
    "REBOOT",
    "SETTINGS",
    "accept_host_key",
    "apply_configuration",
    "check_configuration",
    "create_script",
    "create_server",
    "delete_script",
    "delete_server",
    "provision_server",
    "read_log",
    "refresh_comparison",
    "refresh_log",
    "restart_server",
    "run_script",
    "update_script",
    "update_server",
]
