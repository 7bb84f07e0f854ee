"""Every change of state of servers and of the scripts that run on them."""

from servers.actions.database_users import (
    change_database_password,
    create_database_user,
    delete_database_user,
    update_database_user,
)
from servers.actions.databases import create_database, delete_database, sync_databases, sync_due_servers
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
    "change_database_password",
    "check_configuration",
    "create_database",
    "create_database_user",
    "create_script",
    "create_server",
    "delete_database",
    "delete_database_user",
    "delete_script",
    "delete_server",
    "provision_server",
    "read_log",
    "refresh_comparison",
    "refresh_log",
    "restart_server",
    "run_script",
    "sync_databases",
    "sync_due_servers",
    "update_database_user",
    "update_script",
    "update_server",
]
