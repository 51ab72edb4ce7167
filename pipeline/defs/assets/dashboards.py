"""Dashboards: one page per account and one over all of them, as files that need no server."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import dagster as dg

from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.defs.failures import failure_of_all, told_to_dagster
from pipeline.defs.partitions import accounts, requested_accounts
from pipeline.defs.pictures import drawn
from pipeline.errors import AfterpostError
from pipeline.settings import Settings

_SHOWN = [dg.AssetKey(["published", "warehouse"]), dg.AssetKey(["decide", "performance_context"])]
"""Figures of the copy, and what waits for a decision."""


@dg.asset(
    key=["show", "dashboards"],
    deps=_SHOWN,
    group_name="show",
    partitions_def=accounts,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"html", "file"},
    owners=["team:afterpost"],
    description=(
        "warehouse/dashboards/<account>.html: one page with everything about an account, to be "
        "opened in a browser, sent or printed."
    ),
)
def dashboards(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Write the dashboards of the run's accounts; one that fails does not stop the others."""
    from pipeline.show.dashboard.write import write_dashboard

    errors: dict[str, AfterpostError] = {}
    for name in requested_accounts(context):
        try:
            path = write_dashboard(settings, name)
        except AfterpostError as error:
            errors[name] = error
            continue
        pictures = drawn(context, lambda name=name: _trend_charts(settings, name))  # type: ignore[misc]
        context.add_asset_metadata({**_of_file(path), **pictures}, partition_key=name)
    if errors:
        raise failure_of_all(errors)
    return dg.MaterializeResult()


@dg.asset(
    key=["show", "dashboard_of_all"],
    deps=_SHOWN,
    group_name="show",
    kinds={"html", "file"},
    owners=["team:afterpost"],
    description="warehouse/dashboards/all.html: the accounts beside each other.",
)
def dashboard_of_all(settings: dg.ResourceParam[Settings]) -> dg.MaterializeResult:
    """Write the dashboard over all accounts."""
    from pipeline.show.dashboard.write import write_dashboard

    with told_to_dagster():
        path = write_dashboard(settings, None)
    return dg.MaterializeResult(metadata=_of_file(path))


def _of_file(path: Path) -> dict[str, Any]:
    return {
        "dagster/uri": path.as_uri(),
        "size_bytes": path.stat().st_size,
        "written_at": dg.MetadataValue.timestamp(utc_now()),
    }


def _trend_charts(settings: Settings, name: str) -> Iterable[tuple[str, str, Any]]:
    from pipeline.show.charts.trend import trend_chart
    from pipeline.show.reports.trends import weekly_trends

    with reading(settings) as connection:
        weeks = [one for one in weekly_trends(connection, name) if one.outcome == "engagement_7d"]
    if any(week.typical is not None for week in weeks):
        yield "trend", f"Engagements of {name} by week of posting, at 7 days", trend_chart(weeks)
