"""The best fifth and the worst fifth of a simulated world's posts, recomputed from the posts."""

import duckdb
import pytest
from scipy import stats

from tests.measure.marts.worlds import (
    OUTCOMES,
    QUIET_ACCOUNT,
    Rows,
    log_outcome,
    posts_of,
    rows_of,
)

pytestmark = pytest.mark.slow


def test_pareto_shares_are_of_the_same_posts(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    marts = rows_of(warehouse, "select * from marts.mart_pareto where top_share is not null")
    assert len(marts) >= 8
    for mart in marts:
        column = OUTCOMES[mart["outcome"]][0]
        own = posts_of(posts, mart["account_name"], mart["platform"])
        values = sorted((p[column] for p in own if p[column] is not None), reverse=True)
        whole, part = divmod(len(values), 5)
        top = sum(values[:whole]) + part / 5 * values[whole]
        assert mart["n"] == len(values)
        assert mart["top_share"] == pytest.approx(top / sum(values), abs=1e-6)
        assert mart["top_post_share"] == pytest.approx(values[0] / sum(values), abs=1e-6)
        # Nothing but log-normal noise and a few planted ratios.
        assert mart["verdict"] == "as_noise"


def test_the_worst_posts_and_their_patterns_are_counted_from_the_posts(
    warehouse: duckdb.DuckDBPyConnection, posts: Rows
) -> None:
    marts = rows_of(
        warehouse, "select * from marts.mart_failures where dimension = 'format' and n >= 5"
    )
    assert len(marts) >= 30
    for mart in marts:
        own = [
            (log, p["post_id"], p["format"])
            for p in posts_of(posts, mart["account_name"], mart["platform"])
            if (log := log_outcome(p, mart["outcome"])) is not None
        ]
        worst = sorted((round(log, 6), post, name) for log, post, name in own)[: len(own) // 5]
        hits = sum(name == mart["segment"] for _, _, name in worst)
        n = sum(name == mart["segment"] for _, _, name in own)
        assert (mart["n"], mart["account_n"]) == (n, len(own))
        assert (mart["worst_n"], mart["account_worst_n"]) == (hits, len(worst))
        if mart["p_value"] is not None:
            chance = stats.hypergeom.sf(hits - 1, len(own), len(worst), n)
            assert mart["p_value"] == pytest.approx(chance, abs=1e-6)
            assert mart["ratio"] == pytest.approx(hits / (n * len(worst) / len(own)), abs=1e-6)
    found = {(m["account_name"], m["segment"]) for m in marts if m["verdict"] == "over_represented"}
    # Its saves are planted a quarter lower.
    assert ("dreamtimelullabies", "boring_habits") in found
    assert not {key for key in found if key[0] == QUIET_ACCOUNT}
