"""What Dagster's pages show of a model and of a failed test, beyond what dbt says itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

from pipeline.clients.warehouse import writing
from pipeline.defs.column_lineage import lineage_of_models
from pipeline.defs.metadata import query_rows, table_of_rows, table_schemas
from pipeline.defs.pictures import MOST_PICTURES, accounts_by_size, drawn
from pipeline.settings import Settings

if TYPE_CHECKING:
    from pipeline.show.reports.growth import GrowthPoint

_LAYERS = ("staging", "intermediate", "marts", "stats")
_GROWTH = "mart_growth_curves"
_NOT_PASSED = ("fail", "warn")


@dataclass(frozen=True)
class ModelPages:
    """Metadata by dbt's unique ids."""

    of_models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    of_tests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def model_pages(
    context: dg.AssetExecutionContext,
    settings: Settings,
    manifest: Mapping[str, Any],
    results: Sequence[Mapping[str, Any]],
) -> ModelPages:
    """Columns with lineage, row counts, a picture of growth, and the rows that tests found.

    Args:
        context: Whose log hears of what could not be had.
        settings: Whose warehouse.
        manifest: Of the dbt project.
        results: ``data`` of dbt's result events.
    """
    compiled = settings.dbt_workspace / "target" / "compiled" / manifest["metadata"]["project_name"]
    failed = [one["node_info"]["unique_id"] for one in results if one.get("status") in _NOT_PASSED]
    with writing(settings, "describe models") as connection:
        return ModelPages(
            of_models=dict(_of_models(context, manifest, compiled, connection)),
            of_tests=dict(_of_tests(manifest, compiled, connection, failed)),
        )


def _of_models(
    context: dg.AssetExecutionContext,
    manifest: Mapping[str, Any],
    compiled: Path,
    connection: duckdb.DuckDBPyConnection,
) -> Iterator[tuple[str, dict[str, Any]]]:
    lineage = lineage_of_models(manifest, compiled, connection)
    counts = _row_counts(connection)
    nodes = manifest["nodes"]
    schemas = {layer: table_schemas(connection, layer) for layer in _LAYERS}
    for unique_id, node in nodes.items():
        if node["resource_type"] not in ("model", "seed"):
            continue
        table = node.get("alias") or node["name"]
        more: dict[str, Any] = {}
        if (node["schema"], table) in counts:
            more["dagster/row_count"] = counts[node["schema"], table]
        # What the project describes stands in the graph; it need not be kept with every run.
        if not node["columns"] and table in schemas.get(node["schema"], {}):
            more["dagster/column_schema"] = schemas[node["schema"]][table]
        if unique_id in lineage:
            more["dagster/column_lineage"] = lineage[unique_id]
        if table == _GROWTH:
            more |= drawn(context, lambda: _growth_charts(connection))
        yield unique_id, more


def _growth_charts(
    connection: duckdb.DuckDBPyConnection,
) -> Iterable[tuple[str, str, Any]]:
    from pipeline.show.charts.growth import growth_chart
    from pipeline.show.reports.growth import growth_points

    for name in accounts_by_size(connection)[:MOST_PICTURES]:
        points: Sequence[GrowthPoint] = growth_points(connection, name)
        if any(point.share_of_7d_median is not None for point in points):
            yield f"growth of {name}", f"How a post of {name} grows", growth_chart(points)


def _row_counts(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """Rows of each table of the models' schemas; views are not counted."""
    tables = connection.execute(
        "select schema_name, table_name, estimated_size from duckdb_tables() "
        "where list_contains($layers, schema_name)",
        {"layers": list(_LAYERS)},
    ).fetchall()
    return {(schema, table): int(size) for schema, table, size in tables}


def _of_tests(
    manifest: Mapping[str, Any],
    compiled: Path,
    connection: duckdb.DuckDBPyConnection,
    failed: Iterable[str],
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows that tests found, asked for once more: dbt itself counts them and lets them go."""
    for unique_id in failed:
        node = manifest["nodes"].get(unique_id)
        if node is None or node["resource_type"] != "test":
            continue
        path = _compiled_test(compiled, node)
        if path is None:
            continue
        query = path.read_text(encoding="utf-8").strip().rstrip(";")
        try:
            rows = query_rows(connection, query)
        except duckdb.Error as error:
            yield unique_id, {"rows": f"They could not be read again: {str(error).splitlines()[0]}"}
            continue
        yield (
            unique_id,
            {
                "rows": table_of_rows(rows),
                "rows_shown": len(rows),
                "query": dg.MetadataValue.md(f"```sql\n{query}\n```"),
            },
        )


def _compiled_test(compiled: Path, node: Mapping[str, Any]) -> Path | None:
    """Where dbt wrote a test's SQL: a folder per yml file, or the path of a file of its own."""
    where = compiled / str(node["original_file_path"])
    for path in (where / str(node["path"]), where):
        if path.is_file():
            return path
    return None
