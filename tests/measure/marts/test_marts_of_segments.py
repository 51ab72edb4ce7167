"""Marts by segment, against figures recomputed from a simulated world's posts by other means."""

import math
from collections import defaultdict
from pathlib import Path

import duckdb
import numpy as np
import pytest

from pipeline.measure import effects, pareto
from tests.measure.marts.worlds import (
    OUTCOMES,
    QUIET_ACCOUNT,
    UNTESTED_FORMAT,
    Rows,
    log_outcome,
    posts_of,
    rows_of,
)

pytestmark = pytest.mark.slow

NOT_A_BOUND = ("follower", "quartile", "newest")


def test_a_pillars_shares_are_those_of_its_posts(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    marts = rows_of(warehouse, "select * from marts.mart_pillar_performance")
    assert len(marts) >= 20
    for mart in marts:
        account = posts_of(posts, mart["account_name"], mart["platform"])
        own = [p for p in account if p["pillar"] == mart["pillar"]]
        engagement = [p["engagement_7d"] for p in own if p["engagement_7d"] is not None]
        everything = [p["engagement_7d"] for p in account if p["engagement_7d"] is not None]
        assert (mart["post_count"], mart["post_count_engagement_7d"]) == (len(own), len(engagement))
        assert mart["share_of_posts"] == pytest.approx(len(own) / len(account))
        assert mart["share_of_engagement_7d"] == pytest.approx(sum(engagement) / sum(everything))
        assert mart["engagement_7d_median"] == pytest.approx(np.median(engagement))
        if mart["engagement_lift"] is not None:
            assert mart["engagement_lift"] == pytest.approx(
                np.mean(engagement) / np.mean(everything)
            )


def test_the_planted_dead_weight_is_named_and_the_quiet_account_has_none(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    verdicts = {
        (row["account_name"], row["platform"], row["pillar"]): row["weight_verdict"]
        for row in rows_of(warehouse, "select * from marts.mart_pillar_performance")
    }
    dead = {key for key, verdict in verdicts.items() if verdict == "dead_weight"}

    carrying = {key for key, verdict in verdicts.items() if verdict == "carries"}
    # Two accounts make a pillar that is seen half as often as the others, and another one that is
    # seen nearly twice as often.
    assert ("mymomskills", "tiktok", "baby_products") in dead
    assert {pillar for _, _, pillar in dead} == {"baby_products"}
    assert {pillar for _, _, pillar in carrying} <= {"tantrum_management", "sleep_routines"}
    assert not {key for key in dead | carrying if key[0] == QUIET_ACCOUNT}


def test_segment_marts_show_the_effects_of_the_same_build(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    for dimension in ("format", "pillar", "topic", "cta", "hook_style"):
        mart = "hook" if dimension == "hook_style" else dimension
        for outcome in OUTCOMES:
            counted = warehouse.execute(
                f"""
                select count(*), count(effects.effect), count_if(
                    marts.{outcome}_effect is distinct from effects.effect
                    or marts.{outcome}_effect_low is distinct from effects.effect_low
                    or marts.{outcome}_effect_high is distinct from effects.effect_high
                    or marts.{outcome}_q_value is distinct from effects.q_value
                    or marts.{outcome}_null_best is distinct from effects.null_best
                    or marts.{outcome}_verdict is distinct from effects.verdict
                    or marts.{outcome}_n is distinct from effects.n)
                from marts.mart_{mart}_performance as marts
                inner join stats.segment_effects as effects
                    on effects.account_name = marts.account_name
                    and effects.platform = marts.platform
                    and effects.dimension = '{dimension}' and effects.outcome = '{outcome}'
                    and effects.segment = marts.{dimension}
                """
            ).fetchone()
            assert counted is not None
            assert counted[0] > 0
            assert counted[2] == 0
            assert counted[1] > 0 or dimension == "topic"


def test_no_value_lies_outside_of_its_own_interval(warehouse: duckdb.DuckDBPyConnection) -> None:
    columns: dict[str, set[str]] = defaultdict(set)
    for table, column in warehouse.execute(
        "select table_name, column_name from duckdb_columns() "
        "where schema_name = 'marts' and table_name like 'mart_%'"
    ).fetchall():
        columns[table].add(column)
    checked = 0
    for table, names in sorted(columns.items()):
        for low in sorted(name for name in names if name.endswith("_low")):
            point, high = low.removesuffix("_low"), low.removesuffix("_low") + "_high"
            if point not in names or any(word in low for word in NOT_A_BOUND):
                continue
            outside = warehouse.execute(
                f"select count(*) from marts.{table} where {low} > {point} + 1e-9 "
                f"or {high} < {point} - 1e-9 or ({point} is not null and ({low} > {high}))"
            ).fetchone()
            assert outside == (0,), (table, low)
            checked += 1
    assert checked >= 40


def test_a_time_is_never_told_by_a_bare_cell(warehouse: duckdb.DuckDBPyConnection) -> None:
    cells = rows_of(warehouse, "select * from marts.mart_timing")
    assert len(cells) > 200
    for cell in cells:
        assert (cell["cell_effect"] is None) or cell["n"] >= 8
        if cell["weekday_effect"] is not None and cell["daypart_effect"] is not None:
            together = cell["weekday_effect"] * cell["daypart_effect"]
            low, high = cell["pooled_effect_low"], cell["pooled_effect_high"]
            assert cell["pooled_effect"] == pytest.approx(min(max(together, low), high), rel=1e-6)
        else:
            assert (cell["pooled_effect"], cell["verdict"]) == (None, "not_enough_data")
    assert {cell["verdict"] for cell in cells if cell["account_name"] == QUIET_ACCOUNT} <= {
        "no_clear_difference",
        "not_enough_data",
    }


def test_what_is_listed_and_never_made_is_untested(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = rows_of(warehouse, "select * from marts.mart_exploration where dimension = 'format'")
    status = {(r["account_name"], r["platform"], r["segment"]): r["status"] for r in rows}

    assert status["mymomskills", "tiktok", UNTESTED_FORMAT] == "untested"
    # It was dropped five weeks before the end.
    assert status["mymomskills", "tiktok", "boring_habits"] == "long_unused"
    assert status["dreamtimelullabies", "tiktok", "boring_habits"] == "in_use"
    shares: dict[tuple[str, str], float] = defaultdict(float)
    for row in rows:
        shares[row["account_name"], row["platform"]] += row["recent_share"]
    assert all(share == pytest.approx(1) for share in shares.values())


def test_saves_and_shares_are_unclassified_where_the_platform_shows_neither(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    rows = rows_of(warehouse, "select * from marts.mart_save_vs_share")
    found = {
        (r["account_name"], r["platform"], r["dimension"], r["segment"]): r["classification"]
        for r in rows
    }
    assert {kind for key, kind in found.items() if key[1] == "instagram"} == {"unclassified"}
    # Planted: scripts are saved 1.7 times as often, boring_habits passed on 1.5 times as often.
    assert found["dreamtimelullabies", "tiktok", "format", "scripts"] == "high_save"
    assert found["dreamtimelullabies", "tiktok", "format", "boring_habits"] == "high_share"
    quiet = {kind for key, kind in found.items() if key[0] == QUIET_ACCOUNT}
    assert quiet <= {"neither", "unclassified", "not_enough_data"}


def test_accounts_stand_side_by_side_with_what_they_have_in_common(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    rows = rows_of(
        warehouse,
        "select * from marts.mart_cross_account "
        "where platform = 'tiktok' and dimension = 'format' and outcome = 'views_7d'",
    )
    accounts = sorted({row["account_name"] for row in rows})
    assert len(accounts) == 3
    logs = {
        name: [
            (p["format"], log)
            for p in posts_of(posts, name, "tiktok")
            if (log := log_outcome(p, "views_7d")) is not None
        ]
        for name in accounts
    }
    heap = [log for own in logs.values() for _, log in own]
    for row in rows:
        own = [log for found in logs.values() for name, log in found if name == row["segment"]]
        assert row["pooled_ratio"] == pytest.approx(
            math.exp(np.mean(own) - np.mean(heap)), rel=0.02
        )
        assert row["account_mix_ratio"] == pytest.approx(
            row["pooled_ratio"] / row["within_ratio"], abs=1e-6
        )
        assert row["scope"] != "universal" or row["same_sign_share"] >= 0.75


def test_the_thresholds_of_sql_and_python_are_the_same() -> None:
    macros = Path(__file__).parents[3] / "dbt_project" / "macros" / "thresholds.sql"
    text = " ".join(macros.read_text(encoding="utf-8").split())
    for name, value in (
        ("minimum_posts", effects.MINIMUM_POSTS),
        ("minimum_posts_for_verdict", effects.MINIMUM_POSTS_FOR_VERDICT),
        ("minimum_pairs", pareto.MINIMUM_POSTS),
    ):
        assert f"{{% macro {name}() -%}} {{{{ return({value}) }}}}" in text
