"""The kinds of background work on backups."""

from backups.kinds import drilling, making, removing, restoring, verifying, warning

__all__ = ["drilling", "making", "removing", "restoring", "verifying", "warning"]
