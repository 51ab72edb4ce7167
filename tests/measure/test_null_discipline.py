"""A number that nobody published is nowhere: not as zero, not in a rate, not in any table."""

import re
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
import yaml

from pipeline.clients.table_exports import ExportFormat, export_tables
from pipeline.clients.warehouse import publish, writing
from pipeline.collect.raw import load_raw
from pipeline.errors import BuildFailedError
from pipeline.measure import dbt_runs, refreshes
from pipeline.measure.build import build_models, build_statistics
from pipeline.measure.statistics_tables import prepare_statistics_tables
from pipeline.settings import Settings
from pipeline.simulate.world import build_world
from tests.end_to_end.fingerprints import without_data_tests
from tests.end_to_end.small_world import landed_home

PROJECT = dbt_runs.DBT_PROJECT
ZERO_TEST = "assert_no_missing_metric_is_made_zero"
IMAGE_TEST = "assert_images_have_no_view_rates"

_RATES = r"(?:^|_)(?:save|share|engagement)_rate(?!_followers)"
COLUMNS_OF = {
    "save_count": re.compile(r"(?:^|_)saves?(?:_|$)"),
    "view_count": re.compile(rf"(?:^|(?<!video)_)views?(?:_|$)|{_RATES}"),
    "all": re.compile(
        r"(?:^|_)(?:views?|likes?|comments?|saves?|reposts?|engagement)(?:_(?!count_total)|$)"
        rf"|(?:^|_)share_(?:count|24h|72h|7d|28d)|{_RATES}|^score$|outlier"
    ),
}
"""Which columns, and which metrics or outcomes named in a row, stand on a metric."""

_COUNTS_OF_POSTS = re.compile(r"^(?:n|account_n|peer_count)$|(?:^|_)posts?_count|_n$|^n_")
_NOT_SCRAPED = re.compile(r"^native_|^(?:is|has)_|_definition_id$|_(?:at|hours)$")
_NAMES_OF_METRICS = ("metric", "outcome", "figure", "factor_type")


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small world, loaded and not yet built."""
    settings = landed_home(tmp_path_factory.mktemp("nulls"), build_world(seed=3), every=6)
    load_raw(settings)
    return settings


def _copy(settings: Settings, folder: Path) -> Settings:
    shutil.copytree(settings.accounts_dir, folder / "accounts")
    (folder / "warehouse").mkdir()
    copy = Settings(home=folder)
    shutil.copyfile(settings.database_path, copy.database_path)
    return copy


def _project(folder: Path) -> Path:
    return Path(shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs")))


def _project_without(folder: Path, metric: str) -> Path:
    project = _project(folder)
    seed = project / "seeds" / "metric_availability.csv"
    header, *lines = seed.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if metric != "all" and line.split(",")[2] != metric]
    assert len(kept) < len(lines)
    # A seed without rows has no types to guess from: the header keeps one that matches nothing.
    kept = kept or ["none,none,none,2005-01-01,9999-12-31,none,none"]
    seed.write_text("\n".join([header, *kept]) + "\n", encoding="utf-8")
    return project


def _built(settings: Settings, project: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    _use(project, monkeypatch)
    build_models(settings)
    build_statistics(settings)
    return settings


def _use(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dbt_runs, refreshes):
        monkeypatch.setattr(module, "DBT_PROJECT", project)


def _columns(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str, list[str]]]:
    """Each column of the marts and statistics: its table, its name, the table's columns."""
    tables = connection.execute(
        "select table_schema || '.' || table_name, list(column_name order by ordinal_position) "
        "from information_schema.columns where table_schema in ('marts', 'stats') "
        "group by all order by all"
    ).fetchall()
    for table, columns in tables:
        for column in columns:
            yield table, column, columns


def _what_is_a_leak(column: str) -> str:
    if _COUNTS_OF_POSTS.search(column):
        return "<> 0"
    return "<> 'not_enough_data'" if column.endswith("_verdict") else "is not null"


