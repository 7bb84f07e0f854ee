"""The project's settings, and a certificate authority whose limits are known."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["bench.limitedca"]  # noqa: F405
