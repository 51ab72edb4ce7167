"""Alerts: what has changed enough for a person to hear of it."""

import dagster as dg

from pipeline.clock import utc_now
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import table_of_rows
from pipeline.settings import Settings

_KEY = dg.AssetKey(["show", "alerts"])
_NONE_OPEN = "no_alert_is_open"


@dg.asset(
    key=_KEY,
    deps=[dg.AssetKey(["published", "warehouse"]), dg.AssetKey(["learn", "experiments"])],
    group_name="show",
    kinds={"sqlite", "slack"},
    owners=["team:afterpost"],
    description=(
        "What has changed enough for a person to hear of it: drops, breakouts, failing scrapes, "
        "budgets, what waits for a decision. Each is told once, to Slack where it is set up and to "
        "the log, and once more when it is over. `afterpost alerts` lists and acknowledges them."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            _NONE_OPEN, asset=_KEY, description="No alert is open that nobody has acknowledged."
        )
    ],
)
def alerts(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Look once, and tell what is new."""
    from pipeline.show.alerts.watch import watch

    with told_to_dagster():
        found = watch(settings, utc_now())
    for problem in found.problems:
        context.log.warning(problem)
    rows = [
        {
            "severity": alert.severity.value,
            "account": alert.account_name,
            "what": alert.sentence,
            "since": alert.first_seen_at,
            "id": alert.alert_id,
        }
        for alert in found.open
        if alert.acknowledged_at is None
    ]
    table = {"open": table_of_rows(rows)} if rows else {}
    return dg.MaterializeResult(
        metadata={
            "opened": len(found.opened),
            "worsened": len(found.worsened),
            "resolved": len(found.resolved),
            "alerts_open": len(found.open),
            "told_to_slack": found.told_count,
            "waiting_to_be_told": found.waiting_count,
            **({"problems": found.problems} if found.problems else {}),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=_NONE_OPEN,
                passed=not rows,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=table,
            )
        ],
    )
