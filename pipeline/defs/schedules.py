"""When things run: one run over all accounts, because each run costs seconds to start."""

import dagster as dg

from pipeline.accounts import account_names
from pipeline.defs.jobs import daily, weekly_recommendations
from pipeline.defs.partitions import sync_accounts
from pipeline.settings import load_settings

SCHEDULE_ZONE = "America/New_York"
"""Where the day begins for the schedules; change it to where you read the results."""

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def partition_range_tags(instance: dg.DagsterInstance, names: list[str]) -> dict[str, str]:
    """Tags that make one run cover the accounts from the first to the last of ``names``.

    The range is over the instance's own order of partitions, which is by registration.
    """
    known = [name for name in instance.get_dynamic_partitions("accounts") if name in set(names)]
    return {RANGE_START: known[0], RANGE_END: known[-1]}


def _one_run_for_all_accounts(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    settings = load_settings()
    names = account_names(settings.accounts_dir)
    if not names:
        return dg.SkipReason("No accounts yet: add one with `afterpost accounts add NAME`.")
    sync_accounts(context.instance, settings)
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        tags=partition_range_tags(context.instance, names),
    )


@dg.schedule(
    job=daily,
    cron_schedule="0 8 * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every day at 08:00: scrape all accounts, build, publish.",
)
def scrape_and_build_daily(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over all accounts."""
    return _one_run_for_all_accounts(context)


@dg.schedule(
    job=weekly_recommendations,
    cron_schedule="0 9 * * 1",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every Monday at 09:00: recommendations for all accounts.",
)
def recommend_on_mondays(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over all accounts."""
    return _one_run_for_all_accounts(context)
