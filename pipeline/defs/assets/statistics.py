"""Effects with intervals, from the models' tables."""

import dagster as dg

from pipeline.defs.failures import told_to_dagster
from pipeline.measure.build import build_statistics
from pipeline.settings import Settings


@dg.asset(
    key=["stats", "segment_effects"],
    deps=[
        dg.AssetKey(["intermediate", "int_segment_moments"]),
        dg.AssetKey(["marts", "fct_snapshot"]),
    ],
    group_name="measure",
    kinds={"python", "duckdb"},
    owners=["team:afterpost"],
    description=(
        "Each segment of each dimension (format, pillar, topic, hook style, times, lengths, …) "
        "against the account's own usual at equal age: ratio, 90 % interval, q-value. Beside it "
        "stats.verdicts: what approved changes did, by what was fixed at their approval."
    ),
    metadata={"dagster/table_name": "afterpost.stats.segment_effects"},
)
def segment_effects(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Recompute the effects of all accounts."""
    with told_to_dagster():
        verdicts = build_statistics(settings)
    return dg.MaterializeResult(metadata={"dagster/row_count": sum(verdicts.values()), **verdicts})
