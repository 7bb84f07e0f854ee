"""What any app may listen to."""

from django.dispatch import Signal

# Sent once in each web process, after it was forked.
web_started = Signal()
# Sent after a test key's request was undone, with `actor`, `request`, the answer's `status`, and the names of the audit
# `events` that were undone with it.
dry_run_ended = Signal()
