"""How many examples hypothesis tries: a few, always the same ones, in the suites; thousands in `make soak`."""

from hypothesis import HealthCheck, settings

SOAK = 2000


def register_profiles() -> None:
    # What a fixture makes is there once for all examples of a test, and none of them changes it.
    base = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))
    settings.register_profile("suite", base, max_examples=100, derandomize=True)
    settings.register_profile("soak", base, max_examples=SOAK, print_blob=True)
    settings.load_profile("suite")


def rounds(few: int, many: int) -> int:
    """How often something is done, or how much of it: `many` in `make soak`."""
    return many if settings().max_examples >= SOAK else few


def share(part: int) -> int:
    """That part of the examples, for a test of which each example is slow; at least one."""
    return max(1, settings().max_examples // part)
