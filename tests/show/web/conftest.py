"""One published home, made once; a copy of it for every test that writes."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from pipeline.clients.warehouse import reading
from pipeline.settings import Settings
from pipeline.show.web.app import create_app
from tests.show.web.copies import LOOPBACK, TOKEN, api_client, web_home
from tests.show.web.predictions import seed_predictions


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Read from it, never write to it."""
    return web_home(tmp_path_factory.mktemp("web"))


@pytest.fixture(scope="session")
def marts(template: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published copy itself, for a test's own SQL."""
    with reading(template) as connection:
        yield connection


@pytest.fixture(scope="session")
def reader(template: Settings) -> TestClient:
    """For requests that change nothing."""
    return TestClient(create_app(template), base_url=LOOPBACK)


@pytest.fixture(scope="session")
def predicted(template: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with models and predictions, one of them scored; only what is asked is added."""
    home = tmp_path_factory.mktemp("predicted")
    shutil.copytree(template.home, home, dirs_exist_ok=True)
    settings = Settings(home=home, lock_timeout_s=20)
    seed_predictions(settings)
    return settings


@pytest.fixture
def home(template: Settings, tmp_path: Path) -> Settings:
    """A copy that a test may change."""
    shutil.copytree(template.home, tmp_path, dirs_exist_ok=True)
    return Settings(home=tmp_path, lock_timeout_s=20)


@pytest.fixture
def client(home: Settings) -> TestClient:
    """For requests that change something."""
    return api_client(home)


@pytest.fixture(scope="session")
def guarded(template: Settings) -> TestClient:
    """A server that asks for a token, for requests that change nothing."""
    settings = template.model_copy(update={"api_token": SecretStr(TOKEN)})
    return TestClient(create_app(settings), base_url=LOOPBACK)


@pytest.fixture
def snapshot(home: Settings) -> Callable[[], dict[str, bytes]]:
    """Every file of the home with its bytes, but the state database's own bookkeeping."""

    def files() -> dict[str, bytes]:
        return {
            str(path.relative_to(home.home)): path.read_bytes()
            for path in sorted(home.home.rglob("*"))
            if path.is_file() and "state.db" not in path.name and ".lock" not in path.name
        }

    return files
