"""Effects with intervals, from the models' tables."""

from collections import Counter

import dagster as dg

from pipeline.defs.failures import told_to_dagster
from pipeline.measure.build import build_statistics
from pipeline.settings import Settings


@dg.asset(
    key=["stats", "segment_effects"],
    deps=[
        dg.AssetKey(["intermediate", "int_post_outcomes"]),
        dg.AssetKey(["intermediate", "int_post_segments"]),
        dg.AssetKey(["marts", "fct_snapshot"]),
    ],
    group_name="measure",
    kinds={"python", "duckdb"},
    owners=["team:afterpost"],
    description=(
        "Each segment of each dimension (format, pillar, weekday, daypart, media type, slide "
        "count) against the account's own usual at equal age: ratio, 90 % interval, q-value."
    ),
    metadata={"dagster/table_name": "afterpost.stats.segment_effects"},
)
def segment_effects(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Recompute the effects of all accounts."""
    with told_to_dagster():
        rows = build_statistics(settings)
    verdicts = Counter(row.verdict for row in rows)
    return dg.MaterializeResult(
        metadata={"dagster/row_count": len(rows), **{str(k): n for k, n in verdicts.items()}}
    )
