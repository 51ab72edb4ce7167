"""What the fault cases share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh home and its own server."""
    with open_bench(tmp_path) as bench:
        yield bench
