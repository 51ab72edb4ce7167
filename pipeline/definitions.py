"""The code location: collects what stands under ``defs/`` and defines nothing itself."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.defs.conduct import Conduct
from pipeline.defs.resources import SettingsResource


def build_defs(resource_overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """All definitions, with other resources where a caller brings them.

    Args:
        resource_overrides: Resources by key, in place of those that read the environment.
    """
    return dg.Definitions.merge(
        dg.load_from_defs_folder(path_within_project=Path(__file__).parent),
        dg.Definitions(
            resources={
                "settings": SettingsResource(),
                "conduct": dg.ResourceDefinition.hardcoded_resource(Conduct()),
                **(resource_overrides or {}),
            },
            # One process per run: a third of the cost, and no race for the warehouse's lock.
            executor=dg.in_process_executor,
        ),
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's tools load."""
    return build_defs()
