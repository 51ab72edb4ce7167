"""Effects with intervals and the other statistics, from the models' tables."""

from collections.abc import Iterable, Iterator
from typing import Any

import dagster as dg
import duckdb

from pipeline.clients.warehouse import writing
from pipeline.defs.assets.models import manifest
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import row_counts
from pipeline.defs.pictures import MOST_PICTURES, accounts_by_size, drawn
from pipeline.defs.pools import WAREHOUSE_POOL
from pipeline.measure.build import build_statistics
from pipeline.measure.statistics_tables import STATISTICS_TABLES
from pipeline.settings import Settings

_TABLES = {
    "segment_effects": (
        "Each segment of each dimension (format, pillar, topic, hook style, times, lengths, …) "
        "against the account's own usual at equal age: ratio, 90 % interval, q-value."
    ),
    "failure_patterns": "What an account's weak posts have in common that the others have not.",
    "pareto": "How much of an account's engagement its best posts bring.",
    "post_projection": "What a young post will have at 7 and 28 days of age, with an interval.",
    "broken_counts": "From when on a profile's counts are impossible: more likes than views.",
    "verdicts": "What approved changes did, by what was fixed at their approval.",
}
_EFFECTS = dg.AssetKey(["stats", "segment_effects"])


def _columns(table: str) -> dg.TableSchema:
    """A table's columns, with what the dbt project says of them."""
    described = _descriptions(table)
    return dg.TableSchema(
        [
            dg.TableColumn(
                name,
                kind.removesuffix(" not null"),
                described.get(name),
                dg.TableColumnConstraints(nullable=not kind.endswith(" not null")),
            )
            for name, kind in STATISTICS_TABLES[table].items()
        ]
    )


def _descriptions(table: str) -> dict[str, str]:
    """By column: the source's own words, or those of a mart that shows the column as it is."""
    source_id = f"source.{manifest()['metadata']['project_name']}.stats.{table}"
    shown = [
        node
        for node in manifest()["nodes"].values()
        if source_id in node.get("depends_on", {}).get("nodes", [])
    ]
    return {
        name: column["description"]
        for node in [*shown, manifest()["sources"][source_id]]
        for name, column in node["columns"].items()
        if column["description"]
    }


@dg.multi_asset(
    name="statistics",
    pool=WAREHOUSE_POOL,
    group_name="measure",
    # They are made in one go; a run that wants one gets them all and reports the one.
    can_subset=True,
    specs=[
        dg.AssetSpec(
            ["stats", table],
            deps=[
                dg.AssetKey(["intermediate", "int_segment_moments"]),
                dg.AssetKey(["marts", "fct_snapshot"]),
            ],
            description=description,
            kinds={"python", "duckdb", "table"},
            owners=["team:afterpost"],
            skippable=True,
            metadata={
                "dagster/table_name": f"afterpost.stats.{table}",
                "dagster/column_schema": _columns(table),
            },
        )
        for table, description in _TABLES.items()
    ],
)
def statistics(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult]:
    """Recompute the statistics of all accounts."""
    with told_to_dagster():
        verdicts = build_statistics(settings)
        with writing(settings, "describe statistics") as connection:
            counts = row_counts(connection, "stats")
            pictures = drawn(context, lambda: _effects_charts(connection))
    for table in _TABLES:
        key = dg.AssetKey(["stats", table])
        if key not in context.selected_asset_keys:
            continue
        more: dict[str, Any] = {**verdicts, **pictures} if key == _EFFECTS else {}
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={"dagster/row_count": counts[table], **more},
        )


def _effects_charts(connection: duckdb.DuckDBPyConnection) -> Iterable[tuple[str, str, Any]]:
    from pipeline.show.charts.effects import effects_chart
    from pipeline.show.reports.segments import Focus, most_telling, segment_tables

    for name in accounts_by_size(connection)[:MOST_PICTURES]:
        tables = most_telling(segment_tables(connection, name, Focus.FORMATS))
        with_data = [table for table in tables if table.has_enough_data]
        if with_data:
            table = max(with_data, key=lambda one: max(row.account_n for row in one.rows))
            words = f"Formats of {name} on {table.platform} against its own usual"
            yield f"formats of {name}", words, effects_chart(table)
