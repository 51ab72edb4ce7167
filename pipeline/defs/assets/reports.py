"""Reports of a day, a week or a month, sent once per period."""

from typing import Any

import dagster as dg

from pipeline.clients.slack import is_configured
from pipeline.clock import utc_now
from pipeline.defs.failures import told_to_dagster
from pipeline.settings import Settings
from pipeline.show.reports.periods.calendar import PeriodKind


def build_report_asset(period: PeriodKind) -> dg.AssetsDefinition:
    """The asset of one kind of report over all accounts."""

    @dg.asset(
        key=["show", f"{period.value}_report"],
        deps=[
            dg.AssetKey(["published", "warehouse"]),
            dg.AssetKey(["decide", "performance_context"]),
        ],
        group_name="show",
        kinds={"slack", "html"},
        owners=["team:afterpost"],
        description=(
            f"The {period.value} report over all accounts: to Slack where it is set up, else as a "
            "page under warehouse/reports/. Sent once per period, however often this runs."
        ),
    )
    def report(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:
        from pipeline.show.reports.deliver import deliver_report

        to = "slack" if is_configured(settings) else "html"
        with told_to_dagster():
            delivery = deliver_report(settings, period, account=None, to=to, now=utc_now())
        context.log.info(delivery.sentence)
        metadata: dict[str, Any] = {
            "summary": delivery.sentence,
            "outcome": delivery.outcome.value,
            "target": delivery.target.value,
        }
        if delivery.path is not None:
            metadata["dagster/uri"] = delivery.path.as_uri()
        return dg.MaterializeResult(metadata=metadata)

    return report


report_assets = [build_report_asset(period) for period in PeriodKind]
"""In the order of the kinds; a list, because that is what the loader finds."""
