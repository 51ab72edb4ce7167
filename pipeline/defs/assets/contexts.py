"""What the generator reads. A build never changes it; only a decision does."""

import dagster as dg

from pipeline.accounts import load_account
from pipeline.clock import utc_now
from pipeline.decide.context import ensure_context
from pipeline.defs.failures import failure, told_to_dagster
from pipeline.defs.partitions import accounts, requested_accounts
from pipeline.errors import ContextError
from pipeline.settings import Settings


@dg.asset(
    key=["decide", "performance_context"],
    deps=[dg.AssetKey(["learn", "recommendations"]), dg.AssetKey(["learn", "experiments"])],
    group_name="decide",
    partitions_def=accounts,
    backfill_policy=dg.BackfillPolicy.single_run(),
    kinds={"json", "file"},
    owners=["team:afterpost"],
    description=(
        "accounts/<name>/performance_context.json: made neutral when missing, kept as it is "
        "otherwise. An invalid hand edit fails here and is left untouched."
    ),
)
def performance_context(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """See to it that each account of the run has a valid context file."""
    refused: list[ContextError] = []
    for name in requested_accounts(context):
        with told_to_dagster():
            account = load_account(settings.accounts_dir, name)
            try:
                state = ensure_context(settings, account, utc_now())
            except ContextError as error:
                context.log.error(str(error))
                refused.append(error)
                continue
        context.add_asset_metadata(
            {
                "summary": f"{name}: {state.event.value}",
                "context_id": state.context_id,
                "dagster/uri": state.path.as_uri(),
            },
            partition_key=name,
        )
    if refused:
        raise failure(refused[0])
    return dg.MaterializeResult()
