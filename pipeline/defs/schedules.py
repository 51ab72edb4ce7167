"""When things run: one run over all accounts, because each run costs seconds to start."""

from functools import partial
from typing import Any

import dagster as dg

from pipeline.accounts import account_names, load_accounts
from pipeline.clients.warehouse import is_anything_published
from pipeline.clock import utc_now
from pipeline.collect.cadence import Pace, accounts_with_looks, profiles_due
from pipeline.defs.batches import batch_of
from pipeline.defs.ghosts import UNFINISHED
from pipeline.defs.jobs import (
    check_alerts,
    daily,
    daily_report,
    manage_experiments,
    monthly_report,
    predict_posts,
    single_posts,
    train_predictions,
    weekly_recommendations,
    weekly_report,
    write_dashboards,
)
from pipeline.defs.partitions import accounts_tags, partition_range_tags, sync_accounts
from pipeline.settings import load_settings

SCHEDULE_ZONE = "America/New_York"
"""Where the day begins for the schedules; change it to where you read the results."""

_NO_ACCOUNTS = "No accounts yet: add one with `afterpost accounts add NAME`."
_NOBODY_DUE = "No profile is due: each was scraped within its interval, or there is none yet."

_NOTHING_PUBLISHED = "Nothing has been published yet."
_NOTHING_TO_LOOK_UP = "No post is due for a look of its own."

_schedule = partial(
    dg.schedule,
    execution_timezone=SCHEDULE_ZONE,
    default_status=dg.DefaultScheduleStatus.STOPPED,
)


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
            **accounts_tags(names),
        },
    )


def _scrape_and_build(
    context: dg.ScheduleEvaluationContext, names: list[str]
) -> dg.RunRequest | list[dg.RunRequest] | dg.SkipReason:
    """One run, or a batch of them where a day's scrapes are shared out."""
    most = load_settings().accounts_per_run
    if most is None or len(names) <= most:
        return _one_run(context, names, _NOBODY_DUE)
    return batch_of(context.instance, names, most, context.scheduled_execution_time)


def _due_accounts(paces: frozenset[Pace]) -> list[str]:
    """Accounts with a profile of one of the paces that is due for a scrape."""
    settings = load_settings()
    profiles = profiles_due(settings, load_accounts(settings.accounts_dir), utc_now())
    return sorted({p.account_name for p in profiles if p.is_due and p.pace in paces})


@_schedule(
    job=daily,
    cron_schedule="0 8 * * *",
    description=(
        "Every day at 08:00: scrape the accounts that are due, build, publish. Accounts whose "
        "newest post is older than 14 days are due once a week."
    ),
)
def scrape_and_build_daily(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | list[dg.RunRequest] | dg.SkipReason:
    """One run over all accounts that are due."""
    sync_accounts(context.instance, load_settings())
    return _scrape_and_build(context, _due_accounts(frozenset(Pace)))


@_schedule(
    job=daily,
    # Not at 02:00, which some night of the year does not have; five hours before 08:00, so that
    # the profile is due again then.
    cron_schedule="0 3,14,20 * * *",
    description=(
        "Between the daily runs: scrape the accounts that posted in the last 48 hours, when a "
        "post grows most."
    ),
)
def scrape_young_posts(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | list[dg.RunRequest] | dg.SkipReason:
    """One run over the accounts with young posts."""
    sync_accounts(context.instance, load_settings())
    return _scrape_and_build(context, _due_accounts(frozenset({Pace.DENSE})))


@_schedule(
    job=single_posts,
    cron_schedule="0 5 * * *",
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


def _over_all_accounts(name: str, job: Any, cron: str, description: str) -> dg.ScheduleDefinition:
    @_schedule(name=name, job=job, cron_schedule=cron, description=description)
    def run(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        settings = load_settings()
        sync_accounts(context.instance, settings)
        return _one_run(context, account_names(settings.accounts_dir), _NO_ACCOUNTS)

    return run


recommend_on_mondays = _over_all_accounts(
    "recommend_on_mondays", weekly_recommendations, "0 9 * * 1",
    "Every Monday at 09:00: recommendations for all accounts.",
)  # fmt: skip
write_dashboards_daily = _over_all_accounts(
    "write_dashboards_daily", write_dashboards, "45 8 * * *",
    "Every day at 08:45, after the daily run: write all dashboards.",
)  # fmt: skip


@_schedule(
    job=check_alerts,
    cron_schedule="*/15 * * * *",
    description=(
        "Every 15 minutes: look for alerts. Every build looks too; this one sees what needs no "
        "build, such as a budget that runs out or a decision that waits."
    ),
)
def check_alerts_every_15_minutes(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run, unless nothing was ever published or the last look is not over."""
    return _one_at_a_time(context, check_alerts.name, "The last look is not over.")


@_schedule(
    job=manage_experiments,
    cron_schedule="5 * * * *",
    description=(
        "Every hour at five past: start, read and conclude experiments, propose what follows. "
        "Looking this often costs nothing: the readings are valid at any number of looks."
    ),
)
def manage_experiments_hourly(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run, unless nothing was ever published or the last one is not over."""
    return _one_at_a_time(context, manage_experiments.name, "The last run is not over.")


@_schedule(
    job=train_predictions,
    cron_schedule="30 8 * * *",
    description=(
        "Every day at 08:30, after the daily run: fit the prediction models that are a week old, "
        "or whose predictions have become worse. On most days none is."
    ),
)
def train_predictions_when_due(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run, unless nothing was ever published or the last one is not over."""
    return _one_at_a_time(context, train_predictions.name, "The last training is not over.")


@_schedule(
    job=predict_posts,
    # Half an hour after the runs that look for young posts.
    cron_schedule="30 3,8,14,20 * * *",
    description=(
        "Four times a day, after the scrapes of young posts: predict the posts of the last day "
        "that nobody planned, and what was planned since."
    ),
)
def predict_young_posts(
    context: dg.ScheduleEvaluationContext,
) -> dg.RunRequest | dg.SkipReason:
    """One run, unless nothing was ever published or the last one is not over."""
    return _one_at_a_time(context, predict_posts.name, "The last run is not over.")


def _one_at_a_time(
    context: dg.ScheduleEvaluationContext, job_name: str, why_none: str
) -> dg.RunRequest | dg.SkipReason:
    if not is_anything_published(load_settings()):
        return dg.SkipReason(_NOTHING_PUBLISHED)
    unfinished = context.instance.get_runs(
        dg.RunsFilter(job_name=job_name, statuses=UNFINISHED), limit=1
    )
    if unfinished:
        return dg.SkipReason(why_none)
    return dg.RunRequest(run_key=context.scheduled_execution_time.isoformat())


def _report_schedule(name: str, job: Any, cron: str, when: str) -> dg.ScheduleDefinition:
    @_schedule(
        name=name,
        job=job,
        cron_schedule=cron,
        description=f"{when}: send the report, to Slack where it is set up, else as a page.",
    )
    def send_report(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if not is_anything_published(load_settings()):
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
