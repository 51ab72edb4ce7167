"""Start the real jobs in this process, for the command line and for tests."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from pipeline.accounts import Platform, account_names
from pipeline.clients.warehouse import published_version
from pipeline.collect.scrape_round import Tell
from pipeline.definitions import build_defs
from pipeline.defs.assets.mirror import mirror
from pipeline.defs.conduct import Conduct
from pipeline.defs.event_log import open_dagster_instance
from pipeline.defs.ghosts import PROCESS_TAG, end_ghost_runs, this_process
from pipeline.defs.partitions import accounts_tags, partition_range_tags, sync_accounts
from pipeline.errors import AfterpostError, ConfigurationError, NothingPublishedError
from pipeline.settings import REPOSITORY, Settings


class RunFailedError(AfterpostError):
    """A run failed; the message is the failing steps' own."""


@dataclass(frozen=True)
class RunSummary:
    """What a run said: a line per account, and the copy that is published after it."""

    lines: tuple[str, ...]
    warehouse_version: str | None
    run_id: str


def instance_dir(settings: Settings) -> Path:
    """Dagster's folder of this home: runs, event logs, schedules."""
    return settings.dagster_dir


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The Dagster instance of this home, created when missing, its ghosts ended."""
    folder = instance_dir(settings)
    folder.mkdir(parents=True, exist_ok=True)
    configuration = folder / "dagster.yaml"
    if not configuration.exists():
        configuration.write_bytes((REPOSITORY / "dagster.yaml").read_bytes())
    instance = open_dagster_instance(folder)
    sync_accounts(instance, settings)
    end_ghost_runs(instance)
    return instance


def run_scrape(
    settings: Settings,
    names: Sequence[str],
    platforms: Sequence[Platform] | None = None,
    tell: Tell | None = None,
) -> RunSummary:
    """Scrape the accounts' profiles; ``tell`` hears of each as it is done.

    Raises:
        RunFailedError: None of the accounts could be scraped by one of the sources.
    """
    return _run(settings, "scrape", names, platforms, tell)


def run_build(settings: Settings, *, is_mirrored: bool = True) -> RunSummary:
    """Load, build, publish, and see to the context files of all accounts.

    Args:
        settings: Whose home.
        is_mirrored: False for a build of what the mirror has already.
    """
    without = frozenset() if is_mirrored else frozenset({mirror.key})
    return _run(settings, "build", account_names(settings.accounts_dir), None, without=without)


def run_daily(
    settings: Settings, names: Sequence[str], platforms: Sequence[Platform] | None = None
) -> RunSummary:
    """The daily run: scrape, build, publish."""
    return _run(settings, "daily", names, platforms)


def run_recommend(settings: Settings, names: Sequence[str]) -> RunSummary:
    """Write recommendations from the published copy."""
    published_version(settings)
    return _run(settings, "weekly_recommendations", names, None)


def run_experiments(settings: Settings) -> RunSummary:
    """Manage the experiments, and look for alerts."""
    return _run(settings, "manage_experiments", account_names(settings.accounts_dir), None)


def _run(
    settings: Settings,
    job_name: str,
    names: Sequence[str],
    platforms: Sequence[Platform] | None,
    tell: Tell | None = None,
    without: AbstractSet[dg.AssetKey] = frozenset(),
) -> RunSummary:
    if not names:
        raise ConfigurationError(
            f"There are no accounts in {settings.accounts_dir}: add one with "
            "`afterpost accounts add NAME`."
        )
    with open_instance(settings) as instance:
        # Somebody waits in front of this run: an error is told at once, not waited out.
        conduct = Conduct(is_patient=False) if tell is None else Conduct(False, tell=tell)
        definitions = build_defs(
            {
                "settings": dg.ResourceDefinition.hardcoded_resource(settings),
                "conduct": dg.ResourceDefinition.hardcoded_resource(conduct),
            }
        )
        job = definitions.resolve_job_def(job_name)
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            tags={
                PROCESS_TAG: this_process(),
                **accounts_tags(names),
                **partition_range_tags(instance, list(names)),
            },
            asset_selection=_selection(definitions, job_name, platforms, without),
            # The run's log is in the instance; on a terminal the caller says what matters.
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        lines = _lines(result, set(names))
        if not result.success:
            raise RunFailedError(_failure_sentence(result))
        return RunSummary(lines, _version(settings), result.run_id)


def _selection(
    definitions: dg.Definitions,
    job_name: str,
    platforms: Sequence[Platform] | None,
    without: AbstractSet[dg.AssetKey],
) -> list[dg.AssetKey] | None:
    """The job's assets without some, and without the landings of other platforms; None for all."""
    if platforms is None and not without:
        return None
    job = definitions.resolve_job_def(job_name)
    wanted = None if platforms is None else {platform.value for platform in platforms}
    return [
        key
        for key in job.asset_layer.executable_asset_keys
        if key not in without
        and (wanted is None or key.path[0] != "landing" or key.path[-1].rsplit("_", 1)[0] in wanted)
    ]


def _lines(result: dg.ExecuteInProcessResult, names: set[str]) -> tuple[str, ...]:
    """What scrapes and recommendations said, account by account."""
    told = {}
    for event in result.get_asset_materialization_events():
        materialization = event.materialization
        summary = materialization.metadata.get("summary")
        room = materialization.asset_key.path[0]
        if summary is not None and room in ("landing", "learn") and event.partition in names:
            told[room, event.partition, materialization.asset_key.path[-1]] = str(summary.value)
    return tuple(told[key] for key in sorted(told))


def _failure_sentence(result: dg.ExecuteInProcessResult) -> str:
    sentences = []
    for event in result.all_events:
        if event.is_step_failure:
            data = event.step_failure_data
            told = data.user_failure_data
            if told and told.description:
                sentences.append(told.description)
            elif data.error:
                cause = data.error.cause or data.error
                sentences.append(f"{event.step_key}: {cause.message.strip()}")
    return " ".join(dict.fromkeys(sentences)) or "The run failed; see it in the Dagster UI."


def _version(settings: Settings) -> str | None:
    try:
        return published_version(settings)
    except NothingPublishedError:
        return None
