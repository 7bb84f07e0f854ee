"""The product's settings, and the apps of the two that it is compared with."""

from deploynix.settings import *  # noqa: F403

INSTALLED_APPS += ["rest_framework.authtoken", "knox"]  # noqa: F405
# So many that nothing is refused while its cost is measured.
RATE_LIMIT_TYPES |= {"standard": (1_000_000_000, 1_000_000_000)}  # noqa: F405
