"""Sensors: new account folders, and runs whose process is gone."""

import dagster as dg

from pipeline.defs.ghosts import end_ghost_runs
from pipeline.defs.partitions import sync_accounts
from pipeline.settings import load_settings


@dg.sensor(
    name="account_folders",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Keeps the account partitions equal to the folders under accounts/.",
)
def account_folders(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Add partitions for new folders and remove those of folders that are gone."""
    added, removed = sync_accounts(context.instance, load_settings())
    if not added and not removed:
        return dg.SkipReason("No folder was added or removed.")
    return dg.SkipReason(f"Added: {', '.join(added) or '-'}. Removed: {', '.join(removed) or '-'}.")


@dg.sensor(
    name="ghost_runs",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs whose process was killed, so that they block nobody.",
)
def ghost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """End runs of this host's dead processes."""
    ended = end_ghost_runs(context.instance)
    return dg.SkipReason(f"Ended {len(ended)} runs." if ended else "No ghost runs.")
