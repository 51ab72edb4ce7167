"""What Dagster's tools see: complete, described, and loadable with nothing set."""

import itertools
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy
from dagster._utils.schedules import schedule_execution_time_iterator

from pipeline.accounts import add_account
from pipeline.definitions import build_defs
from pipeline.defs.ghosts import PROCESS_TAG, end_ghost_runs, is_gone, this_process
from pipeline.defs.partitions import RANGE_END, RANGE_START, AccountPartitions, sync_accounts
from pipeline.settings import REPOSITORY, Settings

ROOMS = {"collect", "measure", "learn", "decide", "show"}


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    """The code location as Dagster loads it."""
    return build_defs()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with two accounts, which the environment points at."""
    settings = Settings(home=tmp_path)
    for name in ("beta", "alpha"):
        add_account(settings.accounts_dir, name, timezone="UTC", platform_profiles={"tiktok": name})
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return settings


def test_definitions_validate_with_no_keys_set(tmp_path: Path) -> None:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("APIFY", "ANTHROPIC", "AFTERPOST", "DAGSTER"))
    }
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dagster", "definitions", "validate"],
        env={**environment, "DAGSTER_HOME": str(tmp_path), "AFTERPOST_HOME": str(tmp_path)},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


def test_every_asset_has_a_description_a_room_an_owner_and_kinds(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.description, key
        assert node.group_name in ROOMS, key
        assert node.owners, key
        assert 1 <= len(node.kinds) <= 3, key
        assert not node.description.endswith("\n"), key


def test_the_graph_reads_like_the_loop(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()

    def is_upstream(upstream: list[str], downstream: list[str]) -> bool:
        seen, todo = set(), [dg.AssetKey(downstream)]
        while todo:
            key = todo.pop()
            todo += [parent for parent in graph.get(key).parent_keys if parent not in seen]
            seen.add(key)
        return dg.AssetKey(upstream) in seen

    loop = [
        ["landing", "tiktok_posts"],
        ["raw", "scrape_items"],
        ["staging", "stg_tiktok__posts"],
        ["marts", "fct_snapshot"],
        ["stats", "segment_effects"],
        ["published", "warehouse"],
        ["learn", "recommendations"],
        ["decide", "performance_context"],
        ["show", "dashboards"],
    ]
    for earlier, later in itertools.pairwise(loop):
        assert is_upstream(earlier, later), (earlier, later)


def test_groups_lead_in_one_direction(definitions: dg.Definitions) -> None:
    order = ["collect", "measure", "learn", "decide", "show"]
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        for parent in node.parent_keys:
            if not graph.get(parent).is_executable:
                continue
            before = graph.get(parent).group_name
            assert order.index(before) <= order.index(node.group_name), (parent, key)
            assert (before, node.group_name) != ("collect", "show"), (parent, key)


def test_scrapes_and_marts_say_when_they_are_stale(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        is_scrape = key.path[0] == "landing" and not key.path[1].endswith("_single_posts")
        if is_scrape or key.path[0] == "marts":
            policy = graph.get(key).freshness_policy
            assert isinstance(policy, TimeWindowFreshnessPolicy), key
            assert policy.fail_window.to_timedelta() == timedelta(hours=50), key


def test_tables_that_the_project_describes_have_their_columns(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    for key in graph.executable_asset_keys:
        if key.path[0] in ("marts", "stats"):
            schema = graph.get(key).metadata["dagster/column_schema"]
            assert schema.columns, key
            assert all(column.description for column in schema.columns), key


def test_the_models_are_one_step_of_a_run(definitions: dg.Definitions) -> None:
    # Each step of them would build them all.
    steps = [node.name for node in definitions.resolve_job_def("build").nodes]

    assert [name for name in steps if name.startswith("models")] == ["models"]


def test_dbt_tests_are_asset_checks(definitions: dg.Definitions) -> None:
    checks = {
        (key.asset_key.path[-1], key.name)
        for key in definitions.resolve_asset_graph().asset_check_keys
    }
    on_snapshots = {name for asset, name in checks if asset == "fct_snapshot"}

    assert any(name.startswith("one_row_per_fct_snapshot") for name in on_snapshots)
    assert any(asset == "scrape_items" for asset, _ in checks)


@pytest.mark.parametrize(
    ("name", "moments"),
    [
        ("scrape_and_build_daily", ["2026-03-09 08:00", "2026-03-10 08:00"]),
        ("scrape_young_posts", ["2026-03-09 03:00", "2026-03-09 14:00", "2026-03-09 20:00"]),
        ("recommend_on_mondays", ["2026-03-09 09:00", "2026-03-16 09:00"]),
        ("write_dashboards_daily", ["2026-03-09 08:45", "2026-03-10 08:45"]),
        ("send_daily_report", ["2026-03-09 09:15", "2026-03-10 09:15"]),
        ("send_weekly_report", ["2026-03-09 09:30", "2026-03-10 09:30"]),
        ("send_monthly_report", ["2026-04-01 09:45", "2026-04-02 09:45"]),
        ("check_alerts_every_15_minutes", ["2026-03-08 21:00", "2026-03-08 21:15"]),
        ("manage_experiments_hourly", ["2026-03-08 21:05", "2026-03-08 22:05"]),
        ("train_predictions_when_due", ["2026-03-09 08:30", "2026-03-10 08:30"]),
        ("predict_young_posts", ["2026-03-09 03:30", "2026-03-09 08:30", "2026-03-09 14:30"]),
    ],
)
def test_schedules_fire_at_local_hours_whatever_the_season(
    definitions: dg.Definitions, name: str, moments: list[str]
) -> None:
    schedule = definitions.resolve_schedule_def(name)
    # The Sunday on which clocks go forward in New York.
    start = datetime(2026, 3, 9, 1, tzinfo=UTC).timestamp()
    assert schedule.execution_timezone == "America/New_York"
    fire = schedule_execution_time_iterator(start, schedule.cron_schedule, "America/New_York")
    assert [f"{next(fire):%Y-%m-%d %H:%M}" for _ in moments] == moments


def tick(definitions: dg.Definitions, instance: dg.DagsterInstance, schedule: str) -> object:
    """What a schedule asks for on the 9th of March 2026, at noon.

    A context that is not closed makes its instance the current one again whenever it is collected,
    long after the instance's folder is gone.
    """
    with dg.build_schedule_context(
        instance=instance,
        repository_def=definitions.get_repository_def(),
        scheduled_execution_time=datetime(2026, 3, 9, 12, tzinfo=UTC),
    ) as context:
        return definitions.resolve_schedule_def(schedule)(context)


def test_a_schedule_asks_for_one_run_over_all_accounts(
    definitions: dg.Definitions, home: Settings
) -> None:
    with dg.DagsterInstance.local_temp() as instance:
        request = tick(definitions, instance, "scrape_and_build_daily")

    assert isinstance(request, dg.RunRequest)
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("alpha", "beta")


@pytest.mark.parametrize(
    "name",
    [
        "check_alerts_every_15_minutes",
        "manage_experiments_hourly",
        "predict_young_posts",
        "send_daily_report",
        "send_monthly_report",
        "train_predictions_when_due",
    ],
)
def test_nothing_is_started_before_the_first_build(
    definitions: dg.Definitions, home: Settings, name: str
) -> None:
    with dg.DagsterInstance.local_temp() as instance:
        assert isinstance(tick(definitions, instance, name), dg.SkipReason)
        home.published_dir.mkdir(parents=True)
        (home.published_dir / "current").write_text("v1\n")
        request = tick(definitions, instance, name)

    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "2026-03-09T12:00:00+00:00"


@pytest.mark.parametrize(
    ("job_name", "schedule"),
    [
        ("check_alerts", "check_alerts_every_15_minutes"),
        ("manage_experiments", "manage_experiments_hourly"),
        ("predict_posts", "predict_young_posts"),
        ("train_predictions", "train_predictions_when_due"),
    ],
)
def test_a_frequent_run_waits_for_the_last_one(
    definitions: dg.Definitions, home: Settings, job_name: str, schedule: str
) -> None:
    home.published_dir.mkdir(parents=True)
    (home.published_dir / "current").write_text("v1\n")
    job = definitions.resolve_job_def(job_name)
    with dg.DagsterInstance.local_temp() as instance:
        instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        told = tick(definitions, instance, schedule)

    assert isinstance(told, dg.SkipReason)


def test_alerts_are_looked_for_after_every_build(definitions: dg.Definitions) -> None:
    for name in ("build", "daily", "single_posts"):
        keys = definitions.resolve_job_def(name).asset_layer.executable_asset_keys
        assert dg.AssetKey(["show", "alerts"]) in keys, name


def test_a_new_folder_is_a_partition_without_a_restart(home: Settings) -> None:
    with dg.DagsterInstance.local_temp() as instance:
        assert sync_accounts(instance, home) == (["alpha", "beta"], [])
        add_account(home.accounts_dir, "gamma", timezone="UTC", platform_profiles={})
        partitions = AccountPartitions(name="accounts")

        assert partitions.has_partition_key("gamma", dynamic_partitions_store=instance)
        assert not partitions.has_partition_key("nobody", dynamic_partitions_store=instance)
        assert set(instance.get_dynamic_partitions("accounts")) == {"alpha", "beta", "gamma"}

        (home.accounts_dir / "alpha" / "account.yaml").unlink()
        assert sync_accounts(instance, home) == ([], ["alpha"])


def test_a_run_whose_process_is_gone_is_ended() -> None:
    ended_process = subprocess.Popen([sys.executable, "-c", ""])
    ended_process.wait()
    host = this_process().rpartition(":")[0]
    with dg.DagsterInstance.local_temp() as instance:
        ghost = instance.create_run_for_job(
            _job,
            status=dg.DagsterRunStatus.STARTED,
            tags={PROCESS_TAG: f"{host}:{ended_process.pid}"},
        )
        alive = instance.create_run_for_job(
            _job, status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: this_process()}
        )

        assert end_ghost_runs(instance) == [ghost.run_id]
        statuses = {run.run_id: run.status for run in instance.get_runs()}
        assert statuses == {
            ghost.run_id: dg.DagsterRunStatus.FAILURE,
            alive.run_id: dg.DagsterRunStatus.STARTED,
        }


def test_a_repetition_is_no_ghost_before_it_has_a_process_of_its_own() -> None:
    ended_process = subprocess.Popen(["true"])
    ended_process.wait()
    gone = {PROCESS_TAG: f"{this_process().rpartition(':')[0]}:{ended_process.pid}"}
    with dg.DagsterInstance.local_temp() as instance:
        lost = instance.create_run_for_job(_job, status=dg.DagsterRunStatus.FAILURE, tags=gone)
        again = instance.create_run_for_job(
            _job,
            status=dg.DagsterRunStatus.STARTING,
            # Dagster copies them.
            tags=gone,
            parent_run_id=lost.run_id,
            root_run_id=lost.run_id,
        )
        assert end_ghost_runs(instance) == []

        ended_later = subprocess.Popen(["true"])
        ended_later.wait()
        own = gone[PROCESS_TAG].replace(str(ended_process.pid), str(ended_later.pid))
        instance.add_run_tags(again.run_id, {PROCESS_TAG: own})
        assert end_ghost_runs(instance) == [again.run_id]


def test_nothing_is_known_of_processes_elsewhere() -> None:
    assert not is_gone("another-host:1")
    assert not is_gone(this_process())


@dg.job
def _job() -> None:
    """A job for runs that are only recorded."""
