"""`afterpost health`: one screen, and an exit code that a script can rely on."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr

from pipeline.accounts import load_accounts
from pipeline.clients.run_history import Automation, LatestCheck, RunHistory
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.monitoring import health as module
from pipeline.show.monitoring.health import Level, duration, size, system_health
from tests.show.published_copies import publish_night_owls

BUILT_AT = datetime(2026, 5, 21, 22, tzinfo=UTC)
SOON = BUILT_AT + timedelta(hours=3)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return publish_night_owls(tmp_path)


def _levels(settings: Settings, now: datetime = SOON) -> dict[str, Level]:
    found = system_health(settings, load_accounts(settings.accounts_dir), now)
    return {item.name: item.level for item in found.items}


def _says(settings: Settings, name: str, now: datetime = SOON) -> str:
    (item,) = [one for one in system_health(settings, [], now).items if one.name == name]
    return f"{item.says} {item.to_do or ''}"


def test_a_good_home_needs_nothing(home: Settings):
    found = system_health(home, load_accounts(home.accounts_dir), SOON)

    assert not found.needs_action
    assert {item.level for item in found.items} <= {Level.FINE, Level.NOTE}
    assert "v1, green 3 hours ago, scrapes to 2026-05-21 21:05Z" in _says(home, "published copy")
    assert all(item.to_do is None for item in found.items)


def test_a_fresh_home_is_no_failure(tmp_path: Path):
    found = system_health(Settings(home=tmp_path), [], SOON)

    assert not found.needs_action
    assert Level.ACTION not in {item.level for item in found.items}
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_a_copy_of_three_days_ago_needs_a_person(home: Settings):
    assert _levels(home, SOON + timedelta(days=3))["published copy"] is Level.ACTION


def test_a_state_database_that_cannot_be_opened_hides_nothing_else(home: Settings):
    path = home.home / "no_database"
    path.mkdir()
    broken = home.model_copy(update={"state_url": f"sqlite:///{path}"})
    levels = _levels(broken)

    assert levels["state database"] is Level.ACTION
    assert levels["published copy"] is Level.FINE
    assert levels["disk"] is Level.FINE


def test_a_history_that_is_no_database_is_told(home: Settings):
    (home.dagster_dir / "history").mkdir(parents=True)
    (home.dagster_dir / "history" / "runs.db").write_bytes(b"rubbish")

    assert "cannot be read" in _says(home, "runs")


def test_a_full_disk_is_told(home: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_LEAST_FREE_BYTES", 10**18)

    assert _levels(home)["disk"] is Level.ACTION


def test_keys_are_told_of_and_not_told(home: Settings):
    secret = home.model_copy(update={"apify_token": SecretStr("planted-secret")})
    said = _says(secret, "keys")

    assert "APIFY_TOKEN yes" in said
    assert "ANTHROPIC_API_KEY no" in said
    assert "planted" not in said


@dg.asset
def made(context: dg.AssetExecutionContext) -> None:
    """Fails where a tag says so."""
    if context.run.tags.get("fails"):
        raise dg.Failure("as asked")


@pytest.mark.parametrize(("fails", "is_trouble"), [("ny", True), ("yn", False), ("yy", True)])
def test_the_last_build_counts(home: Settings, fails: str, is_trouble: bool):
    home.dagster_dir.mkdir()
    (home.dagster_dir / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    definitions = dg.Definitions(
        assets=[made],
        jobs=[dg.define_asset_job(name, selection="*") for name in ("daily", "build")],
    )
    with dg.DagsterInstance.from_config(str(home.dagster_dir)) as instance:
        for job, fail in zip(("daily", "build"), fails, strict=True):
            definitions.resolve_job_def(job).execute_in_process(
                instance=instance,
                tags={"fails": "yes"} if fail == "y" else {},
                raise_on_error=False,
            )

    now = datetime.now(UTC)
    assert (_levels(home, now)["runs"] is Level.ACTION) == is_trouble
    assert ("build failed 0 minutes ago" in _says(home, "runs", now)) == is_trouble


def _with_schedules(beats: tuple[tuple[str, datetime], ...]) -> RunHistory:
    switched_on = Automation("scrape_and_build_daily", "schedule", is_running=True)
    return RunHistory((), (), (), 0, (switched_on,), beats)


def test_schedules_without_their_daemon_need_a_person():
    seen_lately = (("scheduler", SOON - timedelta(minutes=1)),)
    seen_long_ago = (("scheduler", SOON - timedelta(hours=5)),)

    assert module._schedules(_with_schedules(seen_lately), SOON).level is Level.FINE
    for beats in ((), seen_long_ago):
        item = module._schedules(_with_schedules(beats), SOON)
        assert item.level is Level.ACTION
        assert "make ui" in str(item.to_do)
    assert "was seen 5 hours ago" in item.says


def test_what_a_failed_check_found_is_told_with_its_name():
    checks = (
        LatestCheck("stats/broken_counts", "counts_are_possible", False, "warn", "That cannot be."),
        LatestCheck("marts/fct_snapshot", "counts_do_not_fall", False, "warn"),
        LatestCheck("marts/fct_snapshot", "like_counts_differ", True, "warn", "Of no matter."),
    )
    item = module._checks(RunHistory((), (), checks, 0, (), ()))

    assert item.level is Level.NOTE
    assert item.says == ("1 pass, 2 fail: counts_are_possible, counts_do_not_fall. That cannot be.")


def test_the_command_fits_a_terminal_and_its_exit_code_says_it(
    home: Settings, capsys: pytest.CaptureFixture[str]
):
    # The copy is years old or of the future, whenever this runs: a person has to build.
    assert main(["health"]) == 1

    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines()[:20])) <= 80
    assert "published copy: Run `afterpost build`" in shown


def test_as_json_the_parts_and_the_profiles_stand_apart(
    home: Settings, capsys: pytest.CaptureFixture[str]
):
    assert main(["health", "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert told["needs_action"] is True
    assert {check["name"] for check in told["checks"]} >= {"published copy", "runs", "disk", "keys"}
    assert [profile["platform"] for profile in told["profiles"]] == ["tiktok"]


def test_spans_and_sizes_are_for_people():
    spans = [timedelta(minutes=3), timedelta(hours=3), timedelta(days=3), timedelta(-1)]
    assert [duration(span) for span in spans] == ["3 minutes", "3 hours", "3 days", "0 minutes"]
    assert [size(n) for n in (0, 1500, 2_500_000, 56_200_000_000)] == [
        "0 B", "2 kB", "2 MB", "56.2 GB",
    ]  # fmt: skip
