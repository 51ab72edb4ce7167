import shutil
from pathlib import Path

import pytest

from pipeline.settings import Settings
from tests.fakes.planned_experiments import Posts, publish_posts


@pytest.fixture(scope="session")
def posted_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with 100 posts on TikTok and 6 on YouTube; read from it, never write to it."""
    home = tmp_path_factory.mktemp("posted")
    publish_posts(home, [Posts(), Posts(count=6, platform="youtube")])
    return home


@pytest.fixture
def posted_home(posted_template: Path, tmp_path: Path) -> Settings:
    """A copy of that home that a test may change."""
    shutil.copytree(posted_template, tmp_path, dirs_exist_ok=True)
    return Settings(home=tmp_path, lock_timeout_s=20)
