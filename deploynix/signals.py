"""What any app may listen to."""

from django.dispatch import Signal

# Sent once in each web process, after it was forked.
web_started = Signal()
