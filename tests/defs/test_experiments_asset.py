"""What Dagster shows of a run that manages experiments."""

from dataclasses import replace
from pathlib import Path

import dagster as dg

from pipeline.defs.assets.experiments import experiments
from pipeline.settings import Settings
from tests.fakes.experiment_copies import earlier_posts, experiment_home, publish_experiment
from tests.learn.experiments.hand_made import registration
from tests.learn.experiments.stored import posted, running, stored


def _manage(settings: Settings) -> tuple[dg.AssetMaterialization, dict[str, bool]]:
    resource = dg.ResourceDefinition.hardcoded_resource(settings)
    result = dg.materialize([experiments], resources={"settings": resource})
    (event,) = result.get_asset_materialization_events()
    checks = {one.check_name: one.passed for one in result.get_asset_check_evaluations()}
    return event.materialization, checks


def test_a_run_says_what_happened_and_the_next_that_nothing_did(tmp_path: Path) -> None:
    settings = experiment_home(tmp_path)
    running(settings)

    first, checks = _manage(settings)
    again, _ = _manage(settings)

    assert (first.metadata["concluded"].value, first.metadata["recommended"].value) == (1, 1)
    table = first.metadata["happened"]
    assert isinstance(table, dg.TableMetadataValue)
    assert "has ended: winner" in str(table.records[0].data["what"])
    assert set(checks.values()) == {True}
    assert (again.metadata["concluded"].value, again.metadata["running"].value) == (0, 0)


def test_an_experiment_that_became_invalid_is_a_failed_check(tmp_path: Path) -> None:
    settings = experiment_home(tmp_path)
    design = registration()
    assignments, posts = posted(design)
    swapped = [replace(post, daypart=f"{post.arm} time") for post in posts]
    stored(settings, design, "running", assignments)
    publish_experiment(settings, design, [*swapped, *earlier_posts(posts)])

    told, checks = _manage(settings)

    assert told.metadata["invalid"].value == 1
    assert checks == {"every_experiment_can_be_read": True, "no_experiment_became_invalid": False}
