"""Sensors: new account folders, new planned posts, and runs whose process is gone."""

import hashlib

import dagster as dg

from pipeline.accounts import account_names
from pipeline.clients.warehouse import is_anything_published
from pipeline.clock import utc_now
from pipeline.defs.ghosts import UNFINISHED, end_ghost_runs
from pipeline.defs.jobs import predict_posts
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


@dg.sensor(
    name="new_planned_posts",
    job=predict_posts,
    minimum_interval_seconds=120,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Predicts posts that the generator put into output/ and that nobody predicted yet.",
)
def new_planned_posts(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run for all plans without a prediction; none again while they stay the same."""
    from pipeline.learn.predict.planned_predictions import unpredicted_plans

    settings = load_settings()
    if not is_anything_published(settings):
        return dg.SkipReason("Nothing has been published yet.")
    names = account_names(settings.accounts_dir)
    waiting = dg.RunsFilter(job_name=predict_posts.name, statuses=UNFINISHED)
    if context.instance.get_runs(waiting, limit=1):
        return dg.SkipReason("The last run is not over.")
    plans = unpredicted_plans(settings, names, utc_now())
    if not plans:
        return dg.SkipReason("Every planned post has its prediction.")
    return dg.RunRequest(run_key=hashlib.sha256("\n".join(plans).encode()).hexdigest()[:16])
