"""Landing files, account files and plans, loaded as tables."""

from collections.abc import Iterator

import dagster as dg

from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_raw
from pipeline.defs.assets.landing import landing_key
from pipeline.defs.failures import told_to_dagster
from pipeline.settings import Settings

_LANDINGS = [
    landing_key(platform, actor.kind)
    for platform, source in SOURCES.items()
    for actor in source.actors
]

_TABLES = {
    "scrapes": "One row per scrape: its manifest.",
    "scrape_items": "One row per item that is a post, another author's post, or a profile.",
    "rejected_items": "One row per item that could not be used, with the reason.",
    "accounts": "One row per folder under accounts/.",
    "account_profiles": "One row per account and platform.",
    "account_segments": "One row per format, pillar or call to action that an account lists.",
    "planned_posts": "One row per post that the generator made.",
    "post_matches": "One row per post that was matched to a plan.",
    "post_labels": "One row per post and dimension with a label.",
    "state_recommendations": "One row per recommendation, copied from the state database.",
    "state_decisions": "One row per decision, copied from the state database.",
}
_FROM_SCRAPES = {"scrapes", "scrape_items", "rejected_items", "post_matches", "post_labels"}


@dg.multi_asset(
    name="raw_tables",
    group_name="collect",
    # Loading is one step; a run that wants one table gets them all and reports the one.
    can_subset=True,
    specs=[
        dg.AssetSpec(
            ["raw", table],
            deps=_LANDINGS if table in _FROM_SCRAPES else [],
            description=description,
            kinds={"duckdb", "table"},
            owners=["team:afterpost"],
            skippable=True,
            metadata={"dagster/table_name": f"afterpost.raw.{table}"},
        )
        for table, description in _TABLES.items()
    ],
)
def raw_tables(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult]:
    """Load what has landed and is not in the warehouse yet; replace what people configured."""
    with told_to_dagster():
        report = load_raw(settings)
    context.log.info(
        "Loaded %s scrapes: %s items, %s rejected.",
        report.scrapes_loaded,
        report.items_loaded,
        report.rejected_loaded,
    )
    for problem in report.problems:
        context.log.warning(problem)
    loaded = {
        "scrapes": report.scrapes_loaded,
        "scrape_items": report.items_loaded,
        "rejected_items": report.rejected_loaded,
    }
    for table in _TABLES:
        if dg.AssetKey(["raw", table]) not in context.selected_asset_keys:
            continue
        metadata = {"rows_loaded": loaded[table]} if table in loaded else {}
        yield dg.MaterializeResult(asset_key=["raw", table], metadata=metadata)
