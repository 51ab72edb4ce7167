"""What is said for and against a post is worked out again from the marts' own numbers."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.learn.findings import OUTCOME_WORDS, confidence_of
from pipeline.measure.dbt_runs import DBT_PROJECT
from pipeline.settings import Settings

pytestmark = pytest.mark.slow

CAUSES = {
    "views": "reach", "first_day_views": "reach", "engagement": "reach", "save_rate": "saving",
    "share_rate": "sharing", "engagement_rate": "response", "comments_per_like": "conversation",
    "late_views": "staying_power",
}  # fmt: skip
HOURS = {"7d": 168, "72h": 72, "24h": 24}
Row = dict[str, Any]
Key = tuple[str, str, str]


@pytest.fixture(scope="module")
def connection(built_world: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A built world with planted effects."""
    with duckdb.connect(str(built_world.database_path), read_only=True) as opened:
        yield opened


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    cursor = connection.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


@pytest.fixture(scope="module")
def factors(connection: duckdb.DuckDBPyConnection) -> list[Row]:
    return _rows(connection, "select * from marts.fct_post_factor")


def _key(row: Row) -> Key:
    return row["account_name"], row["platform"], row["post_id"]


def _figures(post: Row, age: str) -> dict[str, tuple[float, float | None]]:
    """Events of each own figure at an age, and what they are divided by."""
    views, likes = post[f"view_{age}"], post[f"like_{age}"]
    found: dict[str, tuple[float | None, float | None]] = {
        "save_rate": (post[f"save_{age}"], views),
        "share_rate": (post[f"share_{age}"], views),
        "engagement_rate": (post[f"engagement_{age}"], views),
        "comments_per_like": (post[f"comment_{age}"], likes),
    }
    known: dict[str, tuple[float, float | None]] = {
        name: (over, per) for name, (over, per) in found.items() if over is not None and per
    }
    if views is not None:
        known["views"] = (views, None)
    elif post[f"engagement_{age}"] is not None:
        known["engagement"] = (post[f"engagement_{age}"], None)
    if age == "24h" and views is not None:
        known["first_day_views"] = (views, None)
    return known


def _value(over: float, per: float | None) -> float:
    return over if per is None else over / per


def _unusual(posts: list[Row]) -> dict[tuple[Key, str], float]:
    """Ratio to the usual of each own figure that stands out, by post and figure."""
    values: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    for post in posts:
        for age in HOURS:
            for name, (over, per) in _figures(post, age).items():
                group = (post["account_name"], post["platform"], name, age)
                values[group].append(_value(over, per))
    found = {}
    for post in posts:
        compared: set[str] = set()
        for age in HOURS:
            for name, (over, per) in _figures(post, age).items():
                peers = values[post["account_name"], post["platform"], name, age]
                usual = float(np.median(peers))
                if len(peers) < 10 or usual == 0 or name in compared:
                    continue
                compared.add(name)
                low, high = np.quantile(peers, [0.1, 0.9])
                value = _value(over, per)
                error = math.sqrt(1 / (over + 0.5) + (1 / (per + 0.5) if per else 0))
                careful = _value(over + 0.5, None if per is None else per + 0.5) / usual
                sure = abs(math.log(careful)) >= 1.645 * error
                if sure and ((value > high and careful > 1) or (value < low and careful < 1)):
                    found[_key(post), name] = value / usual
    return found


def test_there_are_factors_of_every_kind(factors: list[Row]) -> None:
    kinds = {(row["kind"], row["cause"]) for row in factors}

    assert {
        (kind, cause) for kind in ("success", "failure") for cause in ("reach", "saving")
    } < kinds
    assert ("success", "form") in kinds
    assert len(factors) > 200


def test_one_cause_of_a_kind_is_told_once(factors: list[Row]) -> None:
    keys = [(*_key(row), row["kind"], row["cause"]) for row in factors]

    assert len(keys) == len(set(keys))


