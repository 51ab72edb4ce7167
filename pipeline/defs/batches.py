"""A day's scrapes shared out to many workers, and one build when all of them are over.

One run over all accounts is the cheapest for one machine. Where there are more accounts than one
process can scrape in a day, a schedule asks for several runs instead, each over some accounts and
up to their landing files. What follows is about all accounts at once and waits for the last.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import dagster as dg

from pipeline.defs.assets.landing import landing_assets
from pipeline.defs.ghosts import UNFINISHED
from pipeline.defs.jobs import after_scrapes, daily
from pipeline.defs.partitions import accounts_tags, partition_range_tags, tagged_accounts

BATCH_TAG = "afterpost/batch"
"""On the runs of one batch, and on nothing else; when the schedule asked for them."""
BUILT_TAG = "afterpost/built_batch"
"""On the build of a batch."""
_SCRAPES = [key for asset in landing_assets for key in asset.keys]


def batch_of(
    instance: dg.DagsterInstance, names: Sequence[str], most: int, moment: datetime
) -> list[dg.RunRequest]:
    """Runs that scrape the accounts, ``most`` in each.

    Args:
        instance: Knows the accounts' partitions.
        names: Accounts that are due.
        most: Accounts per run.
        moment: What the schedule was due at; names the batch.
    """
    wanted = set(names)
    # A run's partitions are a range in the order of registration: neighbours make short ranges.
    ordered = [name for name in instance.get_dynamic_partitions("accounts") if name in wanted]
    batch = moment.isoformat()
    return [
        dg.RunRequest(
            run_key=f"{batch}/{first}",
            asset_selection=_SCRAPES,
            tags={
                **partition_range_tags(instance, part),
                **accounts_tags(part),
                BATCH_TAG: batch,
            },
        )
        for first in range(0, len(ordered), most)
        if (part := ordered[first : first + most])
    ]


def build_after(instance: dg.DagsterInstance, run: dg.DagsterRun) -> dg.RunRequest | dg.SkipReason:
    """The build that follows a batch, if the run that has just ended was its last."""
    batch = run.tags.get(BATCH_TAG)
    if batch is None:
        return dg.SkipReason("The run is of no batch.")
    if instance.get_runs(dg.RunsFilter(tags={BATCH_TAG: batch}, statuses=UNFINISHED), limit=1):
        return dg.SkipReason("Other runs of the batch are not over.")
    # A key counts within one sensor, and there is one for each way to end.
    if instance.get_runs(dg.RunsFilter(tags={BUILT_TAG: batch}), limit=1):
        return dg.SkipReason("The batch has its build.")
    runs = instance.get_runs(dg.RunsFilter(tags={BATCH_TAG: batch}))
    if any(one.is_complete_and_waiting_to_retry for one in runs):
        return dg.SkipReason("A run of the batch is about to be repeated.")
    names = sorted({name for one in runs for name in tagged_accounts(one.tags) or []})
    return dg.RunRequest(
        run_key=batch,
        tags={
            **partition_range_tags(instance, names),
            **accounts_tags(names),
            BUILT_TAG: batch,
        },
    )


def _build_after_scrapes(status: dg.DagsterRunStatus) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        name=f"build_after_scrapes_{status.value.lower()}",
        run_status=status,
        monitored_jobs=[daily],
        request_job=after_scrapes,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=(
            f"Where a day's scrapes are shared out: builds when the last one has ended, here with "
            f"{status.value.lower()}."
        ),
    )
    def sensor(
        context: dg.RunStatusSensorContext,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        yield build_after(context.instance, context.dagster_run)

    return sensor


build_after_scrapes = [
    _build_after_scrapes(status)
    for status in (
        dg.DagsterRunStatus.SUCCESS,
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
    )
]
