"""Every change of state of applications, and of the domains that are connected to them."""

from domains.actions.applications import (
    add_credential,
    create_application,
    delete_application,
    drop_credential,
    update_application,
    use_credential,
)
from domains.actions.connections import (
    apply_connection,
    check_connection,
    check_due_connections,
    connect_domain,
    delete_connection,
    disconnect_connection,
    discover_connection,
)
from domains.actions.handovers import hand_over, take_back
from domains.actions.records import add_record, changes_of, remove_record

__all__ = [
    "add_credential",
    "add_record",
    "apply_connection",
    "changes_of",
    "check_connection",
    "check_due_connections",
    "connect_domain",
    "create_application",
    "delete_application",
    "delete_connection",
    "disconnect_connection",
    "discover_connection",
    "drop_credential",
    "hand_over",
    "remove_record",
    "take_back",
    "update_application",
    "use_credential",
]
