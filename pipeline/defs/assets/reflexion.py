"""Reflexion: what scored predictions say about the next ones."""

import dagster as dg

from pipeline.clock import utc_now
from pipeline.defs.failures import told_to_dagster
from pipeline.defs.metadata import table_of_rows
from pipeline.settings import Settings

_COLUMNS = (
    "account_name", "platform", "target", "dimension", "segment", "factor", "status",
    "adjustment_id",
)  # fmt: skip


@dg.asset(
    key=["learn", "reflexion"],
    deps=[dg.AssetKey(["published", "warehouse"])],
    group_name="learn",
    kinds={"python", "sqlite"},
    owners=["team:afterpost"],
    description=(
        "Corrections of predictions that were too high or too low of some posts: new ones are "
        "proposed, applied where they would have helped since and the account's approval policy "
        "says so, and those that do not help end. `afterpost reflexion` shows what each did."
    ),
)
def reflexion(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:
    """Reflect once, for all accounts."""
    from pipeline.learn.predict.reflecting import reflect_all

    with told_to_dagster():
        done = reflect_all(settings, utc_now())
    for problem in done.problems:
        context.log.warning(problem)
    rows = [{name: row[name] for name in _COLUMNS} for row in [*done.proposed, *done.ended]]
    return dg.MaterializeResult(
        metadata={
            "proposed": len(done.proposed),
            "applied_by_policy": len(done.applied),
            "ended": len(done.ended),
            **({"corrections": table_of_rows(rows)} if rows else {}),
            **({"problems": done.problems} if done.problems else {}),
        }
    )
