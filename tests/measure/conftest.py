"""One simulated world, built once in a run of all tests."""

import pytest

from pipeline.settings import Settings
from tests.made_once import made_once
from tests.measure.marts.worlds import built_home


@pytest.fixture(scope="session")
def built_world(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Three accounts with planted effects; no test writes to it."""
    return Settings(home=made_once(tmp_path_factory, "built_world", built_home))
