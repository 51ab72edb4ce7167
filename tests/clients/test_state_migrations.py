"""Each former version of the state database becomes the present one, with what it held."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipeline.clients import state_databases
from pipeline.clients.state import decision_rows, reading_state, state_exists
from pipeline.clients.state_tables import metadata
from pipeline.settings import Settings


def configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(state_databases.MIGRATIONS_DIR))
    return config


REVISIONS = sorted(
    script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "warehouse").mkdir()
    return Settings(home=tmp_path, lock_timeout_s=20)


def connect(settings: Settings) -> sa.Engine:
    return sa.create_engine(settings.state_database_url, poolclass=sa.pool.NullPool)


def upgrade(settings: Settings, revision: str) -> None:
    config = configuration()
    with connect(settings).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def structure(settings: Settings) -> dict[str, Any]:
    """Everything about the tables that the database itself knows."""
    with connect(settings).connect() as connection:
        inspector = sa.inspect(connection)
        return {
            table: (
                sorted(
                    (column["name"], str(column["type"]), column["nullable"])
                    for column in inspector.get_columns(table)
                ),
                inspector.get_pk_constraint(table)["constrained_columns"],
                sorted(
                    (index["name"] or "", index["column_names"], index["unique"])
                    for index in inspector.get_indexes(table)
                ),
                sorted(
                    (key["constrained_columns"], key["referred_table"])
                    for key in inspector.get_foreign_keys(table)
                ),
            )
            for table in sorted(inspector.get_table_names())
            if table != "alembic_version"
        }


@pytest.mark.parametrize("revision", REVISIONS)
def test_each_former_version_becomes_the_present_one(settings: Settings, revision: str):
    upgrade(settings, revision)
    with connect(settings).begin() as connection:
        connection.exec_driver_sql(
            "insert into decisions (decision_id, account_name, decision, decided_by, decided_at, "
            "patch) values ('dec_1', 'sleepy', 'revert', 'ann', '2026-11-20 09:30:00', '[]')"
        )

    with reading_state(settings):
        pass

    assert [row["decision_id"] for row in decision_rows(settings)] == ["dec_1"]
    with connect(settings).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_migrations_make_what_the_code_declares(settings: Settings, tmp_path: Path):
    declared = Settings(home=tmp_path / "declared")
    declared.warehouse_dir.mkdir(parents=True)
    with connect(declared).begin() as connection:
        metadata.create_all(connection)

    upgrade(settings, "head")

    assert structure(settings) == structure(declared)


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    upgrade(settings, "0005")
    before = structure(settings)

    def fail(config: Config, revision: str) -> None:
        command_upgrade(config, "0009")
        raise RuntimeError(revision)

    command_upgrade = command.upgrade
    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(RuntimeError), reading_state(settings):
        pass

    assert structure(settings) == before


def test_a_database_without_our_tables_holds_nothing(settings: Settings):
    assert not state_exists(settings)
    with reading_state(settings):
        pass
    assert state_exists(settings)
