import re
import sqlite3
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from importlib.util import find_spec
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipeline.clients import state_databases
from pipeline.clients.state import decision_rows, reading_state, recommendation_rows, writing_state
from pipeline.clients.state_as_of import copy_state_as_of
from pipeline.clients.state_experiments import (
    add_event,
    add_experiment,
    event_rows,
    experiment_rows,
)
from pipeline.clients.state_tables import metadata
from pipeline.errors import ConfigurationError
from pipeline.settings import REPOSITORY, Settings
from tests.engines import of_sqlite_only

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def decision(decision_id: str, **values: object) -> dict[str, object]:
    return {
        "decision_id": decision_id,
        "recommendation_id": None,
        "account_name": "sleepy",
        "decision": "revert",
        "decided_by": "ann",
        "decided_at": NOW,
        "note": None,
        "patch": [],
        "context_id_before": "ctx_a",
        "context_id_after": "ctx_b",
        **values,
    }


def recommendation(recommendation_id: str) -> dict[str, object]:
    return {
        "recommendation_id": recommendation_id,
        "account_name": "sleepy",
        "created_at": NOW,
        "rank": 1,
        "status": "pending",
        "category": "format_weight",
        "target": "format:step_guide",
        "insight": "…",
        "insight_template": "…",
        "figures": {},
        "operations": [],
        "patch": [{"op": "test", "path": "/format_weights/step_guide", "value": 1.0}],
        "base_context_id": None,
        "confidence": "high",
        "sample_size": 40,
        "findings": [],
        "warehouse_version": "v1",
        "writer": "rules",
        "writer_reason": None,
        "model": None,
        "prompt_sha256": None,
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
        "decided_at": None,
    }


def columns_of(raw_table: str) -> list[str]:
    """The columns that the warehouse declares for a raw table."""
    text = (REPOSITORY / "pipeline" / "collect" / "raw_tables.sql").read_text(encoding="utf-8")
    body = text.split(f"create table if not exists raw.{raw_table} (")[1].split(");")[0]
    return re.findall(r"^    (\w+) ", body, re.MULTILINE)


def test_asking_for_rows_creates_no_database(settings: Settings):
    assert recommendation_rows(settings) == []
    assert decision_rows(settings) == []
    assert not settings.warehouse_dir.exists()


def test_rows_have_the_columns_of_the_raw_tables(settings: Settings):
    with writing_state(settings) as state:
        state.add_recommendations([recommendation("rec_1")])
        state.add_decision(decision("dec_1"))
    (recommended,) = recommendation_rows(settings)
    (decided,) = decision_rows(settings)
    assert list(recommended) == columns_of("state_recommendations")
    assert list(decided) == columns_of("state_decisions")
    assert recommended["proposed_change"] == (
        '[{"op": "test", "path": "/format_weights/step_guide", "value": 1.0}]'
    )
    assert recommended["created_at"] == NOW


def test_the_migrations_make_the_schema_that_the_code_uses(settings: Settings):
    with reading_state(settings):
        pass
    engine = sa.create_engine(settings.state_database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_the_head_revision_is_that_of_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(state_databases.MIGRATIONS_DIR))
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == state_databases.HEAD_REVISION


@of_sqlite_only("a server's readers never wait for its writers")
def test_the_database_is_in_wal_mode(settings: Settings):
    with reading_state(settings):
        pass
    connection = sqlite3.connect(settings.warehouse_dir / "state.db")
    assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
    connection.close()


def test_an_exception_rolls_everything_back(settings: Settings):
    def half_done() -> None:
        with writing_state(settings) as state:
            state.add_decision(decision("dec_1"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_done()
    assert decision_rows(settings) == []


def test_a_reader_sees_one_state_while_somebody_writes(settings: Settings):
    with writing_state(settings) as state:
        state.add_decision(decision("dec_1"))
        assert decision_rows(settings) == []
    assert len(decision_rows(settings)) == 1


def test_a_reader_goes_on_seeing_what_it_saw_first(settings: Settings):
    with writing_state(settings) as state:
        state.add_decision(decision("dec_1"))
    with reading_state(settings) as reader:
        assert reader.decision("dec_2") is None
        with writing_state(settings) as state:
            state.add_decision(decision("dec_2"))
        assert reader.decision("dec_2") is None
    assert len(decision_rows(settings)) == 2


def test_a_reader_cannot_write(settings: Settings):
    def write() -> None:
        with reading_state(settings) as state:
            state.add_decision(decision("dec_1"))

    with suppress(ConfigurationError):  # a server says so; a file forgets it
        write()
    assert decision_rows(settings) == []


def test_moments_keep_their_zone_and_none_is_guessed(settings: Settings):
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-5)))
    with writing_state(settings) as state:
        state.add_decision(decision("dec_1", decided_at=elsewhere))
    (row,) = decision_rows(settings)
    assert row["decided_at"] == NOW
    assert row["decided_at"].tzinfo is UTC

    def naive() -> None:
        with writing_state(settings) as state:
            state.add_decision(decision("dec_2", decided_at=NOW.replace(tzinfo=None)))

    with pytest.raises(sa.exc.StatementError, match="no time zone"):
        naive()


