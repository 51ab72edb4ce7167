"""The read-only copy that everybody reads."""

import dagster as dg

from pipeline.defs.assets.models import models
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.pools import WAREHOUSE_POOL
from pipeline.measure.build import publish_build
from pipeline.settings import Settings

_MARTS = sorted(key for key in models.keys if key.path[0] == "marts")


@dg.asset(
    key=["published", "warehouse"],
    pool=WAREHOUSE_POOL,
    deps=[
        dg.AssetKey(["stats", "segment_effects"]),
        *_MARTS,
    ],
    group_name="measure",
    kinds={"duckdb", "file"},
    owners=["team:afterpost"],
    description="A copy of the warehouse after a wholly green build, under warehouse/published/.",
)
def published_warehouse(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Publish one build as a whole."""
    with told_to_dagster():
        published = publish_build(settings)
    return dg.MaterializeResult(
        metadata={
            "warehouse_version": published.warehouse_version,
            "dagster/uri": published.path.as_uri(),
            "as_of": published.as_of.isoformat() if published.as_of else "no snapshots yet",
            "size_bytes": published.path.stat().st_size,
        }
    )
