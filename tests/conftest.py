"""What holds for every test: no key, no home and no proxy of the machine that runs them."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from tests.made_once import one_migration_of_the_state, one_parse_of_the_models

hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)

_NOT_THE_MACHINES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AFTERPOST_API_TOKEN",
    "AFTERPOST_TOKEN_FILE",
    "APIFY_TOKEN",
    "APIFY_API_BASE_URL",
    "ANTHROPIC_BASE_URL",
    "AFTERPOST_APIFY_DEADLINE_S",
    "AFTERPOST_APIFY_MAX_CHARGE_USD",
    "AFTERPOST_APIFY_MAX_ITEMS",
    "AFTERPOST_ANTHROPIC_DEADLINE_S",
    "AFTERPOST_ANTHROPIC_BATCHES",
    "AFTERPOST_ANTHROPIC_BATCH_DEADLINE_S",
    "AFTERPOST_RECORD_ANSWERS_DIR",
    "AFTERPOST_ACCOUNTS_PER_RUN",
    "AFTERPOST_LOCK_TIMEOUT_S",
    "AFTERPOST_MODEL",
    "AFTERPOST_SPARK_URL",
    "AFTERPOST_STATE_URL",
    "AFTERPOST_STORAGE",
    "AFTERPOST_STORAGE_URL",
    "YOUTUBE_API_KEY",
    "YOUTUBE_API_BASE_URL",
    "AFTERPOST_YOUTUBE_DEADLINE_S",
    "SLACK_BOT_TOKEN",
    "SLACK_API_BASE_URL",
    "SLACK_CHANNEL",
    "AFTERPOST_SLACK_DEADLINE_S",
)

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 4 * 2**30
"""What a run of all tests may take at once, and more."""

_LONGEST_FIRST = (
    "tests/scale/test_spark_parity.py",
    "tests/scale/test_state_on_postgres.py",
    "tests/scale/test_workers.py",
    "tests/end_to_end/test_loop.py",
    "tests/measure/test_incremental_builds.py",
    "tests/end_to_end/test_kills.py",
    "tests/end_to_end/test_restored_home.py",
    "tests/measure/test_null_discipline.py",
    "tests/faults/test_every_fault.py",
    "tests/collect/test_incremental_load.py",
    "tests/measure/test_as_of.py",
)
"""Files that would leave the other processes without work if they came last."""


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before any fixture of any scope, and for the programs tests start."""
    hypothesis_settings.load_profile("repeatable")
    for name in _NOT_THE_MACHINES:
        # Empty rather than absent: an absent variable would be read from the repository's .env.
        os.environ[name] = ""
    # A test that forgets its own home finds nothing, rather than the repository's accounts.
    os.environ["AFTERPOST_HOME"] = str(Path(__file__).parent / "no_home")
    os.environ.pop("DAGSTER_HOME", None)
    os.environ.pop("COLUMNS", None)
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    os.environ["DO_NOT_TRACK"] = "1"
    # Tests kill programs but not the machine, so whether a byte has reached a disk shows in none
    # of them; waiting for it takes longer than most tests.
    if os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: each stays in one process, and the last one is waited for."""
    places = {name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.location[0], len(places)))


def pytest_collection_finish() -> None:
    """Look for cyclic garbage less often, and not among what all of the tests' imports left."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_unconfigure() -> None:
    """Let what was set aside go as it would have gone, or DuckDB tells of leaks."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Parse the models once in a run, and make the state's tables once in a process."""
    with one_parse_of_the_models(tmp_path_factory), one_migration_of_the_state():
        yield
