"""Which posts the rules see, in which order, and of which metric."""

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np
import pytest

from pipeline.show.alerts.series import HISTORY_DAYS, read_series

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
COLUMNS = (
    "account_name varchar, platform varchar, post_id varchar, posted_at timestamptz, "
    "age_hours double, is_ad boolean, has_definition_change boolean, view_count bigint, "
    "engagement_count bigint, view_24h double, view_72h double, view_7d double, "
    "engagement_24h double, engagement_72h double, engagement_7d double"
)


def series_of(*rows: dict[str, Any]) -> list[Any]:
    usual = {
        "account_name": "night_owls", "platform": "tiktok", "age_hours": 100.0, "view_count": 999,
        "engagement_count": 99, "view_24h": 499.0, "view_72h": 800.0, "engagement_72h": 40.0,
    }  # fmt: skip
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'; create schema marts")
        connection.execute(f"create table marts.fct_post_performance ({COLUMNS})")
        for number, row in enumerate(rows):
            values = {"post_id": str(number), **usual, **row}
            connection.execute(
                f"insert into marts.fct_post_performance values ({', '.join('?' * len(names))})",
                [values.get(name) for name in names],
            )
        return read_series(connection, NOW)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def test_posts_stand_in_order_with_logs_at_equal_age_and_what_is_not_known_is_nan():
    (found,) = series_of({"posted_at": ago(3)}, {"posted_at": ago(5)})

    assert found.post_ids.tolist() == ["1", "0"]
    assert np.exp(found.log_now) == pytest.approx([1000, 1000])
    assert np.exp(found.log_at[24]) == pytest.approx([500, 500])
    assert np.isnan(found.log_at[168]).all()
    assert found.engagement_rate == pytest.approx([0.05, 0.05])


def test_posts_with_views_and_posts_without_are_compared_apart():
    hidden = {"view_count": None, "view_24h": None, "view_72h": None, "engagement_24h": 19.0}
    found = series_of({"posted_at": ago(3)}, {"posted_at": ago(4), **hidden})

    assert [one.subject for one in found] == ["tiktok/engagement", "tiktok/views"]
    assert np.exp(found[0].log_at[24]) == pytest.approx([20])
    assert np.isnan(found[0].engagement_rate).all()


@pytest.mark.parametrize(
    "row",
    [
        {"is_ad": True},
        {"posted_at": ago(-1)},
        {"posted_at": ago(HISTORY_DAYS + 1)},
        {"posted_at": None},
        {"view_count": None, "engagement_count": None},
    ],
)
def test_paid_future_ancient_and_uncounted_posts_are_left_out(row: dict[str, Any]):
    (found,) = series_of({"posted_at": ago(3)}, {"posted_at": ago(4), **row})

    assert found.post_ids.tolist() == ["0"]


def test_posts_of_an_earlier_definition_of_the_count_are_left_out():
    rows: list[dict[str, Any]] = [{"posted_at": ago(days)} for days in (60, 50, 40, 30)]
    rows[1]["has_definition_change"] = True
    other = {"posted_at": ago(70), "platform": "youtube"}

    tiktok, youtube = series_of(*rows, other)

    assert tiktok.post_ids.tolist() == ["2", "3"]
    assert youtube.post_ids.tolist() == ["4"]


def test_a_copy_without_posts_has_no_series():
    assert series_of() == []
