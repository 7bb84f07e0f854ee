"""What other apps may listen to."""

from django.dispatch import Signal

# Sent inside the action's transaction, with `organization` and `user`, when someone was removed or left.
member_removed = Signal()
