"""A home whose warehouse and landing folder are gone comes back from its mirror as it was."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.clients.mirror_store import MirrorStore
from pipeline.clients.warehouse import published_database
from pipeline.collect.raw import load_raw
from pipeline.defs.runs import run_build
from pipeline.settings import StorageTier
from pipeline.show.cli.main import main
from tests.end_to_end.fingerprints import (
    mart_fingerprints,
    table_fingerprints,
    without_data_tests,
)
from tests.end_to_end.small_world import landed_home


@pytest.mark.timeout(300)
def test_a_lost_warehouse_and_landing_folder_come_back_with_identical_marts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    settings = landed_home(tmp_path / "home", every=24).model_copy(
        update={"storage": StorageTier.HYBRID, "storage_url": str(store)}
    )
    with without_data_tests():
        run_build(settings)
    before = mart_fingerprints(published_database(settings))
    answers = {path.name: path.read_bytes() for path in settings.landing_dir.rglob("*.zst")}
    shutil.rmtree(settings.warehouse_dir)
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    monkeypatch.setenv("AFTERPOST_STORAGE_URL", str(store))

    with without_data_tests():
        assert main(["restore", "--from", str(store), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["comparison"]["is_identical"], told["comparison"]
    assert told["comparison"]["table_count"] == len(before) > 30
    assert told["comparison"]["row_count"] > 300
    assert mart_fingerprints(published_database(settings)) == before
    assert {path.name: path.read_bytes() for path in settings.landing_dir.rglob("*.zst")} == answers
    assert len(MirrorStore(str(store)).listing("generations")) == 1, "a restore mirrors nothing"

    # With rows in the mirror alone, the tables that everything is built from are the same again.
    assert main(["mirror", "--keep-days", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pruned_count"] == len(answers)
    assert list(settings.landing_dir.rglob("*.zst")) == []
    built = table_fingerprints(settings.database_path, "raw")
    settings.database_path.unlink()
    load_raw(settings)
    assert table_fingerprints(settings.database_path, "raw") == built