def test_a_recommendation_is_settled_once(settings: Settings):
    with writing_state(settings) as state:
        state.add_recommendations([recommendation("rec_1")])
        assert state.settle_recommendation("rec_1", status="approved", decided_at=NOW)
        assert not state.settle_recommendation("rec_1", status="rejected", decided_at=NOW)


def test_the_database_itself_refuses_a_second_decision_about_a_recommendation(settings: Settings):
    with writing_state(settings) as state:
        state.add_recommendations([recommendation("rec_1")])
        state.add_decision(decision("dec_1", recommendation_id="rec_1"))

    def again() -> None:
        with writing_state(settings) as state:
            state.add_decision(decision("dec_2", recommendation_id="rec_1"))

    with pytest.raises(sa.exc.IntegrityError):
        again()


@of_sqlite_only("a server has no file of ours")
def test_a_foreign_file_is_refused_and_left_as_it_is(settings: Settings):
    settings.warehouse_dir.mkdir()
    path = settings.warehouse_dir / "state.db"
    path.write_bytes(b"<html>not a database</html>" * 100)
    with pytest.raises(ConfigurationError, match="cannot be used"), reading_state(settings):
        pass
    assert path.read_bytes().startswith(b"<html>")


def test_a_database_of_a_newer_program_is_refused(settings: Settings):
    with reading_state(settings):
        pass
    engine = sa.create_engine(settings.state_database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    engine.dispose()
    with pytest.raises(ConfigurationError, match="newer"), reading_state(settings):
        pass


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+no_such_driver://ann:planted-secret@127.0.0.1:1/afterpost",
        "postgresql://ann:planted-secret@127.0.0.1:1/afterpost",
        "mysql://ann:planted-secret@127.0.0.1:1/afterpost",
        "planted-secret",
    ],
)
def test_a_url_that_cannot_work_is_one_sentence_without_its_password(tmp_path: Path, url: str):
    settings = Settings(home=tmp_path, state_url=url)
    with pytest.raises(ConfigurationError, match="AFTERPOST_STATE_URL") as caught:
        recommendation_rows(settings)
    assert "planted-secret" not in str(caught.value)


@pytest.mark.skipif(find_spec("psycopg2") is not None, reason="the driver is installed here")
def test_without_the_driver_of_servers_the_sentence_says_what_to_install(tmp_path: Path):
    settings = Settings(home=tmp_path, state_url="postgresql+psycopg2://ann@127.0.0.1/afterpost")
    with pytest.raises(ConfigurationError, match=re.escape("`pip install afterpost[scale]`")):
        recommendation_rows(settings)


EXPERIMENT_MOMENTS = {name: NOW + timedelta(days=day) for day, name in enumerate(
    ("created_at", "decided_at", "started_at", "concluded_at")
)}  # fmt: skip


def experiment(experiment_id: str, **values: object) -> dict[str, object]:
    return {
        "experiment_id": experiment_id,
        "account_name": "sleepy",
        "platform": "tiktok",
        "status": "concluded",
        "origin": "gap",
        "registration": {},
        "registration_sha256": "…",
        "created_by": "afterpost",
        "decided_by": "ann",
        "verdict": "winner",
        "because": "It is better.",
        "result": {"winner": "tried"},
        "recommendation_id": "rec_1",
        **EXPERIMENT_MOMENTS,
        **values,
    }


@pytest.mark.parametrize(
    ("values", "statuses"),
    [
        ({}, ["proposed", "registered", "running", "concluded"]),
        (
            {"origin": "person", "decided_by": None, "decided_at": None},
            ["registered", "registered", "running", "concluded"],
        ),
        (
            {
                "status": "rejected",
                "started_at": None,
                "concluded_at": None,
                **dict.fromkeys(("verdict", "result", "recommendation_id")),
            },
            ["proposed", "rejected", "rejected", "rejected"],
        ),
        (
            {
                "origin": "person",
                "status": "stopped",
                "started_at": None,
                "decided_at": EXPERIMENT_MOMENTS["concluded_at"],
            },
            ["registered", "registered", "registered", "stopped"],
        ),
    ],
    ids=["from a gap", "a person's", "rejected", "stopped before its start"],
)
def test_an_experiment_as_of_a_moment_is_as_it_was_then(
    tmp_path: Path, values: dict[str, object], statuses: list[str]
):
    source = Settings(home=tmp_path / "source", lock_timeout_s=20)
    with writing_state(source) as state:
        add_experiment(state, experiment("exp_1", **values))
        add_event(state, "exp_1", "started", happened_at=EXPERIMENT_MOMENTS["started_at"])
    told = []
    for name, moment in EXPERIMENT_MOMENTS.items():
        target = Settings(home=tmp_path / name, lock_timeout_s=20)
        copy_state_as_of(source, target, moment)
        (row,) = experiment_rows(target)
        told.append(row["status"])
        if row["concluded_at"] is None:
            assert (row["verdict"], row["result"], row["recommendation_id"]) == (None, None, None)
        assert (row["decided_by"] is None) == (row["decided_at"] is None)
        assert len(event_rows(target, "exp_1")) == (moment >= EXPERIMENT_MOMENTS["started_at"])
    assert told == statuses
    before = Settings(home=tmp_path / "before", lock_timeout_s=20)
    copy_state_as_of(source, before, NOW - timedelta(seconds=1))
    assert experiment_rows(before) == []
