"""The project's settings, and one more kind of job."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["bench.quickjob"]  # noqa: F405
