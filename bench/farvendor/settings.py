"""The project's settings, and a provider that is asked at another address."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["bench.farvendor"]  # noqa: F405
OUTBOUND_ALLOW = ["127.0.0.0/8"]
