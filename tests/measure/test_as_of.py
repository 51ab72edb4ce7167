"""A past moment built again equals the home that never saw a later day."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import load_account
from pipeline.clients.state import reading_state, writing_state
from pipeline.clients.state_as_of import KNOWN_FROM
from pipeline.clients.state_attempts import scrape_attempt_rows
from pipeline.clients.state_labels import put_person_labels
from pipeline.clients.state_tables import (
    context_versions,
    decisions,
    metadata,
    recommendations,
    scrape_attempts,
)
from pipeline.clients.table_exports import ExportFormat, export_tables
from pipeline.clients.warehouse import reading
from pipeline.collect.imports import import_file, time_in_name
from pipeline.collect.planned import read_planned_posts
from pipeline.collect.raw import load_raw
from pipeline.errors import UsageError
from pipeline.measure.as_of import MARKER, AsOfHome, build_home, moment_of, prepare_home
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.exports import write_exports
from pipeline.simulate.planned import write_planned
from pipeline.simulate.world import World, build_world
from tests.end_to_end.fingerprints import without_data_tests

KNOWN_AT = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
ACCOUNT = "mymomskills"
HOUR = timedelta(hours=1)


def _world() -> World:
    return build_world(
        start=datetime(2026, 8, 10, 4, tzinfo=UTC), end=datetime(2026, 10, 1, 13, tzinfo=UTC)
    )


def _home(folder: Path, world: World, until: datetime | None) -> Settings:
    """Every second export of each profile, and all that people said, up to a moment."""
    settings = Settings(home=folder)
    copy_accounts(settings.accounts_dir)
    write_planned(world, settings.accounts_dir)
    for export in write_exports(world, folder / "exports")[::2]:
        moment = time_in_name(export.path.name)
        assert moment is not None
        if until is None or moment <= until:
            account = load_account(settings.accounts_dir, export.account_name)
            import_file(settings, account, export.path, platform=export.platform)
    if until is not None:
        _remove_later_plans(settings, until)
    return settings


def _remove_later_plans(settings: Settings, until: datetime) -> None:
    for name in ("dreamtimelullabies", ACCOUNT, "parentplaybook", "slumbersongs"):
        account = load_account(settings.accounts_dir, name)
        for plan in read_planned_posts(settings, account).posts:
            if plan.planned_at is not None and plan.planned_at > until:
                shutil.rmtree(settings.accounts_dir / name / "output" / plan.planned_id)


def _recommendation(name: str, created_at: datetime, decided_at: datetime | None) -> dict[str, Any]:
    return {
        "recommendation_id": name, "account_name": ACCOUNT, "created_at": created_at, "rank": 1,
        "status": "approved" if decided_at else "pending", "category": "format_weight",
        "target": name, "insight": "More.", "insight_template": "More.", "figures": {},
        "operations": [], "patch": [], "confidence": "high", "sample_size": 30, "findings": [],
        "warehouse_version": "v", "writer": "rules", "decided_at": decided_at,
    }  # fmt: skip


def _decision(name: str, about: str, decided_at: datetime) -> dict[str, Any]:
    return {
        "decision_id": name, "recommendation_id": about, "account_name": ACCOUNT,
        "decision": "approve", "decided_by": "me", "decided_at": decided_at, "patch": [],
    }  # fmt: skip


def _version(sequence: int, content: bytes, created_at: datetime) -> dict[str, Any]:
    return {
        "account_name": ACCOUNT, "sequence": sequence, "context_id": f"c{sequence}",
        "sha256": hashlib.sha256(content).hexdigest(), "content": content, "cause": "initial",
        "created_at": created_at, "is_written": True,
    }  # fmt: skip


def _attempt(name: str, intended_at: datetime, finished_at: datetime | None) -> dict[str, Any]:
    return {
        "attempt_id": name, "account_name": ACCOUNT, "platform": "tiktok", "source_kind": "posts",
        "actor_id": "a/b", "run_input": {"n": 1}, "max_charge_usd": "1", "intended_at": intended_at,
        "run_id": name, "finished_at": finished_at, "outcome": "new_posts" if finished_at else None,
        "cost_usd": "0.5" if finished_at else None,
    }  # fmt: skip


def _say(settings: Settings, post_ids: list[str], *, with_later: bool) -> None:
    """Labels, recommendations, decisions, context versions and runs around the moment."""
    before, after = KNOWN_AT - HOUR, KNOWN_AT + HOUR
    said = [(post_ids[0], "scripts", before)] + [(post_ids[1], "step_guide", after)] * with_later
    put_person_labels(
        settings,
        [
            {
                "account_name": ACCOUNT, "platform": "tiktok", "post_id": post_id,
                "dimension": "format", "label": label, "decided_by": "me", "decided_at": moment,
            }
            for post_id, label, moment in said
        ],
    )  # fmt: skip
    with writing_state(settings) as state:
        state.execute(
            recommendations.insert(),
            [
                _recommendation("decided", before - HOUR, before),
                _recommendation("open", before, after if with_later else None),
                *([_recommendation("later", after, None)] * with_later),
            ],
        )
        state.execute(
            decisions.insert(),
            [_decision("d1", "decided", before), *([_decision("d2", "open", after)] * with_later)],
        )
        state.execute(
            context_versions.insert(),
            [_version(1, b'{"n": 1}', before), *([_version(2, b'{"n": 2}', after)] * with_later)],
        )
        state.execute(
            scrape_attempts.insert(),
            [
                _attempt("ended", before, before),
                _attempt("running", before, after if with_later else None),
                *([_attempt("next", after, after)] * with_later),
            ],
        )


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Settings, AsOfHome]:
    """The whole history; a home that only ever had its first days, built; the former as of then."""
    world = _world()
    whole = _home(tmp_path_factory.mktemp("whole"), world, None)
    early = _home(tmp_path_factory.mktemp("early"), world, KNOWN_AT)
    load_raw(early)
    post_ids = [post.post_id for post in world.posts if post.account_name == ACCOUNT][:2]
    _say(whole, post_ids, with_later=True)
    _say(early, post_ids, with_later=False)
    load_raw(early)
    with without_data_tests():
        build_models(early)
    build_statistics(early)
    publish_build(early)
    context = whole.accounts_dir / ACCOUNT / "performance_context.json"
    context.write_bytes(b'{"n": 2}')
    prepared = prepare_home(whole, tmp_path_factory.mktemp("then"), KNOWN_AT)
    build_home(prepared)
    return whole, early, prepared


def _exported(settings: Settings, folder: Path, kind: ExportFormat) -> Mapping[str, str]:
    return {
        one.table: hashlib.sha256(one.path.read_bytes()).hexdigest()
        for one in export_tables(settings, folder, export_format=kind)
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(ExportFormat))
def test_every_mart_as_of_a_day_is_byte_for_byte_that_of_a_home_with_the_days_until_then(
    homes: tuple[Settings, Settings, AsOfHome], tmp_path: Path, kind: ExportFormat
) -> None:
    _, early, then = homes
    expected = _exported(early, tmp_path / "early", kind)

    assert _exported(then.settings, tmp_path / "then", kind) == expected
    assert {"marts.fct_post_performance", "stats.segment_effects"} <= expected.keys()


@pytest.mark.slow
def test_what_was_known_is_neither_everything_nor_nothing(
    homes: tuple[Settings, Settings, AsOfHome],
) -> None:
    _, _, then = homes

    assert min(then.scrape_count, then.later_scrape_count) > 20
    assert min(then.plan_count, then.later_plan_count) > 20
    with reading(then.settings) as connection:
        newest, post_count = connection.execute(
            "select max(scraped_at), count(distinct post_id) from marts.fct_snapshot"
        ).fetchall()[0]
        labels = connection.execute(
            "select label from raw.post_labels where label_source = 'person'"
        ).fetchall()
    assert KNOWN_AT - timedelta(days=3) < newest <= KNOWN_AT
    assert post_count > 50
    assert labels == [("scripts",)]


@pytest.mark.slow
def test_what_was_decided_or_ended_later_is_open_again(
    homes: tuple[Settings, Settings, AsOfHome],
) -> None:
    _, _, then = homes
    with reading_state(then.settings) as state:
        found = {one["recommendation_id"]: one for one in state.recommendations()}
        assert state.decision("d2") is None
    attempts = {row["attempt_id"]: row for row in scrape_attempt_rows(then.settings)}

    assert {name: one["status"] for name, one in found.items()} == {
        "decided": "approved",
        "open": "pending",
    }
    assert found["open"]["decided_at"] is None
    assert attempts.keys() == {"ended", "running"}
    assert attempts["ended"]["cost_usd"] == "0.5"
    assert attempts["running"]["finished_at"] is None
    assert attempts["running"]["cost_usd"] is None


@pytest.mark.slow
def test_the_context_file_is_the_version_of_then_and_the_real_one_stays(
    homes: tuple[Settings, Settings, AsOfHome],
) -> None:
    whole, _, then = homes

    name = f"{ACCOUNT}/performance_context.json"
    assert (then.settings.accounts_dir / name).read_bytes() == b'{"n": 1}'
    assert (whole.accounts_dir / name).read_bytes() == b'{"n": 2}'
    assert not whole.database_path.exists(), "the home that is looked back from is not written"


def test_every_table_of_the_state_says_when_its_rows_were_known() -> None:
    tables = {table.name: {column.name for column in table.c} for table in metadata.sorted_tables}

    assert KNOWN_FROM.keys() == tables.keys()
    assert all(column in tables[table] for table, column in KNOWN_FROM.items())


@pytest.fixture
def real(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path / "real")
    copy_accounts(settings.accounts_dir)
    return settings


@pytest.mark.parametrize(
    "name", [".", "accounts", "accounts/mymomskills/then", "warehouse/x", ".."]
)
def test_the_real_home_and_its_data_are_refused(real: Settings, name: str) -> None:
    before = sorted(real.home.rglob("*"))

    with pytest.raises(UsageError, match="name another folder"):
        prepare_home(real, real.home / name, KNOWN_AT)
    assert sorted(real.home.rglob("*")) == before


def test_a_link_to_the_real_home_is_the_real_home(real: Settings, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(real.home)

    with pytest.raises(UsageError, match="the home itself"):
        prepare_home(real, tmp_path / "link", KNOWN_AT)


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(
    real: Settings, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "accounts").mkdir(parents=True)
    (other / "accounts" / "mine.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(UsageError, match="not empty"):
        prepare_home(real, other, KNOWN_AT)
    assert (other / "accounts" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert not (other / MARKER).exists()


def test_a_home_that_was_made_before_is_made_anew(real: Settings, tmp_path: Path) -> None:
    then = tmp_path / "then"
    prepare_home(real, then, KNOWN_AT)
    (then / "accounts" / "gone").mkdir()
    prepare_home(real, then, KNOWN_AT + HOUR)

    assert not (then / "accounts" / "gone").exists()
    assert json.loads((then / MARKER).read_bytes())["known_at"] == "2026-09-15T13:00:00Z"


def test_another_state_database_of_the_environment_is_not_used(
    real: Settings, tmp_path: Path
) -> None:
    settings = real.model_copy(update={"state_url": f"sqlite:///{tmp_path / 'elsewhere.db'}"})

    prepared = prepare_home(settings, tmp_path / "then", KNOWN_AT)
    assert prepared.settings.state_database_url.endswith("then/warehouse/state.db")


def test_plans_count_from_the_time_that_they_were_made(real: Settings, tmp_path: Path) -> None:
    output = real.accounts_dir / ACCOUNT / "output"
    for name, meta in {
        "made_before": {"created_at": "2026-09-14", "published_at": "2026-09-17T09:00:00-04:00"},
        "made_after": {"created_at": "2026-09-16", "published_at": "2026-09-14T09:00:00-04:00"},
        "dated_after": {"date": "2026-09-16"},
        "dated_before": {"date": "2026-09-15"},
        "undated": {"topic": "sleep"},
        "unreadable": {"created_at": 7},
    }.items():
        (output / name).mkdir(parents=True)
        (output / name / "meta.json").write_text(json.dumps(meta), encoding="utf-8")

    prepared = prepare_home(real, tmp_path / "then", KNOWN_AT)
    kept = {
        folder.name for folder in (prepared.settings.accounts_dir / ACCOUNT / "output").iterdir()
    }
    assert kept == {"made_before", "dated_before", "undated", "unreadable"}
    assert (prepared.plan_count, prepared.later_plan_count) == (4, 2)


NOW = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-15T12:00:00Z", KNOWN_AT),
        ("2026-09-15T14:00:00+02:00", KNOWN_AT),
        ("2026-09-15", datetime(2026, 9, 15, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-10-01T08:00:00Z", NOW),
    ],
)
def test_a_moment_has_a_zone_or_is_a_whole_day(text: str, moment: datetime) -> None:
    assert moment_of(text, NOW) == moment


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("last week", "is no moment"),
        ("2026-02-30", "is no moment"),
        ("", "is no moment"),
        ("2026-09-15T12:00:00", "has no time zone"),
        ("2026-10-01T08:00:01Z", "in the future"),
        ("2026-10-01", "in the future"),
    ],
)
def test_what_is_no_past_moment_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        moment_of(text, NOW)
