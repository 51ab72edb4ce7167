"""A build that is killed at any moment leaves nothing that the next build does not put right."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pipeline.clients.warehouse import reading
from pipeline.errors import NothingPublishedError
from pipeline.settings import Settings
from tests.end_to_end.fingerprints import mart_fingerprints, table_fingerprints
from tests.end_to_end.small_world import landed_home

KILLS = int(os.environ.get("AFTERPOST_TEST_KILLS", "3"))
"""How often a build is killed; more with the variable."""


def _start_build(home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.show.cli.main", "build"],
        env={**os.environ, "AFTERPOST_HOME": str(home), "PYTHONWARNINGS": "ignore"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _build(home: Path) -> float:
    started = time.monotonic()
    process = _start_build(home)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    return time.monotonic() - started


def _published_is_whole_or_absent(settings: Settings) -> None:
    try:
        with reading(settings) as connection:
            build_id = connection.execute("select build_id from stats.build_info").fetchall()
            models_of = connection.execute("select build_id from stats.model_build").fetchall()
            assert build_id == models_of
            assert connection.execute("select count(*) from marts.fct_snapshot").fetchall()
    except NothingPublishedError:
        pass


@pytest.mark.timeout(600)
def test_killed_builds_end_in_the_marts_of_an_undisturbed_one(tmp_path: Path) -> None:
    undisturbed = landed_home(tmp_path / "undisturbed", every=12)
    disturbed_home = tmp_path / "disturbed"
    shutil.copytree(undisturbed.home, disturbed_home)
    disturbed = Settings(home=disturbed_home)
    whole_build_s = _build(undisturbed.home)

    moments = random.Random(11)
    for _ in range(KILLS):
        process = _start_build(disturbed_home)
        try:
            process.wait(timeout=moments.uniform(0.3, 0.95) * whole_build_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        _published_is_whole_or_absent(disturbed)
    _build(disturbed_home)

    assert mart_fingerprints(disturbed.database_path) == mart_fingerprints(
        undisturbed.database_path
    )
    assert table_fingerprints(disturbed.database_path, "raw") == table_fingerprints(
        undisturbed.database_path, "raw"
    )
    with duckdb.connect(str(undisturbed.database_path), read_only=True) as connection:
        assert connection.execute("select count(*) > 100 from marts.fct_snapshot").fetchall() == [
            (True,)
        ]
