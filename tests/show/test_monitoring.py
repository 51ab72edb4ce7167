"""Metrics are computed when they are asked for, say what is known, and nothing else."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.accounts import account_names
from pipeline.clients.run_history import read_run_history
from pipeline.clients.warehouse import reading
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.monitoring.catalogue import CATALOGUE, Kind
from pipeline.show.monitoring.collector import collect_samples
from pipeline.show.monitoring.exposition import metrics_figures, plain_text
from pipeline.show.reports.overview import profile_overviews
from tests.fakes.recommendations import add_pending
from tests.show.metric_series import (
    NOW,
    Series,
    add_attempt,
    add_plan,
    series_of,
    value_of,
)
from tests.show.published_copies import ACCOUNT, publish_night_owls


@dg.asset(check_specs=[dg.AssetCheckSpec("told", asset="counted")])
def counted(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Fails where a tag says so; its check fails always."""
    if context.run.tags.get("fails"):
        raise dg.Failure("as asked")
    check = dg.AssetCheckResult(
        check_name="told",
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description="One row too many.",
    )
    return dg.MaterializeResult(check_results=[check])


@dg.schedule(cron_schedule="@daily", target=dg.AssetSelection.assets(counted))
def every_day() -> dg.SkipReason:
    """Never runs here."""
    return dg.SkipReason("no")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A published copy, three scrapes, a recommendation, three runs of Dagster, two plans."""
    settings = publish_night_owls(tmp_path_factory.mktemp("monitored"))
    file = settings.accounts_dir / ACCOUNT / "account.yaml"
    file.write_text(f"{file.read_text()}scrape: {{budget_usd_per_month: 5}}\n", encoding="utf-8")
    for number, outcome in enumerate(["new_posts", "throttled", "failed"]):
        add_attempt(settings, number, outcome, "0.0105")
    add_pending(settings)
    told = {"generation_status": "succeeded", "generation_provider": 'a "b"\n\\c'}
    add_plan(
        settings, 1, **told, generation_cost_usd=1.0, platform="tiktok", posting_status="posted"
    )
    add_plan(settings, 2, **told, generation_cost_usd=2.0)
    run_dagster(settings)
    return settings


def run_dagster(settings: Settings) -> None:
    """Two good runs of a job, one failed run by hand, a schedule that is on, a heartbeat."""
    settings.dagster_dir.mkdir()
    (settings.dagster_dir / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    definitions = dg.Definitions(
        assets=[counted],
        jobs=[dg.define_asset_job("daily", selection=dg.AssetSelection.all())],
        schedules=[every_day],
    )
    with dg.DagsterInstance.from_config(str(settings.dagster_dir)) as instance:
        # In here, because Dagster asks the instance at hand, which may be another test's outside.
        job = definitions.resolve_job_def("daily")
        for _ in range(2):
            job.execute_in_process(instance=instance)
        dg.materialize([counted], instance=instance, tags={"fails": "yes"}, raise_on_error=False)
        _switch_on(definitions, instance)


def _switch_on(definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
    """What `dagster dev` writes when somebody switches a schedule on, and each half minute."""
    from dagster._core.remote_origin import (
        ManagedGrpcPythonEnvCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.scheduler.instigation import (
        InstigatorState,
        InstigatorStatus,
        InstigatorType,
        ScheduleInstigatorData,
    )
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
    from dagster._daemon.types import DaemonHeartbeat

    location = ManagedGrpcPythonEnvCodeLocationOrigin(LoadableTargetOrigin(module_name="x"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "here"), "every_day")
    data = ScheduleInstigatorData("@daily")
    instance.add_instigator_state(
        InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.RUNNING, data)
    )
    beat = DaemonHeartbeat(NOW.timestamp(), "SCHEDULER", "some-id", [])
    instance.add_daemon_heartbeat(beat)


@pytest.fixture(scope="module")
def series(home: Settings) -> Series:
    return series_of(home)


def test_the_text_is_what_prometheus_reads(home: Settings):
    text = plain_text(home)
    families = {family.name: family for family in text_string_to_metric_families(text)}

    for name, entry in CATALOGUE.items():
        family = families.pop(name.removesuffix("_total"), None) or families.pop(name, None)
        if family is not None:
            assert family.type == entry.kind.value
            assert family.documentation == entry.help
            assert all(set(sample.labels) == set(entry.labels) for sample in family.samples)
            assert all(sample.timestamp is None for sample in family.samples)
    assert families == {}
    assert "_created" not in text
    assert text.endswith("\n")


def test_names_follow_the_conventions():
    former = {
        "video_generation_total", "video_generation_cost_avg", "posting_total",
        "reflexion_accuracy",
    }  # fmt: skip
    assert former <= set(CATALOGUE)
    for name, entry in CATALOGUE.items():
        assert name in former or name.startswith("afterpost_")
        assert name.endswith("_total") == (entry.kind is Kind.COUNTER)
        assert set(entry.labels) <= {
            "account", "platform", "status", "kind", "severity", "provider", "purpose",
            "direction", "job", "daemon", "decision", "verdict", "source", "version",
            "warehouse_version", "target",
        }  # fmt: skip
        assert entry.help.endswith(".")


def test_figures_of_profiles_are_those_of_the_reports(home: Settings, series: Series):
    with reading(home) as connection:
        profiles = profile_overviews(connection)

    assert [profile.post_count for profile in profiles] == [0, 40]
    for profile in profiles:
        labels = {"account": profile.account_name, "platform": profile.platform}
        for name, figure in {
            "afterpost_posts_ingested_total": profile.post_count,
            "afterpost_snapshots_total": profile.snapshot_count,
            "afterpost_followers": profile.follower_count,
            "afterpost_views_7d_median": profile.views_7d_median,
            "afterpost_views_7d_posts": profile.views_7d_count,
            "afterpost_engagement_7d_median": profile.engagement_7d_median,
            "afterpost_engagement_rate_median_ratio": profile.engagement_rate_median,
        }.items():
            assert value_of(series, name, **labels) == figure, name


def test_ages_and_moments_are_seconds(home: Settings, series: Series):
    scraped_at = datetime(2026, 5, 21, 23, 5, 34, tzinfo=UTC)
    (age,) = [
        one.value
        for one in collect_samples(home, NOW)
        if one.name == "afterpost_snapshot_age_seconds" and one.labels[1] == "tiktok"
    ]
    assert age == (NOW - scraped_at).total_seconds()
    built_at = datetime(2026, 5, 21, 22, tzinfo=UTC).timestamp()
    assert value_of(series, "afterpost_published_timestamp_seconds") == built_at


def test_scrapes_are_counted_by_what_they_said(series: Series, home: Settings):
    def scrapes(status: str) -> float | None:
        return value_of(series, "afterpost_scrapes_total", platform="tiktok", status=status)

    assert [scrapes(status) for status in ("new_posts", "throttled", "failed")] == [1, 1, 1]
    assert scrapes("private") == 0, "known statuses begin at 0"
    profile = {"account": ACCOUNT, "platform": "tiktok"}
    assert value_of(series, "afterpost_scrape_cost_usd_total", **profile) == 0.0315
    last = value_of(series, "afterpost_scrape_last_success_timestamp_seconds", **profile)
    assert last == (NOW - timedelta(hours=24)).timestamp()
    then = {(one.name, one.labels): one.value for one in collect_samples(home, NOW)}
    assert then["afterpost_scrape_misses", (ACCOUNT, "tiktok")] == 2
    assert then["afterpost_scrape_budget_usd", (ACCOUNT,)] == 5
    assert then["afterpost_scrape_budget_used_usd", (ACCOUNT,)] == 0.0315


def test_recommendations_are_counted_by_status(series: Series):
    statuses = {
        status: value_of(series, "afterpost_recommendations", account=ACCOUNT, status=status)
        for status in ("pending", "approved", "rejected")
    }
    assert statuses == {"pending": 0, "approved": 0, "rejected": 0}
    other = value_of(series, "afterpost_recommendations", account="sleepy", status="pending")
    assert other == 1


def test_runs_checks_and_schedules_are_read_from_what_dagster_wrote(series: Series, home: Settings):
    def runs(job: str, status: str) -> float | None:
        return value_of(series, "afterpost_runs_total", job=job, status=status)

    assert (runs("daily", "success"), runs("daily", "failure")) == (2, 0)
    assert (runs("by_hand", "success"), runs("by_hand", "failure")) == (0, 1)
    assert value_of(series, "afterpost_run_last_failed", job="daily") == 0
    assert value_of(series, "afterpost_run_last_failed", job="by_hand") == 1
    assert value_of(series, "afterpost_run_duration_seconds_count", job="daily") == 2
    assert 0 < (value_of(series, "afterpost_run_duration_seconds_sum", job="daily") or 0) < 60
    assert value_of(series, "afterpost_checks", severity="warn", status="failed") == 1
    assert value_of(series, "afterpost_checks", severity="error", status="failed") == 0
    assert value_of(series, "afterpost_check_failures_total") == 2
    assert value_of(series, "afterpost_schedules_running") == 1
    beat = value_of(series, "afterpost_daemon_heartbeat_timestamp_seconds", daemon="scheduler")
    assert beat == NOW.timestamp()
    history = read_run_history(home)
    assert history is not None
    (check,) = history.checks
    assert (check.asset, check.check, check.has_passed) == ("counted", "told", False)
    assert check.says == "One row too many."


def test_what_the_generator_reports_has_the_former_names_too(series: Series):
    provider = 'a "b"\n\\c'
    for name in ("video_generation_total", "afterpost_generations_total"):
        assert value_of(series, name, status="completed", provider=provider) == 2
        assert value_of(series, name, status="failed", provider=provider) == 0
    assert value_of(series, "video_generation_cost_avg", provider=provider) == 1.5
    assert value_of(series, "afterpost_generation_cost_usd_sum", provider=provider) == 3
    assert value_of(series, "afterpost_generation_cost_usd_count", provider=provider) == 2
    assert value_of(series, "posting_total", platform="tiktok", status="posted") == 1
    assert not [name for name, _ in series if name == "reflexion_accuracy"], "no verdict yet"


def test_a_writer_of_the_history_is_not_kept_waiting(home: Settings):
    with sqlite3.connect(home.dagster_dir / "history" / "runs.db") as writer:
        writer.execute("begin immediate")
        history = read_run_history(home)
        writer.rollback()

    assert history is not None
    assert len(history.last_runs) == 2


@pytest.fixture
def in_home(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERPOST_HOME", str(home.home))


def test_the_command_prints_the_same_text(
    home: Settings, in_home: None, capsys: pytest.CaptureFixture[str]
):
    assert main(["metrics"]) == 0
    printed = capsys.readouterr().out

    def lasting(text: str) -> list[str]:
        return [line for line in text.splitlines() if "_age_seconds{" not in line
                and "disk_free" not in line]  # fmt: skip

    assert lasting(printed) == lasting(plain_text(home))


def test_json_has_the_same_figures(
    home: Settings, in_home: None, series: Series, capsys: pytest.CaptureFixture[str]
):
    assert main(["metrics", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)

    assert [one["name"] for one in told] == [one["name"] for one in metrics_figures(home)]
    (posts,) = [one for one in told if one["name"] == "afterpost_posts_ingested_total"]
    assert {tuple(sorted(one["labels"].items())): one["value"] for one in posts["samples"]} == {
        labels: value for (name, labels), value in series.items() if name == posts["name"]
    }
    (durations,) = [one for one in told if one["name"] == "afterpost_run_duration_seconds"]
    assert {one["value"]["count"] for one in durations["samples"]} == {1, 2}


def test_no_label_names_a_post(home: Settings, series: Series):
    with reading(home) as connection:
        rows = connection.execute("select post_id, caption from marts.dim_post").fetchall()
    told = {value for _, labels in series for _, value in labels}

    assert not told & {text for row in rows for text in row}
    assert {value for _, labels in series for key, value in labels if key == "account"} <= {
        *account_names(home.accounts_dir), "sleepy",
    }  # fmt: skip
