"""How good stored predictions were: the rows of the marts that score them, and their words."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import duckdb

Row = dict[str, Any]
ANY_MODEL = "*"
"""The model of a row that is about whatever was served."""
TARGETS: Mapping[str, str] = {
    "views_7d": "views at 7 days",
    "engagement_rate_7d": "engagement rate at 7 days",
}
_FEWEST_FOR_A_WORD = 10

_IS_THERE = """
select count(*) from information_schema.tables
where table_schema = 'marts' and table_name in ('fct_prediction_score', 'mart_prediction_skill')
"""
_SKILL = """
select *
from marts.mart_prediction_skill
where $account is null or account_name = $account
order by account_name, platform, target desc, model_name, period desc, periods_ago
"""
_COUNTED = """
select account_name, platform, target, scored_at, is_within_25_percent
from marts.fct_prediction_score
where is_counted and scored_at <= $now
order by account_name, platform, target, scored_at, prediction_id
"""


def has_scores(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a published copy has the marts: one from before them has none."""
    return connection.execute(_IS_THERE).fetchone() == (2,)


def skill_rows(connection: duckdb.DuckDBPyConnection, account: str | None = None) -> list[Row]:
    """Rows of ``marts.mart_prediction_skill``, of one account or all; views come first.

    Args:
        connection: To a published copy, which may be older than the mart.
        account: Name of a folder under ``accounts/``.
    """
    if not has_scores(connection):
        return []
    return _rows(connection, _SKILL, {"account": account})


def counted_scores(connection: duckdb.DuckDBPyConnection, now: datetime) -> list[Row]:
    """One scored prediction for each post and target, of all accounts, oldest first.

    Args:
        connection: To a published copy, which may be older than the mart.
        now: Not those that were scored later.
    """
    if not has_scores(connection):
        return []
    return _rows(connection, _COUNTED, {"now": now})


def skill_in_words(row: Mapping[str, Any]) -> str:
    """How good the predictions of one platform and target were."""
    start = f"{row['n']} posts" if row["n"] != 1 else "1 post"
    ratio, low, high = (
        row["pinball_ratio"], row["pinball_ratio_low"], row["pinball_ratio_high"],
    )  # fmt: skip
    if row["n"] < _FEWEST_FOR_A_WORD or ratio is None or low is None or high is None:
        return f"{start}: too few to say more than that they were scored"
    if row["model_n"] == 0 and ratio == 1:
        against = "no model served: what was said is the account's own quantiles"
    elif high < 1:
        against = "better than the account's own quantiles"
    elif low > 1:
        against = "worse than the account's own quantiles"
    else:
        against = "no clear difference from the account's own quantiles"
    return (
        f"{start}: {against}; {100 * row['coverage']:.0f} % within the 80 % intervals, "
        f"{100 * row['close_share']:.0f} % within 25 % of the outcome"
    )


def _rows(connection: duckdb.DuckDBPyConnection, query: str, values: dict[str, Any]) -> list[Row]:
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
