"""Asset checks that dbt has no words for: they show rows to a person and stop nothing."""

import dagster as dg

from pipeline.clients.warehouse import writing
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import table_of_rows
from pipeline.measure.data_checks import DATA_CHECKS, DataCheck, offending_rows
from pipeline.settings import Settings


def _build_check(check: DataCheck) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=check.name,
        asset=dg.AssetKey(check.table),
        description=check.description,
        blocking=False,
    )
    def data_check(settings: dg.ResourceParam[Settings]) -> dg.AssetCheckResult:
        # The check belongs to the build that runs, which is not published yet.
        with told_to_dagster(), writing(settings, "data checks") as connection:
            count, rows = offending_rows(connection, check)
        return dg.AssetCheckResult(
            passed=count == 0,
            severity=dg.AssetCheckSeverity.WARN,
            description=" ".join(row["message"] for row in rows if "message" in row) or None,
            metadata={
                "offending_rows": dg.MetadataValue.int(count),
                **({"rows": table_of_rows(rows)} if rows else {}),
            },
        )

    return data_check


data_checks = [_build_check(check) for check in DATA_CHECKS]
