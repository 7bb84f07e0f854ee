from collections.abc import Iterator

import pytest

from tests.jobs.toy import Toy


@pytest.fixture(autouse=True)
def toy() -> Iterator[type[Toy]]:
    Toy.reset()
    yield Toy
    Toy.reset()
