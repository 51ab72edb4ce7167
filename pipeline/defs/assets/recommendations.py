"""Weekly: findings become proposals, and the account's policy decides what it may."""

import dagster as dg

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.claude import Usage
from pipeline.clock import utc_now
from pipeline.decide.context import ensure_context
from pipeline.decide.review import apply_policy
from pipeline.defs.failures import failure_of_all
from pipeline.defs.partitions import accounts, requested_accounts
from pipeline.errors import AfterpostError
from pipeline.learn.recommend import recommend_all
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
    """Write recommendations for the run's accounts and apply their approval policies.

    An account that fails does not keep the others from theirs.
    """
    errors: dict[str, AfterpostError] = {}
    configs: dict[str, AccountConfig] = {}
    for name in requested_accounts(context):
        try:
            account = load_account(settings.accounts_dir, name)
            # Proposals are made against the context as it stands, a hand edit included.
            ensure_context(settings, account, utc_now())
        except AfterpostError as error:
            errors[name] = error
        else:
            configs[name] = account
    run = recommend_all(settings, list(configs), now=utc_now())
    errors |= run.errors
    for name, report in run.reports.items():
        try:
            decisions = apply_policy(settings, configs[name], now=utc_now())
        except AfterpostError as error:
            errors[name] = error
            continue
        summary = report.line
        context.log.info(summary)
        context.add_asset_metadata(
            {
                "summary": summary,
                "recommendations_written": report.written,
                "writer": report.writer.value,
                "reason": report.reason or "",
                "decided_by_policy": len(decisions),
                **_cost(report.usage),
            },
            partition_key=name,
        )
    if errors:
        raise failure_of_all(errors)
    return dg.MaterializeResult()


def _cost(usage: Usage | None) -> dict[str, int | float]:
    """What asking the model took, where it was asked; without the cost where no price is known."""
    if usage is None:
        return {}
    told: dict[str, int | float] = {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.cost_usd is not None:
        told["cost_usd"] = float(usage.cost_usd)
    return told
