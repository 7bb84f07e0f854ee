"""Settings of the worker processes that the lab starts: the project's own, and the kinds of job made for tests."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["tests.lab.toyapp"]  # noqa: F405
