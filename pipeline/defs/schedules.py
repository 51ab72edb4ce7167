"""When things run: one run over all accounts, because each run costs seconds to start."""

from typing import Any

import dagster as dg

from pipeline.accounts import account_names, load_accounts
from pipeline.clock import utc_now
from pipeline.collect.cadence import Pace, accounts_with_looks, profiles_due
from pipeline.defs.jobs import (
    check_alerts,
    daily,
    daily_report,
    monthly_report,
    single_posts,
    weekly_recommendations,
    weekly_report,
    write_dashboards,
)
from pipeline.defs.partitions import ACCOUNTS_TAG, sync_accounts
from pipeline.settings import load_settings

SCHEDULE_ZONE = "America/New_York"
"""Where the day begins for the schedules; change it to where you read the results."""

_NO_ACCOUNTS = "No accounts yet: add one with `afterpost accounts add NAME`."
_NOBODY_DUE = "No profile is due: each was scraped within its interval, or there is none yet."

_NOTHING_PUBLISHED = "Nothing has been published yet."
_NOTHING_TO_LOOK_UP = "No post is due for a look of its own."

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def partition_range_tags(instance: dg.DagsterInstance, names: list[str]) -> dict[str, str]:
    """Tags that make one run cover the accounts from the first to the last of ``names``.

    The range is over the instance's own order of partitions, which is by registration.
    """
    known = [name for name in instance.get_dynamic_partitions("accounts") if name in set(names)]
    return {RANGE_START: known[0], RANGE_END: known[-1]}


def _one_run(
    context: dg.ScheduleEvaluationContext, names: list[str], why_none: str
) -> dg.RunRequest | dg.SkipReason:
    """One run over the named accounts, and no other account of their range."""
    if not names:
        return dg.SkipReason(why_none)
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        tags={
            **partition_range_tags(context.instance, names),
            ACCOUNTS_TAG: ",".join(names),
        },
    )


def _due_accounts(paces: frozenset[Pace]) -> list[str]:
    """Accounts with a profile of one of the paces that is due for a scrape."""
    settings = load_settings()
    profiles = profiles_due(settings, load_accounts(settings.accounts_dir), utc_now())
    return sorted({p.account_name for p in profiles if p.is_due and p.pace in paces})


@dg.schedule(
    job=daily,
    cron_schedule="0 8 * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=(
        "Every day at 08:00: scrape the accounts that are due, build, publish. Accounts whose "
        "newest post is older than 14 days are due once a week."
    ),
)
def scrape_and_build_daily(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over all accounts that are due."""
    sync_accounts(context.instance, load_settings())
    return _one_run(context, _due_accounts(frozenset(Pace)), _NOBODY_DUE)


@dg.schedule(
    job=daily,
    # Not at 02:00, which some night of the year does not have; five hours before 08:00, so that
    # the profile is due again then.
    cron_schedule="0 3,14,20 * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=(
        "Between the daily runs: scrape the accounts that posted in the last 48 hours, when a "
        "post grows most."
    ),
)
def scrape_young_posts(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over the accounts with young posts."""
    sync_accounts(context.instance, load_settings())
    return _one_run(context, _due_accounts(frozenset({Pace.DENSE})), _NOBODY_DUE)


@dg.schedule(
    job=single_posts,
    cron_schedule="0 5 * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=(
        "Every day at 05:00: look up posts that left the listing and are 30, 60 or 90 days old, "
        "and posts that went missing. Most days there is nothing to pay for."
    ),
)
def look_up_single_posts(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over the accounts that have posts to look up."""
    settings = load_settings()
    sync_accounts(context.instance, settings)
    names = accounts_with_looks(settings, load_accounts(settings.accounts_dir), utc_now())
    return _one_run(context, names, _NOTHING_TO_LOOK_UP)


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
    settings = load_settings()
    sync_accounts(context.instance, settings)
    return _one_run(context, account_names(settings.accounts_dir), _NO_ACCOUNTS)


@dg.schedule(
    job=write_dashboards,
    cron_schedule="45 8 * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Every day at 08:45, after the daily run: write all dashboards.",
)
def write_dashboards_daily(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run over all accounts."""
    settings = load_settings()
    sync_accounts(context.instance, settings)
    return _one_run(context, account_names(settings.accounts_dir), _NO_ACCOUNTS)


@dg.schedule(
    job=check_alerts,
    cron_schedule="*/15 * * * *",
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description=(
        "Every 15 minutes: look for alerts. Every build looks too; this one sees what needs no "
        "build, such as a budget that runs out or a decision that waits."
    ),
)
def check_alerts_every_15_minutes(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run, unless nothing was ever published or the last look is not over."""
    if not (load_settings().published_dir / "current").exists():
        return dg.SkipReason(_NOTHING_PUBLISHED)
    unfinished = context.instance.get_runs(
        dg.RunsFilter(job_name=check_alerts.name, statuses=_UNFINISHED), limit=1
    )
    if unfinished:
        return dg.SkipReason("The last look is not over.")
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


def _report_schedule(name: str, job: Any, cron: str, when: str) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        execution_timezone=SCHEDULE_ZONE,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"{when}: send the report, to Slack where it is set up, else as a page.",
    )
    def send_report(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not (load_settings().published_dir / "current").exists():
            return dg.SkipReason(_NOTHING_PUBLISHED)
        return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())

    return send_report


send_daily_report = _report_schedule(
    "send_daily_report", daily_report, "15 9 * * *", "Every day at 09:15"
)
# A period is over when it is over on every account's clock; where it was not yet, the second run
# sends the report, and everywhere else it finds it sent.
send_weekly_report = _report_schedule(
    "send_weekly_report", weekly_report, "30 9 * * 1,2", "Every Monday at 09:30, again on Tuesday"
)
send_monthly_report = _report_schedule(
    "send_monthly_report", monthly_report, "45 9 1,2 * *",
    "On the first of a month at 09:45, again on the second",
)  # fmt: skip
