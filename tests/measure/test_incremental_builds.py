"""Models that are brought on scrape by scrape hold what one full build makes of all of them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipeline.accounts import Platform
from pipeline.collect.landing import Answer, ScrapedAtSource, Source, SourceKind, land, weigh
from pipeline.collect.raw import load_raw
from pipeline.measure import dbt_runs, refreshes
from pipeline.measure.build import build_models, build_statistics
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.world import World, build_world
from tests.end_to_end.fingerprints import mart_fingerprints, table_fingerprints, without_data_tests

POSTS = 25
_BOOKKEEPING = ("scrapes_read", "scrapes_stamped", "models_made_from")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


def _home(folder: Path) -> Settings:
    settings = Settings(home=folder, lock_timeout_s=60)
    copy_accounts(settings.accounts_dir)
    return settings


def _answer(world: World, account_name: str, platform: Platform, days_back: float) -> Answer:
    moment = (world.end - timedelta(days=days_back)).replace(microsecond=0)
    return Answer(
        platform=platform,
        account_name=account_name,
        handle=world.account(account_name).platform_profiles[platform],
        source=Source.APIFY,
        source_kind=SourceKind.POSTS,
        rows=world.scrape_rows(account_name, platform, "posts", moment, POSTS),
        scraped_at=moment,
        scraped_at_source=ScrapedAtSource.RUN,
    )


def _land_day(settings: Settings, world: World, days_back: float) -> list[Answer]:
    answers = [_answer(world, *profile, days_back) for profile in world.profiles]
    for answer in answers:
        land(settings, weigh(answer))
    return answers


def _copied(answers: Iterable[Answer]) -> Iterable[Answer]:
    """Other answers that claim the same moments: some posts only, one of them twice, more likes."""
    for answer in answers:
        rows = [_liked(row) for row in answer.rows[::3] if isinstance(row, dict)]
        yield replace(answer, rows=[*rows, *rows[:1]])


def _liked(row: dict[str, Any]) -> dict[str, Any]:
    name = "diggCount" if "diggCount" in row else "likesCount"
    return {**row, name: row[name] + 1}


def _land_history(settings: Settings, world: World) -> None:
    for days_back in (40, 29, 12):
        _land_day(settings, world, days_back)


def _land_more(settings: Settings, world: World) -> None:
    """A new day, one from before the newest, and answers for moments that others have told."""
    newest = _land_day(settings, world, 5)
    _land_day(settings, world, 8.5)
    for copy in _copied(newest):
        land(settings, weigh(copy))


def _build(settings: Settings) -> bool:
    """Load and build; whether everything was made anew."""
    load_raw(settings)
    build = build_models(settings)
    build_statistics(settings)
    return build.is_full_refresh


def _rows(settings: Settings) -> dict[str, str]:
    """Hash of all rows of each table that the models make."""
    tables = table_fingerprints(settings.database_path, "intermediate")
    inner = {name: rows for name, rows in tables.items() if name not in _BOOKKEEPING}
    return mart_fingerprints(settings.database_path) | inner


def _copy(home: Settings, folder: Path) -> Settings:
    shutil.copytree(home.home, folder)
    return Settings(home=folder, lock_timeout_s=60)


@pytest.fixture(scope="module")
def begun(world: World, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that was built after its first scrapes."""
    settings = _home(tmp_path_factory.mktemp("begun"))
    _land_history(settings, world)
    assert _build(settings)
    return settings


