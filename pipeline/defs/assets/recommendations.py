"""Weekly: findings become proposals, and the account's policy decides what it may."""

import dagster as dg

from pipeline.accounts import load_account
from pipeline.clock import utc_now
from pipeline.decide.context import ensure_context
from pipeline.decide.review import apply_policy
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.partitions import accounts, requested_accounts
from pipeline.learn.recommend import recommend
from pipeline.settings import Settings


@dg.asset(
    key=["learn", "recommendations"],
    deps=[dg.AssetKey(["published", "warehouse"])],
    group_name="learn",
    partitions_def=accounts,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"python", "sqlite"},
    owners=["team:afterpost"],
    description=(
        "Proposed changes of each account's performance context, at most five a week, each with "
        "the figures and the query that it rests on. Pending until a person decides."
    ),
)
def recommendations(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Write recommendations for the run's accounts and apply their approval policies."""
    for name in requested_accounts(context):
        with told_to_dagster():
            account = load_account(settings.accounts_dir, name)
            # Proposals are made against the context as it stands, a hand edit included.
            ensure_context(settings, account, utc_now())
            report = recommend(settings, name, now=utc_now())
            decisions = apply_policy(settings, account, now=utc_now())
        summary = report.line
        context.log.info(summary)
        context.add_asset_metadata(
            {
                "summary": summary,
                "recommendations_written": report.written,
                "writer": report.writer.value,
                "reason": report.reason or "",
                "decided_by_policy": len(decisions),
            },
            partition_key=name,
        )
    return dg.MaterializeResult()
