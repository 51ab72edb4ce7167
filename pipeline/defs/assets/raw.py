"""Landing files, account files and plans, loaded as tables."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipeline.accounts import load_accounts
from pipeline.clients.warehouse import writing
from pipeline.clock import utc_now
from pipeline.collect.model_labels import ModelLabelReport, label_posts
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_raw
from pipeline.defs.assets.landing import landing_key
from pipeline.defs.assets.single_posts import single_posts_key
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import row_counts, table_schemas
from pipeline.defs.pools import WAREHOUSE_POOL
from pipeline.settings import Settings

_LANDINGS = list(
    dict.fromkeys(
        landing_key(platform, actor.kind)
        for platform, source in SOURCES.items()
        for actor in source.actors
    )
) + [single_posts_key(platform) for platform, source in SOURCES.items() if source.direct]

_TABLES = {
    "scrapes": "One row per scrape: its manifest.",
    "scrape_items": "One row per item that is a post, another author's post, or a profile.",
    "rejected_items": "One row per item that could not be used, with the reason.",
    "accounts": "One row per folder under accounts/.",
    "account_profiles": "One row per account and platform.",
    "account_segments": "One row per format, pillar, topic or CTA that an account lists.",
    "planned_posts": "One row per post that the generator made.",
    "post_matches": "One row per post that was matched to a plan.",
    "post_labels": "One row per post and dimension with a label.",
    "state_recommendations": "One row per recommendation, copied from the state database.",
    "state_decisions": "One row per decision, copied from the state database.",
    "state_predictions": "One row per prediction, copied from the state database.",
    "state_reflexion_adjustments": "One row per correction of a segment's predictions.",
    "state_scrape_attempts": "One row per run that was meant to be paid for.",
    "state_model_calls": "One row per question to the language model, with what it cost.",
}
_FROM_SCRAPES = {
    "scrapes", "scrape_items", "rejected_items", "post_matches", "post_labels",
    "state_scrape_attempts",
}  # fmt: skip


@dg.multi_asset(
    name="raw_tables",
    pool=WAREHOUSE_POOL,
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
    """Load what has landed and is not in the warehouse yet; replace what people configured.

    Where a key is set, posts that neither a plan nor a rule could label are put to the model
    afterwards, without the warehouse's lock.
    """
    with told_to_dagster():
        report = load_raw(settings)
        answers = _ask_for_labels(context, settings)
        with writing(settings, "describe raw tables") as connection:
            schemas = table_schemas(connection, "raw")
            counts = row_counts(connection, "raw")
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
        metadata: dict[str, Any] = {
            "dagster/row_count": counts[table],
            "dagster/column_schema": schemas[table],
        }
        if table in loaded:
            metadata["rows_loaded"] = loaded[table]
        if table == "post_labels" and answers:
            metadata["captions_labelled"] = sum(answer.labelled_count for answer in answers)
            costs = [answer.cost_usd for answer in answers if answer.cost_usd is not None]
            metadata["cost_usd"] = float(sum(costs))
        yield dg.MaterializeResult(asset_key=["raw", table], metadata=metadata)


def _ask_for_labels(
    context: dg.AssetExecutionContext, settings: Settings
) -> list[ModelLabelReport]:
    if settings.anthropic_api_key is None:
        return []
    reports = label_posts(settings, load_accounts(settings.accounts_dir), now=utc_now())
    for report in reports:
        (context.log.warning if report.reason else context.log.info)(report.line)
    return reports
