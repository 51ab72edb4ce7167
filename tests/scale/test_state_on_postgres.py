"""The state database on a real PostgreSQL: what holds for a file holds there, and what does not.

The tests that know nothing of servers run once more with every home's state on one, the eight
processes that race among them. What follows them is about servers alone.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from pipeline.clients import state_databases
from pipeline.clients.state import reading_state, state_exists, writing_state
from pipeline.clients.state_tables import metadata
from pipeline.clients.state_verdicts import add_feedback, feedback_rows
from pipeline.errors import ConfigurationError, Retry, StateUnavailableError
from pipeline.settings import REPOSITORY, Settings
from pipeline.show.web.app import create_app
from tests.fakes.published import add_account
from tests.fakes.state_rows import feedback
from tests.scale.postgres_server import PostgresServer, postgres_server

ON_BOTH = (
    "tests/clients/test_state.py",
    "tests/clients/test_state_copies.py",
    "tests/clients/test_state_migrations.py",
    "tests/clients/test_state_predictions.py",
    "tests/clients/test_state_values.py",
    "tests/collect/test_health.py",
    "tests/collect/test_model_labels.py",
    "tests/decide/test_changes.py",
    "tests/decide/test_context.py",
    "tests/decide/test_draw_assignments.py",
    "tests/decide/test_draw_with_experiments.py",
    "tests/decide/test_edits.py",
    "tests/decide/test_experiment_arms.py",
    "tests/decide/test_feedback.py",
    "tests/decide/test_plan_lists.py",
    "tests/decide/test_plans.py",
    "tests/decide/test_review.py",
    "tests/decide/test_verdicts.py",
    "tests/defs/test_alerts_asset.py",
    "tests/defs/test_experiments_asset.py",
    "tests/faults/test_budgets.py",
    "tests/faults/test_decision_races.py",
    "tests/faults/test_killed_scrapes.py",
    "tests/faults/test_model_batches.py",
    "tests/faults/test_model_kills.py",
    "tests/faults/test_state_races.py",
    "tests/learn/experiments/test_gaps.py",
    "tests/learn/experiments/test_managed_ends.py",
    "tests/learn/experiments/test_managing.py",
    "tests/learn/experiments/test_registration.py",
    "tests/learn/experiments/test_registration_decisions.py",
    "tests/learn/predict/test_planned_predictions.py",
    "tests/learn/test_model_budget.py",
    "tests/learn/test_recommend.py",
    "tests/show/test_alert_rounds.py",
    "tests/show/test_analyze_and_review.py",
    "tests/show/test_experiment_cli.py",
    "tests/show/test_health.py",
    "tests/show/test_monitoring.py",
    "tests/show/test_report_delivery.py",
    "tests/show/web/test_decisions.py",
    "tests/show/web/test_experiments.py",
    "tests/show/web/test_openapi.py",
    "tests/show/web/test_operation_routes.py",
    "tests/show/web/test_plan_routes.py",
    "tests/show/web/test_reflexion_routes.py",
)
"""Files whose subject is what the state database holds and refuses, or who writes it first."""

NOT_HERE = (
    # They list a home's files, and the file that names the home's database is one of them.
    "tests/show/test_health.py::test_a_fresh_home_is_no_failure",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    with postgres_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, server: PostgresServer) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20, state_url=server.new_database())


@pytest.fixture
def stopped(server: PostgresServer) -> Iterator[PostgresServer]:
    """A server that a test may stop; it runs again afterwards."""
    yield server
    if not server.is_running:
        server.start()


def use(settings: Settings) -> None:
    with writing_state(settings):
        pass


def say(state: Any, note: str) -> None:
    add_feedback(state, feedback("ann", note=note))


def command_line(settings: Settings, *words: str) -> "subprocess.CompletedProcess[str]":
    assert settings.state_url is not None
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.show.cli.main import run; run()", *words],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "AFTERPOST_HOME": str(settings.home),
            "AFTERPOST_STATE_URL": settings.state_url,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(900)  # hundreds of tests, and other programs may be at work
def test_the_tests_of_the_state_hold_on_a_server_too(server: PostgresServer, tmp_path: Path):
    hooks = REPOSITORY / "tests" / "scale" / "homes_on_a_server"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs"),
            *("-n", "2", "--dist", "loadfile", "--basetemp", str(tmp_path / "homes")),
            *(word for name in NOT_HERE for word in ("--deselect", name)),
            *ON_BOTH,
        ],
        cwd=REPOSITORY,
        env={
            **{name: text for name, text in os.environ.items() if "PYTEST" not in name},
            "AFTERPOST_TEST_STATE_SERVER": server.url(),
            "PYTHONPATH": os.pathsep.join((str(hooks), str(REPOSITORY))),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
    assert list((tmp_path / "homes").rglob("warehouse/state.db")) == [], "no home kept a file"


def test_every_text_sorts_by_its_bytes_whatever_the_server_does(settings: Settings):
    with writing_state(settings) as state:
        found = state.rows(
            sa.text(
                "select table_name || '.' || column_name as name, collation_name as collation "
                "from information_schema.columns where table_schema = 'public' "
                "and data_type in ('text', 'character varying')"
            )
        )
    texts = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if not isinstance(column.type, sa.JSON) and "VARCHAR" in str(column.type).upper()
    }
    collations = {row["name"]: row["collation"] for row in found}
    del collations["alembic_version.version_num"]
    assert set(collations.values()) == {"C"}
    assert texts <= set(collations)


def test_a_server_that_does_not_run_is_one_sentence(settings: Settings, stopped: PostgresServer):
    add_account(settings)
    stopped.stop()

    result = command_line(settings, "review", "--account", "sleepy")

    assert result.returncode == 1
    sentence = " ".join(result.stderr.split())
    assert sentence.startswith("error: The state database postgresql+psycopg2://postgres@127.0.0.1")
    assert "Connection refused" in sentence
    assert "Traceback" not in sentence
    with pytest.raises(StateUnavailableError) as caught:
        state_exists(settings)
    assert caught.value.retry is Retry.LATER


def test_the_web_answers_again_once_the_server_does(settings: Settings, stopped: PostgresServer):
    add_account(settings)
    with TestClient(create_app(settings), base_url="http://localhost") as client:
        pages = ("/api/v1/action-plans", "/api/v1/operations/audit")
        assert [client.get(page).status_code for page in pages] == [200, 200]
        stopped.stop()

        answers = [client.get(page) for page in pages]

        assert [answer.status_code for answer in answers] == [503, 503]
        assert {answer.json()["code"] for answer in answers} == {"unavailable"}
        assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
        draft = {"account": "sleepy", "name": "A plan", "goal": "A goal"}
        assert client.post("/api/v1/action-plans", json=draft).status_code == 503
        stopped.start()
        assert [client.get(page).status_code for page in pages] == [200, 200]
        assert client.get("/api/v1/action-plans").json()["total"] == 0
        assert client.post("/api/v1/action-plans", json=draft).status_code == 201


def test_between_two_calls_a_server_may_be_started_anew(
    settings: Settings, stopped: PostgresServer
):
    with writing_state(settings) as state:
        say(state, "before")
    stopped.stop()
    stopped.start()
    with writing_state(settings) as state:
        say(state, "after")

    assert [row["note"] for row in feedback_rows(settings)] == ["before", "after"]


def test_what_was_half_written_when_the_server_went_is_not_there(
    settings: Settings, stopped: PostgresServer
):
    def interrupted() -> None:
        with writing_state(settings) as state:
            say(state, "first")
            stopped.stop()
            say(state, "second")

    with pytest.raises(StateUnavailableError, match="Nothing was changed"):
        interrupted()
    stopped.start()

    assert feedback_rows(settings) == []


def test_nobody_claims_to_know_what_became_of_a_change_whose_commit_got_lost(
    settings: Settings, stopped: PostgresServer
):
    def interrupted() -> None:
        with writing_state(settings) as state:
            say(state, "first")
            stopped.stop()

    with pytest.raises(StateUnavailableError, match="Look before you repeat it"):
        interrupted()


def test_a_reader_whose_server_goes_gets_the_sentence(settings: Settings, stopped: PostgresServer):
    def interrupted() -> None:
        with reading_state(settings) as state:
            stopped.stop()
            state.recommendations()

    with pytest.raises(StateUnavailableError, match="cannot be reached"):
        interrupted()


def test_a_writer_that_waits_too_long_for_another_says_so(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    kind = state_databases._KINDS["postgresql"]
    short = tuple(statement.replace("30s", "200ms") for statement in kind.writing)
    assert short != kind.writing
    hurried = state_databases._Kind(kind.reading, short, short)

    with writing_state(settings):
        monkeypatch.setitem(state_databases._KINDS, "postgresql", hurried)
        with pytest.raises(StateUnavailableError, match="lock timeout"):
            use(settings)
        assert feedback_rows(settings) == [], "readers do not wait"
    use(settings)


def test_a_writer_that_says_nothing_is_ended_and_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    kind = state_databases._KINDS["postgresql"]
    short = tuple(statement.replace("60s", "200ms") for statement in kind.writing)
    assert short != kind.writing

    def asleep() -> None:
        with writing_state(settings) as state:
            say(state, "never there")
            with monkeypatch.context() as patch:
                patch.setitem(state_databases._KINDS, "postgresql", kind)
                with writing_state(settings) as other:
                    say(other, "there")

    with reading_state(settings):
        pass
    monkeypatch.setitem(
        state_databases._KINDS, "postgresql", state_databases._Kind(kind.reading, short, short)
    )
    with pytest.raises(StateUnavailableError):
        asleep()
    assert [row["note"] for row in feedback_rows(settings)] == ["there"]


def test_a_database_that_not_every_text_fits_into_is_refused(
    server: PostgresServer, tmp_path: Path
):
    maintenance = sa.create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with maintenance.connect() as connection:
        connection.exec_driver_sql(
            "create database narrow encoding 'LATIN1' template template0 "
            "locale_provider libc lc_collate 'C' lc_ctype 'C'"
        )
    maintenance.dispose()
    settings = Settings(home=tmp_path, state_url=server.url("narrow"))

    with pytest.raises(ConfigurationError, match="create it with the encoding UTF8"):
        use(settings)
    assert not state_exists(settings)


def test_a_role_that_may_not_make_tables_is_one_sentence(
    server: PostgresServer, settings: Settings
):
    with sa.create_engine(server.url()).begin() as connection:
        connection.exec_driver_sql("create role guest login")
    assert settings.state_url is not None
    guest = settings.model_copy(
        update={"state_url": settings.state_url.replace("postgres@", "guest:planted-secret@")}
    )

    with pytest.raises(ConfigurationError, match="permission denied") as caught:
        use(guest)
    assert "planted-secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_one_sentence(server: PostgresServer, tmp_path: Path):
    settings = Settings(home=tmp_path, state_url=server.url("missing"))

    with pytest.raises(StateUnavailableError, match='"missing" does not exist'):
        state_exists(settings)


def test_another_programs_tables_are_left_alone(settings: Settings):
    with sa.create_engine(settings.state_database_url).begin() as connection:
        connection.exec_driver_sql("create table alembic_version (version_num varchar(32))")
        connection.exec_driver_sql("insert into alembic_version values ('abc')")

    with pytest.raises(ConfigurationError, match="a database of its own"):
        use(settings)


def test_a_fork_leaves_the_connections_of_its_parent_alone(settings: Settings):
    use(settings)
    before = {_server_process(settings) for _ in range(4)}
    child = os.fork()
    if child == 0:
        is_apart = not before & {_server_process(settings) for _ in range(4)}
        state_databases._engines.clear()
        os._exit(0 if is_apart else 1)

    assert os.waitpid(child, 0)[1] == 0
    assert {_server_process(settings) for _ in range(4)} == before


def _server_process(settings: Settings) -> int:
    with reading_state(settings) as state:
        (row,) = state.rows(sa.text("select pg_backend_pid() as number"))
    return int(row["number"])