def test_every_own_figure_that_stands_out_is_told_and_no_other(
    connection: duckdb.DuckDBPyConnection, factors: list[Row]
) -> None:
    posts = _rows(
        connection, "select * from marts.fct_post_performance where is_ad is distinct from true"
    )
    unusual = _unusual(posts)
    told = {(_key(row), row["factor_type"]): row for row in factors if row["segment"] is None}

    for place, row in told.items():
        if row["factor_type"] == "late_views":
            continue
        assert row["impact"] + 1 == pytest.approx(unusual[place], abs=1e-6)
        assert row["kind"] == ("success" if unusual[place] > 1 else "failure")
        assert row["n"] >= 10
        assert not row["usual_low"] <= row["value"] <= row["usual_high"]
        assert row["impact_low"] <= row["impact_high"]
        assert row["impact_low"] > 0 or row["impact_high"] < 0
    causes = {(*_key(row), row["kind"], row["cause"]) for row in factors if row["segment"] is None}
    singles = {(*key, "success" if ratio > 1 else "failure", CAUSES[name])
               for (key, name), ratio in unusual.items()}  # fmt: skip
    hidden = {
        place
        for place in singles
        if place[4] == "response"
        and any((*place[:4], one) in singles for one in ("saving", "sharing", "conversation"))
    }
    assert {place for place in causes if place[4] != "staying_power"} == singles - hidden


def test_every_clear_effect_is_told_of_its_unpaid_posts_and_no_other(
    connection: duckdb.DuckDBPyConnection, factors: list[Row]
) -> None:
    effects = {
        (
            row["account_name"],
            row["platform"],
            row["dimension"],
            row["segment"],
            row["outcome"],
        ): row
        for row in _rows(
            connection,
            "select * from stats.segment_effects "
            "where verdict in ('better', 'worse') and account_name <> '*'",
        )
    }
    of_segments = [row for row in factors if row["segment"] is not None]
    for row in of_segments:
        effect = effects[
            row["account_name"], row["platform"], row["factor_type"], row["segment"], row["outcome"]
        ]
        assert row["kind"] == ("success" if effect["verdict"] == "better" else "failure")
        assert row["impact"] == pytest.approx(effect["effect"] - 1)
        assert row["n"] == effect["n"]
        assert row["confidence"] == confidence_of(
            effect=effect["effect"], n=effect["n"], probability_better=effect["probability_better"]
        )
    posts = {
        (row["account_name"], row["platform"], row["dimension"], row["segment"]): row["posts"]
        for row in _rows(
            connection,
            "select account_name, platform, dimension, segment, list(post_id) as posts "
            "from intermediate.int_post_segments group by all",
        )
    }
    paid = {_key(row) for row in _rows(connection, "select * from marts.dim_post where is_ad")}
    told = {(*_key(row), row["kind"]) for row in of_segments}
    for account, platform, dimension, segment, outcome in effects:
        verdict = effects[account, platform, dimension, segment, outcome]["verdict"]
        kind = "success" if verdict == "better" else "failure"
        for post_id in posts[account, platform, dimension, segment]:
            key = (account, platform, post_id)
            assert ((*key, kind) in told) == (key not in paid)


def test_a_sentence_holds_the_figures_that_stand_beside_it(factors: list[Row]) -> None:
    for row in factors:
        numbers = [float(one.replace(",", "")) for one in
                   re.findall(r"(?<![\w-])\d[\d,]*(?:\.\d+)?", row["description"])]  # fmt: skip
        for figure in (row["impact"] + 1, row["impact_low"] + 1, row["impact_high"] + 1, row["n"]):
            assert any(abs(figure - number) <= 0.0051 for number in numbers), row["description"]
        assert "90 % interval" in row["description"]
        assert row["platform"] in row["description"] or row["segment"] is None


def test_the_words_of_outcomes_are_those_of_findings() -> None:
    text = (DBT_PROJECT / "macros" / "factors.sql").read_text(encoding="utf-8")
    words = dict(re.findall(r"when '(\w+)' then '(\w+(?: \w+)* at \w+ \w+)'", text))

    assert {name: words.get(name) for name in OUTCOME_WORDS} == OUTCOME_WORDS
