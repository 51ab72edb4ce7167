"""A source that breaks is named with its day, and nothing is learned from what it told since."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from pipeline.clients.warehouse import reading
from pipeline.collect.raw import load_raw
from pipeline.defs.checks import data_checks
from pipeline.learn.predict.warehouse_features import Target, read_knowledge
from pipeline.measure.broken_counts import BROKEN_POSTS
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.measure.data_checks import DATA_CHECKS, offending_rows
from pipeline.settings import Settings
from tests.made_once import made_once
from tests.measure.coded_posts import (
    COUNTS,
    ID,
    TIME,
    Line,
    import_lines,
    posted_at,
    read_lines,
    write_lines,
)

CODED = sorted(
    (Path(__file__).parents[2].parent / "shared" / "data" / "popularity").glob(
        "tiktok_news_content_coded_*.csv"
    )
)
CODED_BREAK = date(2023, 7, 11)
CODED_SINCE = date(2023, 3, 1)
"""Earlier posts tell the check nothing more."""
needs_the_file = pytest.mark.skipif(
    not CODED, reason="the coded posts of newsrooms are not beside the repository"
)

BREAK = date(2026, 3, 14)
MENDED_BREAK, MENDED = date(2026, 2, 2), date(2026, 2, 27)
FIRST = datetime(2026, 1, 5, 6, tzinfo=UTC)
DAY_COUNT = 90
CHECK = next(check for check in DATA_CHECKS if check.name == "counts_are_possible")


def _table(*, seed: int, break_on: date | None, mended_on: date = date.max) -> list[Line]:
    """Two or three posts a day, of which one in fifty is impossible without any fault."""
    generator = np.random.default_rng(seed)
    lines: list[Line] = []
    for place in range(DAY_COUNT * 5 // 2):
        moment = FIRST + timedelta(hours=place * 24 / 2.5)
        views = int(generator.lognormal(9, 1))
        likes = int(views * generator.uniform(0.02, 0.2))
        if generator.random() < 0.02:
            views = likes // 2
        shares = views // 100
        if break_on is not None and break_on <= moment.date() < mended_on:
            # As a source does that takes the views of the first hour for those of all time.
            views, shares = int(views * generator.uniform(0.001, 0.03)), 0
        lines.append(
            {
                ID: str((int(moment.timestamp()) << 32) + place),
                TIME: f"{moment:%Y-%m-%d %H:%M:%S}",
                **dict(zip(COUNTS, map(str, (likes, views, likes // 50, shares)), strict=True)),
            }
        )
    return lines


def _make_home(home: Path) -> None:
    settings = Settings(home=home)
    tables = {
        "broken": _table(seed=20260314, break_on=BREAK),
        "healthy": _table(seed=20260314, break_on=None),
        "mended": _table(seed=20260202, break_on=MENDED_BREAK, mended_on=MENDED),
    }
    for name, lines in tables.items():
        write_lines(home / f"{name}.csv", lines)
        import_lines(settings, name, read_lines(home / f"{name}.csv"))
    if CODED:
        import_lines(settings, "coded", _coded_lines())
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)


def _coded_lines() -> list[Line]:
    return [line for line in read_lines(CODED[0]) if posted_at(line).date() >= CODED_SINCE]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=made_once(tmp_path_factory, "broken_counts", _make_home))


@pytest.fixture(scope="module")
def found(home: Settings) -> dict[str, dict[str, Any]]:
    """What the check found, by account."""
    with reading(home) as connection:
        _, rows = offending_rows(connection, CHECK)
    return {row["account_name"]: dict(row) for row in rows}


def test_the_check_names_account_platform_day_and_what_is_impossible(
    found: dict[str, dict[str, Any]],
) -> None:
    row = found["broken"]

    assert row["from_date"] == BREAK.isoformat()
    assert row["until_date"] is None
    assert row["relations"] == "like_count > view_count"
    assert row["message"] == (
        f"broken on tiktok: likes exceed views in {row['impossible_n']} of {row['n']} posts from "
        "2026-03-14 on, which cannot be."
    )
    assert row["n"] == sum(
        posted_at(line).date() >= BREAK for line in _table(seed=20260314, break_on=BREAK)
    )


def test_single_impossible_posts_are_no_break(found: dict[str, dict[str, Any]]) -> None:
    healthy = _table(seed=20260314, break_on=None)
    likes, views = list(COUNTS)[:2]

    assert sum(int(line[likes]) > int(line[views]) for line in healthy) >= 3
    assert "healthy" not in found


def test_a_break_that_was_mended_has_an_end_and_later_posts_are_learned_from(
    home: Settings, found: dict[str, dict[str, Any]]
) -> None:
    row = found["mended"]
    known = _known_days(home, "mended", Target.VIEWS)

    assert (row["from_date"], row["until_date"]) == (MENDED_BREAK.isoformat(), MENDED.isoformat())
    assert "posts from 2026-02-02 to 2026-02-26, which cannot be." in row["message"]
    assert not any(known[day] for day in known if MENDED_BREAK <= day < MENDED)
    assert all(known[day] for day in known if day >= MENDED)


def test_the_counts_stand_as_they_were_observed(home: Settings) -> None:
    with reading(home) as connection:
        stored = dict(
            connection.execute(
                "select post_id, any_value((like_count, view_count, comment_count, share_count)) "
                "from marts.fct_snapshot where account_name = 'broken' group by post_id"
            ).fetchall()
        )
    assert stored == {
        line[ID]: tuple(int(line[name]) for name in COUNTS)
        for line in _table(seed=20260314, break_on=BREAK)
    }


def _known_days(home: Settings, account_name: str, target: Target) -> dict[date, bool]:
    """By day of publication, whether an outcome can be learned from."""
    with reading(home) as connection:
        knowledge = read_knowledge(connection, "test")
        days = dict(
            connection.execute(
                "select post_id, local_date from marts.dim_post where account_name = ?",
                [account_name],
            ).fetchall()
        )
    known: dict[date, bool] = {}
    for account, post_id, value in zip(
        knowledge.account, knowledge.post_id, knowledge.outcomes[target], strict=True
    ):
        if account == account_name:
            day = days[str(post_id)]
            known[day] = known.get(day, False) or bool(np.isfinite(value))
    return known


@pytest.mark.parametrize("target", list(Target))
def test_nothing_is_learned_from_posts_of_the_day_and_later(home: Settings, target: Target) -> None:
    known = _known_days(home, "broken", target)

    assert not any(is_known for day, is_known in known.items() if day >= BREAK)
    assert all(is_known for day, is_known in known.items() if day < BREAK - timedelta(days=2))
    assert sum(day < BREAK for day in known) > 60
    assert all(_known_days(home, "healthy", target).values())


def test_dagster_says_the_sentence_and_stops_nothing(home: Settings) -> None:
    (check,) = [one for one in data_checks if one.check_key.name == CHECK.name]
    result = check(settings=home)

    assert isinstance(result, dg.AssetCheckResult)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.WARN
    assert not check.get_spec_for_check_key(check.check_key).blocking
    assert "broken on tiktok: likes exceed views" in str(result.description)


@needs_the_file
def test_the_day_on_which_a_real_source_broke_is_named(found: dict[str, dict[str, Any]]) -> None:
    row = found["coded"]
    later = sum(posted_at(line).date() >= CODED_BREAK for line in _coded_lines())

    assert row["from_date"] == CODED_BREAK.isoformat()
    assert row["until_date"] is None
    assert row["message"].startswith("coded on tiktok: likes exceed views in ")
    assert row["message"].endswith("posts from 2023-07-11 on, which cannot be.")
    assert later - 10 <= row["n"] <= later
    assert row["impossible_n"] > 0.9 * row["n"]


@needs_the_file
def test_exactly_the_posts_of_the_real_break_are_left_out_of_training(home: Settings) -> None:
    known = _known_days(home, "coded", Target.VIEWS)
    with reading(home) as connection:
        days = {
            day
            for (day,) in connection.execute(
                f"select local_date from marts.dim_post where account_name = 'coded' "
                f"and (account_name, platform, post_id) in ({BROKEN_POSTS})"
            ).fetchall()
        }

    assert days == {day for day in known if day >= CODED_BREAK}
    assert not any(is_known for day, is_known in known.items() if day >= CODED_BREAK)
    assert sum(known.values()) > 120
    assert all(is_known for day, is_known in known.items() if day < CODED_BREAK)
