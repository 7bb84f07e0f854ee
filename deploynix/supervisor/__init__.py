"""Runs the whole of Deploynix in the foreground: `python -m deploynix.supervisor`."""
