from pathlib import Path

import pytest

from pipeline.settings import Settings
from tests.fakes.published import add_account


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with one account."""
    settings = Settings(home=tmp_path, lock_timeout_s=20)
    add_account(settings)
    return settings
