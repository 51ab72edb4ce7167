"""The end of a run with scrapes: red when an account could not be scraped."""

import dagster as dg

from pipeline.defs.assets.landing import ANSWERED_CHECK


@dg.asset(
    key=["show", "scrape_report"],
    # The published copy stands at the end of every path from the scrapes.
    deps=[dg.AssetKey(["published", "warehouse"])],
    group_name="show",
    kinds={"python"},
    owners=["team:afterpost"],
    description=(
        "Fails after everything else was built and published when a profile could not be scraped "
        "in this run, so that one account's trouble is seen and stops nobody else."
    ),
)
def scrape_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Raise what the run's scrapes could not do."""
    failed: dict[str, str] = {}
    logs = context.instance.all_logs(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    )
    for entry in logs:
        event = entry.get_dagster_event()
        evaluation = event.asset_check_evaluation_data
        if evaluation.check_name == ANSWERED_CHECK and not evaluation.passed:
            for name, reason in evaluation.metadata.items():
                failed[f"{name}, {evaluation.asset_key.path[-1]}"] = str(reason.value)
    if failed:
        raise dg.Failure(
            description="; ".join(f"{where}: {reason}" for where, reason in failed.items()),
            metadata=dict(failed.items()),
            allow_retries=False,
        )
    return dg.MaterializeResult(metadata={"profiles_failed": 0})
