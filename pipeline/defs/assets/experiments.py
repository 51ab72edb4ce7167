"""Experiments: started, read, concluded and proposed without a person."""

import dagster as dg

from pipeline.clock import utc_now
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import table_of_rows
from pipeline.settings import Settings

_KEY = dg.AssetKey(["learn", "experiments"])
_READABLE = "every_experiment_can_be_read"
_VALID = "no_experiment_became_invalid"


@dg.asset(
    key=_KEY,
    deps=[dg.AssetKey(["published", "warehouse"])],
    group_name="learn",
    kinds={"python", "sqlite"},
    owners=["team:afterpost"],
    description=(
        "Registered experiments start, running ones are read from their posts and end with a "
        "verdict, a winner's change is proposed as a recommendation, and listed segments that were "
        "hardly tried are proposed for an experiment. `afterpost experiment list` shows them all."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            _READABLE, asset=_KEY, description="Every running experiment was read in this run."
        ),
        dg.AssetCheckSpec(
            _VALID, asset=_KEY, description="No experiment was found to be invalid in this run."
        ),
    ],
)
def experiments(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Manage all experiments once."""
    from pipeline.decide.managed_experiments import manage_experiments

    with told_to_dagster():
        done = manage_experiments(settings, utc_now())
    for line in done.lines:
        context.log.info(line)
    for problem in done.problems:
        context.log.warning(problem)
    rows = [{"what": line} for line in done.lines]
    return dg.MaterializeResult(
        metadata={
            "started": len(done.started),
            "running": len(done.running),
            "concluded": len(done.concluded),
            "invalid": len(done.invalid),
            "recommended": len(done.recommended),
            "approved_by_policy": len(done.approved),
            "proposed": len(done.proposed),
            **({"happened": table_of_rows(rows)} if rows else {}),
            **({"problems": done.problems} if done.problems else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=_READABLE,
                passed=not done.problems,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"problems": done.problems} if done.problems else {},
            ),
            dg.AssetCheckResult(
                check_name=_VALID,
                passed=not done.invalid,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"invalid": done.invalid} if done.invalid else {},
            ),
        ],
    )
