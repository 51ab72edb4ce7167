"""Only a wholly green build is published, as a whole."""

from pathlib import Path

import pytest

from pipeline.accounts import add_account
from pipeline.clients.warehouse import published_version, reading, writing
from pipeline.collect.raw import load_raw
from pipeline.errors import BuildFailedError
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with one account and a first, green build."""
    home = Settings(home=tmp_path_factory.mktemp("build"))
    add_account(home.accounts_dir, "a", timezone="UTC", platform_profiles={"tiktok": "a"})
    load_raw(home)
    build_models(home)
    build_statistics(home)
    publish_build(home)
    return home


def test_a_failing_data_test_publishes_nothing_and_says_which(settings: Settings) -> None:
    before = published_version(settings)
    with writing(settings, "test") as connection:
        connection.execute(
            "insert into raw.post_labels "
            "select 'a', 'tiktok', '1', 'format', 'x', 'rule' from range(2)"
        )
    try:
        with pytest.raises(BuildFailedError, match="one_row_per_raw_post_labels"):
            build_models(settings)
        with pytest.raises(BuildFailedError, match="one complete build"):
            build_statistics(settings)
        with pytest.raises(BuildFailedError, match="one complete build"):
            publish_build(settings)
        assert published_version(settings) == before
    finally:
        # Nothing that the program does writes such rows, so no load looks for them.
        with writing(settings, "test") as connection:
            connection.execute("delete from raw.post_labels")


def test_statistics_of_an_older_build_are_made_again_before_publishing(
    settings: Settings,
) -> None:
    build_models(settings)
    with writing(settings, "test") as connection:
        statistics_of = connection.execute("select build_id from stats.build_info").fetchone()
        models_of = connection.execute("select build_id from stats.model_build").fetchone()
    assert statistics_of != models_of

    publish_build(settings)
    with reading(settings) as connection:
        build_id, version = connection.execute(
            "select build_id, warehouse_version from stats.build_info"
        ).fetchall()[0]
    assert (build_id,) == models_of
    assert version == published_version(settings)


def test_every_model_of_a_build_is_in_the_published_copy(settings: Settings) -> None:
    with reading(settings) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'marts'"
            ).fetchall()
        }
    models = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"

    assert tables == {path.stem for path in models.rglob("*.sql")}
