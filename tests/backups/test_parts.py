"""How uploads are cut: the limits of S3, of memory, and of stores that want equal parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backups.parts import LARGEST_OBJECT, MIB, MOST_PARTS, Alike, equal_parts, growing_parts
from providers.storage.custom import Custom
from providers.storage.s3 import AmazonS3

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
SMALLEST_PART, LARGEST_PART = 5 * MIB, 5 * 1024 * MIB


def room(plan: tuple[Alike, ...]) -> int:
    return sum(alike.count * alike.size for alike in plan)


def count(plan: tuple[Alike, ...]) -> int:
    return sum(alike.count for alike in plan)


def memory(plan: tuple[Alike, ...], size: int) -> int:
    """The most that is in memory at once while an object of this size is sent."""
    most, start = 0, 0
    for alike in plan:
        if start < size:
            most = max(most, alike.size * alike.at_once)
        start += alike.size * alike.count
    return most


def test_growing_parts_reach_the_largest_object() -> None:
    plan = growing_parts()
    assert room(plan) >= LARGEST_OBJECT
    assert count(plan) <= MOST_PARTS
    assert all(SMALLEST_PART <= alike.size <= LARGEST_PART for alike in plan)
    assert [alike.size for alike in plan] == sorted(alike.size for alike in plan)


@pytest.mark.parametrize(("gib", "mib"), [(0.1, 32), (10, 32), (40, 96), (300, 128)])
def test_what_is_small_needs_little_memory(gib: float, mib: int) -> None:
    assert memory(growing_parts(), int(gib * 1024 * MIB)) <= mib * MIB


@given(st.integers(0, LARGEST_OBJECT))
def test_equal_parts_leave_room_for_twice_as_much(expected: int) -> None:
    plan = equal_parts(expected)
    assert len({alike.size for alike in plan}) == 1
    assert count(plan) <= MOST_PARTS
    assert room(plan) >= min(2 * expected, LARGEST_OBJECT)
    assert SMALLEST_PART <= plan[0].size <= LARGEST_PART
    assert plan[0].at_once == 1 or memory(plan, expected) <= 96 * MIB


@pytest.mark.parametrize(
    ("endpoint", "is_needed"),
    [
        ("https://0123.r2.cloudflarestorage.com", True),
        ("https://0123.eu.r2.cloudflarestorage.com/", True),
        ("https://r2.cloudflarestorage.com.example", False),
        ("https://s3.example.com", False),
    ],
)
def test_which_store_wants_equal_parts(endpoint: str, is_needed: bool) -> None:
    assert Custom({"endpoint": endpoint}).needs_equal_parts is is_needed


def test_amazon_takes_any_parts() -> None:
    assert AmazonS3({}).needs_equal_parts is False