@pytest.fixture(scope="module")
def grown(begun: Settings, world: World, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The same, built again after more of them."""
    settings = _copy(begun, tmp_path_factory.mktemp("grown") / "home")
    _land_more(settings, world)
    assert not _build(settings)
    return settings


@pytest.fixture(scope="module")
def at_once(world: World, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with the same scrapes, built once."""
    settings = _home(tmp_path_factory.mktemp("at_once"))
    _land_history(settings, world)
    _land_more(settings, world)
    with without_data_tests():
        assert _build(settings)
    return settings


@pytest.fixture
def copy_of_grown(grown: Settings, tmp_path: Path) -> Settings:
    return _copy(grown, tmp_path / "home")


def test_scrapes_that_come_in_turns_late_and_twice_give_the_rows_of_one_build(
    grown: Settings, at_once: Settings
) -> None:
    assert _rows(grown) == _rows(at_once)
    with duckdb.connect(str(grown.database_path), read_only=True) as connection:
        [(posts, aged)] = connection.execute(
            "select count(*), count(view_7d) from marts.fct_post_performance"
        ).fetchall()
    assert posts > 100
    assert aged > 10


def test_a_build_without_new_scrapes_changes_nothing_but_models_that_were_of_another_kind(
    copy_of_grown: Settings,
) -> None:
    before = _rows(copy_of_grown)
    with duckdb.connect(str(copy_of_grown.database_path)) as connection:
        connection.execute("drop view marts.mart_pareto; drop table marts.mart_trend")
        connection.execute("create table marts.mart_pareto as select 1 as one")
        connection.execute("create view marts.mart_trend as select 1 as one")

    assert not _build(copy_of_grown)

    assert _rows(copy_of_grown) == before


def test_a_build_killed_between_two_models_is_taken_up_where_it_ended(
    world: World, begun: Settings, tmp_path: Path, at_once: Settings
) -> None:
    settings = _copy(begun, tmp_path / "home")
    _land_more(settings, world)
    load_raw(settings)

    _killed_build(settings, after="model intermediate.int_posts__tracked")
    with duckdb.connect(str(settings.database_path), read_only=True) as connection:
        held = dict(
            connection.execute(
                "select model_name, count(*) from intermediate.scrapes_read group by all"
            ).fetchall()
        )
    assert held["int_posts__tracked"] > held["int_scrapes__listed"]

    assert not _build(settings)
    assert _rows(settings) == _rows(at_once)


def _killed_build(settings: Settings, after: str) -> None:
    """Build in a process that is killed once dbt's log says that it finished a model."""
    log = settings.dbt_workspace / "logs" / "dbt.log"
    begun_at = log.stat().st_size
    code = (
        "import sys; from pathlib import Path; from pipeline.settings import Settings; "
        "from pipeline.measure.build import build_models; "
        "build_models(Settings(home=Path(sys.argv[1])))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(settings.home)], env={**os.environ})
    deadline = time.monotonic() + 120
    while True:
        with log.open("rb") as file:
            file.seek(begun_at)
            if any(
                "OK created" in line and after in line for line in file.read().decode().splitlines()
            ):
                break
        assert process.poll() is None, "the build ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_changed_availability_makes_everything_anew(
    copy_of_grown: Settings, at_once: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(dbt_runs.DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    seed = project / "seeds" / "metric_availability.csv"
    lines = seed.read_text(encoding="utf-8").splitlines(keepends=True)
    seed.write_text("".join(line for line in lines if not line.startswith("tiktok,video,save")))
    monkeypatch.setattr(dbt_runs, "DBT_PROJECT", project)
    monkeypatch.setattr(refreshes, "DBT_PROJECT", project)
    anew = _home(tmp_path / "anew")
    shutil.copytree(at_once.landing_dir, anew.landing_dir)

    assert _build(copy_of_grown)
    with without_data_tests():
        assert _build(anew)

    assert _rows(copy_of_grown) == _rows(anew)
    assert _rows(anew) != _rows(at_once)


def test_a_deleted_account_leaves_no_rows_of_its_profiles(
    copy_of_grown: Settings, at_once: Settings, tmp_path: Path
) -> None:
    anew = _home(tmp_path / "anew")
    shutil.copytree(at_once.landing_dir, anew.landing_dir)
    for settings in (copy_of_grown, anew):
        shutil.rmtree(settings.accounts_dir / "parentplaybook")

    assert _build(copy_of_grown)
    with without_data_tests():
        _build(anew)

    assert _rows(copy_of_grown) == _rows(anew)
    with duckdb.connect(str(anew.database_path), read_only=True) as connection:
        assert not connection.execute(
            "select * from marts.dim_post where account_name = 'parentplaybook'"
        ).fetchall()


def test_a_scrape_that_was_taken_out_of_raw_takes_its_rows_along(
    copy_of_grown: Settings, at_once: Settings, tmp_path: Path
) -> None:
    anew = _home(tmp_path / "anew")
    shutil.copytree(at_once.landing_dir, anew.landing_dir)
    load_raw(anew)
    for settings in (copy_of_grown, anew):
        with duckdb.connect(str(settings.database_path)) as connection:
            connection.execute("set timezone = 'UTC'")
            [(scrape_id,)] = connection.execute(
                "select max(scrape_id) from raw.scrapes where account_name = 'slumbersongs'"
            ).fetchall()
            for table in ("scrapes", "scrape_items"):
                connection.execute(f"delete from raw.{table} where scrape_id = ?", [scrape_id])

    assert build_models(copy_of_grown).is_full_refresh
    with without_data_tests():
        build_models(anew)
    for settings in (copy_of_grown, anew):
        build_statistics(settings)

    assert _rows(copy_of_grown) == _rows(anew)
