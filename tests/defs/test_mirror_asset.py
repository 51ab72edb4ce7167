"""The mirror after a build: made in the tiers that have one, and red when it could not be."""

from pathlib import Path

import dagster as dg
import pytest

from pipeline.clients.mirror_store import open_mirror
from pipeline.defs.assets.mirror import mirror
from pipeline.settings import Settings, StorageTier
from tests.fakes.mirrored_homes import small_home


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return small_home(tmp_path / "home", str(tmp_path / "store"))


def materialize(settings: Settings) -> dg.ExecuteInProcessResult:
    resource = dg.ResourceDefinition.hardcoded_resource(settings)
    return dg.materialize([mirror], resources={"settings": resource}, raise_on_error=False)


def test_a_build_is_mirrored(home: Settings) -> None:
    result = materialize(home)

    (event,) = result.get_asset_materialization_events()
    told = event.materialization.metadata
    assert told["file_count"].value == len(open_mirror(home).listing("data"))
    assert told["files_copied"].value == told["file_count"].value
    assert f"{told['generation'].value}\n" == open_mirror(home).read("current").decode()


def test_the_tier_local_mirrors_nothing(home: Settings, tmp_path: Path) -> None:
    result = materialize(home.model_copy(update={"storage": StorageTier.LOCAL}))

    assert result.success
    assert result.get_asset_materialization_events() == []
    assert not (tmp_path / "store").exists()


def test_a_place_that_cannot_be_written_is_told_in_one_sentence(
    home: Settings, tmp_path: Path
) -> None:
    (tmp_path / "store").write_text("a file is in the way")
    result = materialize(home)

    assert not result.success
    failure = result.failure_data_for_node("published__mirror")
    assert failure is not None
    assert failure.user_failure_data is not None
    assert "cannot be" in str(failure.user_failure_data.description)
    assert str(tmp_path / "store") in str(failure.user_failure_data.description)