def leaks(database: Path, metric: str) -> list[str]:
    """Columns that hold a number, and rows that name an outcome, of a metric nobody published."""
    pattern = COLUMNS_OF[metric]
    found = []
    with duckdb.connect(str(database), read_only=True) as connection:
        for table, column, columns in _columns(connection):
            if column in _NAMES_OF_METRICS:
                # Regular expressions of DuckDB know no lookahead.
                named = connection.execute(f"select distinct {column} from {table}").fetchall()
                names = [name for (name,) in named if name and pattern.search(name)]
                numbers = [
                    f'"{one}" is not null'
                    for one in columns
                    if re.search(r"^value|median|^effect|ratio|impact|expected|mean", one)
                ] or ["true"]
                where = f"{column} in (select unnest(?)) and ({' or '.join(numbers)})"
                parameters: list[object] = [names]
            elif pattern.search(column) and not _NOT_SCRAPED.search(column):
                where = f'"{column}" {_what_is_a_leak(column)}'
                parameters = []
            else:
                continue
            if connection.execute(
                f"select 1 from {table} where {where} limit 1", parameters
            ).fetchone():
                found.append(f"{table}.{column}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["save_count", "view_count"])
def test_a_metric_that_is_not_published_is_null_in_every_table_downstream(
    loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: str
) -> None:
    settings = _copy(loaded, tmp_path / "home")
    if metric == "save_count":
        # What was built while the metric was published must not stay.
        _built(settings, PROJECT, monkeypatch)
        assert len(leaks(settings.database_path, metric)) >= 8
    _built(settings, _project_without(tmp_path / "dbt", metric), monkeypatch)

    assert leaks(settings.database_path, metric) == []
    with writing(settings, "test") as connection:
        counted = connection.execute(
            "select count(*), count(like_count), count(score) from marts.fct_post_performance"
        ).fetchall()[0]
        assert min(counted) > 100, "the other metrics are still there"
        # The walk itself sees a number where there is one.
        connection.execute(
            f"create table marts.leaky as select 7 as {metric.removesuffix('_count')}_7d_median"
        )
        connection.execute("create table marts.leaky_rows as select 'x' as outcome, 7 as value")
        connection.execute(f"update marts.leaky_rows set outcome = '{metric}_7d'")
    assert leaks(settings.database_path, metric) == [
        f"marts.leaky.{metric.removesuffix('_count')}_7d_median",
        "marts.leaky_rows.outcome",
    ]


_RAW_COUNTS = (
    "playCount", "diggCount", "commentCount", "shareCount", "collectCount", "repostCount",
    "videoPlayCount", "videoViewCount", "likesCount", "commentsCount",
)  # fmt: skip


@pytest.mark.slow
def test_nothing_depends_on_numbers_that_are_not_published(
    loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other numbers in the payloads change no byte of any table when none may be used."""
    project = _project_without(tmp_path / "dbt", "all")
    as_scraped = _copy(loaded, tmp_path / "as_scraped")
    changed = _copy(loaded, tmp_path / "changed")
    with writing(changed, "test") as connection:
        patch = "{" + ", ".join(f'"{name}": 987654' for name in _RAW_COUNTS) + "}"
        connection.execute(
            "update raw.scrape_items set payload = json_merge_patch(payload, ?) "
            # -1 is no number but a word: the author hides the likes.
            "where item_kind = 'post' "
            "and json_extract_string(payload, '$.likesCount') is distinct from '-1'",
            [patch],
        )
    exported = []
    for settings in (as_scraped, changed):
        with without_data_tests() if settings is changed else nullcontext():
            _built(settings, project, monkeypatch)
        publish(settings, "v1")
        files = export_tables(settings, settings.home / "out", export_format=ExportFormat.CSV)
        exported.append({file.table: file.path.read_bytes() for file in files})

    assert leaks(as_scraped.database_path, "all") == []
    assert exported[0].keys() == exported[1].keys()
    assert [name for name in exported[0] if exported[0][name] != exported[1][name]] == []


@pytest.mark.slow
def test_instagrams_images_have_no_number_of_views_in_any_table(
    loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instagram rows of images alone, each with plays that a scraper made up."""
    settings = _copy(loaded, tmp_path / "home")
    with writing(settings, "test") as connection:
        connection.execute(
            "delete from raw.scrape_items where platform <> 'instagram' or item_kind = 'post' "
            "and json_extract_string(payload, '$.type') is distinct from 'Image' "
            "and json_extract_string(payload, '$.type') is distinct from 'Sidecar'"
        )
        connection.execute(
            "update raw.scrape_items set payload = json_merge_patch(payload, "
            """'{"videoPlayCount": 900, "videoViewCount": 800, "shareCount": 3}') """
            "where item_kind = 'post'"
        )
    _built(settings, PROJECT, monkeypatch)

    assert leaks(settings.database_path, "view_count") == []
    with writing(settings, "test") as connection:
        media_types = connection.execute(
            "select distinct media_type from marts.dim_post order by all"
        ).fetchall()
        segments = connection.execute(
            "select count(*) from stats.segment_effects where outcome like 'engagement_7d'"
        ).fetchall()
    assert media_types == [("carousel",), ("image",)]
    assert segments[0][0] > 0


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(home=tmp_path_factory.mktemp("empty"))
    load_raw(settings)
    with writing(settings, "prepare") as connection:
        prepare_statistics_tables(connection)
    return settings


def _run(settings: Settings, *arguments: str) -> None:
    result = dbt_runs._invoke([*arguments, *dbt_runs._common_arguments(settings)], None)
    nodes = list(getattr(result.result, "results", None) or [])
    failed = [node for node in nodes if str(node.status) in ("error", "fail")]
    if failed or not result.success:
        raise BuildFailedError("; ".join(f"{n.node.name} {n.message}" for n in failed))
    assert nodes, "no test ran"


MADE_UP = (
    "coalesce(posts.like_count, 0)",
    "coalesce( view_7d , 0.0 )",
    "ifnull({{ metric }}_count, 0)",
    "coalesce(view_{{ age }}, 0)",
    "coalesce(max(save_count), 0)",
    "coalesce(share_rate, share_24h, 0)",
    "coalesce(follower_count_at_posting, 0)",
    "case when comment_count is null then 0 else comment_count end",
    "coalesce(\n        engagement_rate_views,\n        0\n    )",
    "coalesce(native_impressions, 0)",
)
HARMLESS = (
    "coalesce(is_view_count_lower, false)",
    "nullif(coalesce(view_24h, like_24h), 0)",
    "coalesce(post_count, 0)",
    "case when missed.missed_listing_count is null then 0 else 1 end",
    "coalesce(share_of_posts, 0)",
    "1 -- coalesce(like_count, 0)",
)


@pytest.mark.slow
def test_the_dbt_test_finds_every_way_to_make_a_zero_and_nothing_else(
    empty_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(tmp_path / "dbt")
    _use(project, monkeypatch)
    _run(empty_home, "test", "--select", ZERO_TEST)

    folder = project / "models" / "intermediate"
    loops = "{% set metric = 'like' %}{% set age = '7d' %}"
    for prefix, written in (("fine", HARMLESS), ("wrong", MADE_UP)):
        for number, expression in enumerate(written):
            (folder / f"{prefix}_{number}.sql").write_text(
                f"{loops}select {expression}\nas value from nowhere", encoding="utf-8"
            )
    with pytest.raises(BuildFailedError, match=ZERO_TEST) as raised:
        _run(empty_home, "test", "--select", ZERO_TEST)
    assert f"Got {len(MADE_UP)} results" in str(raised.value)


@pytest.mark.slow
def test_the_dbt_test_finds_a_view_rate_of_an_image(
    loaded: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = _project(tmp_path / "dbt")
    seed = project / "seeds" / "metric_availability.csv"
    lines = "instagram,image,view_count,2005-01-01,9999-12-31,made_up,exact\n"
    seed.write_text(seed.read_text(encoding="utf-8") + lines, encoding="utf-8")
    settings = _copy(loaded, tmp_path / "home")
    with writing(settings, "test") as connection:
        connection.execute(
            "update raw.scrape_items set payload = json_merge_patch(payload, "
            "'{\"videoPlayCount\": 900}') where platform = 'instagram' and item_kind = 'post'"
        )
    _use(project, monkeypatch)

    with pytest.raises(BuildFailedError, match=IMAGE_TEST):
        build_models(settings)


def test_the_image_test_reads_every_mart_with_numbers_of_single_posts() -> None:
    text = (PROJECT / "tests" / f"{IMAGE_TEST}.sql").read_text(encoding="utf-8")
    listed = re.search(r"set post_tables = \[(.*?)\]", text, re.DOTALL)
    assert listed is not None
    with_views = set()
    for path in sorted((PROJECT / "models" / "marts").rglob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for model in document.get("models", []):
            names = [column["name"] for column in model["columns"]]
            if "post_id" in names and any(
                COLUMNS_OF["view_count"].search(name) and not _NOT_SCRAPED.search(name)
                for name in names
            ):
                with_views.add(model["name"])

    assert set(re.findall(r"'(\w+)'", listed.group(1))) == with_views
