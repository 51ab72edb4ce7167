"""Charts: what they are made of, and that they can be read in light, in dark and on paper."""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import altair as alt
import duckdb
import pytest

from pipeline.show.charts import colours, style
from pipeline.show.charts.effects import effects_chart
from pipeline.show.charts.growth import growth_chart
from pipeline.show.charts.heatmap import HeatCell, heatmap_chart
from pipeline.show.charts.pictures import png_of, spec_of, svg_of
from pipeline.show.charts.projections import projections_chart
from pipeline.show.charts.saves import save_share_chart
from pipeline.show.charts.scores import score_chart
from pipeline.show.charts.skill import skill_chart
from pipeline.show.charts.trend import trend_chart
from pipeline.show.reports.growth import GrowthPoint, ProjectedPost
from pipeline.show.reports.pillar_formats import pillar_format_cells
from pipeline.show.reports.save_share_posts import SaveSharePost
from pipeline.show.reports.segments import SegmentEffect, SegmentTable
from pipeline.show.reports.trends import (
    DefinitionChange,
    WeekTrend,
    definition_changes,
    weekly_index,
    weekly_trends,
)

HOSTILE = "</script><img src=x onerror=alert(1)>"
MONDAY = date(2026, 9, 7)


def _effect(segment: str, effect: float | None, verdict: str) -> SegmentEffect:
    return SegmentEffect(
        platform="tiktok", dimension="format", segment=segment, outcome="views_7d", age_hours=168,
        n=12, account_n=60, median=900.0, effect=effect, effect_low=effect and effect / 1.3,
        effect_high=effect and effect * 1.3, probability_better=0.9, null_best=1.1, q_value=0.01,
        verdict=verdict, posts_needed=4,
    )  # fmt: skip


def _weeks(account: str, typical: list[float | None]) -> list[WeekTrend]:
    return [
        WeekTrend(account, "tiktok", "views_7d", MONDAY + timedelta(weeks=place), 5, value,
                  value and value / 2, value and value * 2)
        for place, value in enumerate(typical)
    ]  # fmt: skip


def _window(ratio: float | None, low: float | None, high: float | None) -> dict[str, Any]:
    return {
        "platform": HOSTILE, "period_end": MONDAY, "n": 9, "pinball_ratio": ratio,
        "pinball_ratio_low": low, "pinball_ratio_high": high,
    }  # fmt: skip


def _charts() -> dict[str, Callable[[], alt.LayerChart]]:
    effects = (
        _effect("step_guide", 1.6, "better"),
        _effect(HOSTILE, 0.5, "worse"),
        _effect("rare", None, "not_enough_data"),
    )
    post = SaveSharePost("a", "tiktok", "1", MONDAY, HOSTILE, 900.0, 0.02, 0.01, 0.01, 0.005,
                         "high_save")  # fmt: skip
    young = ProjectedPost(
        "a", "tiktok", "1", "view", 168, 20.0, 300, 800.0, 700.0, 1000.0, 50,
        datetime(2026, 9, 7, tzinfo=UTC), HOSTILE,
    )  # fmt: skip
    growth = [
        GrowthPoint("a", platform, "view", age, 9, share, share, share, share, share)
        for platform in ("tiktok", HOSTILE)
        for age, share in ((24.0, 0.6), (168.0, 1.0))
    ]
    return {
        "effects": lambda: effects_chart(SegmentTable("tiktok", "format", "views_7d", effects)),
        "trend": lambda: trend_chart(_weeks("a", [9.0, None, 8.0, 7.0])),
        "index": lambda: trend_chart(_weeks("*", [1.0, 1.2])),
        "growth": lambda: growth_chart(growth),
        "saves": lambda: save_share_chart([post, post]),
        "scores": lambda: score_chart([(80.0, "overperforming"), (100.0, "normal"), (3.0, "x")]),
        "projections": lambda: projections_chart([young]),
        "skill": lambda: skill_chart(
            [_window(0.93, 0.9, 0.97), _window(1.2, None, None), _window(None, None, None)]
        ),
        "heatmap": lambda: heatmap_chart(
            [HeatCell("a", "b", 9, 1.4, 1.1, 1.8), HeatCell(HOSTILE, "b", 2, None, None, None)],
            rows=["a", HOSTILE], columns=["b", "c"], row_title="pillar", column_title="format",
            title="t", subtitle="s",
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(_charts()))
def test_every_chart_is_valid_vega_lite_and_its_colours_are_known(name: str):
    spec = spec_of(_charts()[name]())

    alt.LayerChart.from_dict({**spec, "config": dict(style.CONFIG)}, validate=True)
    named = set(re.findall(r"var\((--[\w-]+)\)", str(spec) + str(style.CONFIG)))
    assert named - set(colours.LIGHT) == set()
    assert set(colours.LIGHT) == set(colours.DARK)


def test_a_picture_needs_no_style_sheet_and_shows_texts_as_text():
    effects = _charts()["effects"]()

    assert png_of(effects)[:8] == b"\x89PNG\r\n\x1a\n"
    svg = svg_of(effects)
    assert "var(" not in svg
    assert "<img" not in svg
    assert "&lt;/script&gt;" in svg
    assert "needs 4 more" in svg


def test_a_week_without_a_figure_is_a_gap_and_a_lone_week_keeps_its_interval():
    rows = _data(trend_chart(_weeks("a", [9.0, None, 8.0, 7.0])))

    assert [row["typical"] for row in rows] == [9.0, 8.0, 7.0]
    assert rows[0]["stretch"] != rows[1]["stretch"] == rows[2]["stretch"]
    assert [row["lone"] for row in rows] == [True, False, False]


def test_a_wide_interval_does_not_press_the_others_together():
    (low, high), ticks = style.ratio_axis([0.001, 90.0])

    assert (low, high) == (0.1, 10.0)
    assert 1.0 in ticks


def test_a_cell_has_a_colour_only_where_its_interval_leaves_out_the_usual():
    clear, unclear = HeatCell("a", "b", 9, 1.4, 1.1, 1.8), HeatCell("a", "c", 9, 1.4, 0.9, 2.2)
    chart = heatmap_chart([clear, unclear], rows=["a"], columns=["b", "c"], row_title="pillar",
                          column_title="format", title="t", subtitle="s")  # fmt: skip

    assert [(row["effect"], row["clear_effect"]) for row in _data(chart)] == [(1.4, 1.4), (1.4, 1)]


def test_bars_of_scores_stand_on_each_other_and_count_every_post():
    scored = [(76.0, "overperforming"), (75.0, "normal"), (100.0, "overperforming")]

    rows = _data(score_chart(scored))

    assert sum(row["posts"] for row in rows) == 3
    at_75 = [row for row in rows if row["from"] == 75]
    assert [(row["base"], row["top"]) for row in at_75] == [(0, 1), (1, 2)]


@pytest.mark.parametrize("palette", [colours.LIGHT, colours.DARK], ids=["light", "dark"])
def test_words_and_marks_stand_out_from_their_ground(palette: Mapping[str, str]):
    ground = palette["--chart-surface"]
    for name in ("ink", "muted", "better", "worse", "series-1"):
        assert _contrast(palette[f"--chart-{name}"], ground) >= 4.5, name
    for name in ("unclear", *(f"series-{number}" for number in range(1, 7))):
        assert _contrast(palette[f"--chart-{name}"], ground) >= 3.0, name
    for number in range(1, 8):
        words = "surface" if number in {1, 7} else "ink"
        contrast = _contrast(palette[f"--chart-heat-{number}"], palette[f"--chart-{words}"])
        assert contrast >= 4.5, number


def test_a_long_text_is_cut_between_characters():
    assert style.one_line("plain  words\nthat go on", 12) == "plain words…"
    family = "👨\u200d👩\u200d👧"
    assert style.one_line(f"{family * 3} and more", 7) == f"{family}…"


def test_a_typical_week_is_the_geometric_mean_with_the_spread_of_all_weeks():
    connection = _outcomes({MONDAY: [99, 199, 399], MONDAY + timedelta(days=8): [49, 99]})

    full, small = weekly_trends(connection, "a", outcomes=["views_7d"])

    assert (full.n, full.week_start) == (3, MONDAY)
    assert full.typical == pytest.approx(199)
    assert (small.n, small.typical, small.low) == (2, None, None)
    # Three degrees of freedom: two of the first week, one of the second.
    spread = math.sqrt((2 * math.log(2) ** 2 + math.log(2) ** 2 / 2) / 3)
    width = 2.3533634 * spread / math.sqrt(3)
    assert full.low == pytest.approx(200 * math.exp(-width) - 1)
    assert full.high == pytest.approx(200 * math.exp(width) - 1)


def test_all_accounts_together_are_ratios_to_each_ones_own_usual():
    connection = _outcomes({MONDAY: [99, 99, 99], MONDAY + timedelta(days=7): [399, 399, 399]})

    low, high = weekly_index(connection, outcomes=["views_7d"])

    assert {low.account_name, high.account_name} == {"*"}
    assert (low.typical, high.typical) == (pytest.approx(0.5), pytest.approx(2.0))


def test_a_change_of_what_is_counted_is_told_where_posts_lie_on_both_sides():
    connection = _outcomes({MONDAY: [9], MONDAY + timedelta(days=30): [9]})
    connection.execute(
        "create table intermediate.metric_availability as select * from (values "
        "('tiktok', 'video', 'view_count', date '2005-01-01', 'a'), "
        "('tiktok', 'video', 'view_count', date '2026-09-20', 'b'), "
        "('tiktok', 'video', 'like_count', date '2005-01-01', 'c'), "
        "('tiktok', 'video', 'like_count', date '2026-12-01', 'd'), "
        "('youtube', 'video', 'view_count', date '2005-01-01', 'e'), "
        "('youtube', 'video', 'view_count', date '2026-09-20', 'f')) "
        "as rows (platform, media_type, metric, valid_from, definition_id)"
    )

    assert definition_changes(connection, "a") == [
        DefinitionChange("tiktok", "view_count", date(2026, 9, 20))
    ]
    assert definition_changes(connection, "b") == []


def test_a_combination_of_few_posts_has_no_figure():
    connection = _outcomes({MONDAY: [99] * 6 + [399] * 6 + [199] * 4})
    connection.execute(
        "update marts.dim_post set pillar = 'sleep', format = case when post_id < 6 then 'low' "
        "when post_id < 12 then 'high' else 'rare' end"
    )

    cells = {cell.format: cell for cell in pillar_format_cells(connection, "a")}

    assert (cells["rare"].n, cells["rare"].effect) == (4, None)
    usual = math.exp((6 * math.log(100) + 6 * math.log(400) + 4 * math.log(200)) / 16)
    assert cells["low"].effect == pytest.approx(100 / usual)
    assert cells["high"].effect == pytest.approx(400 / usual)
    low, high = cells["high"].effect_low, cells["high"].effect_high
    assert (low, high) == pytest.approx((400 / usual, 400 / usual))  # posts of a cell are alike


def _outcomes(views: Mapping[date, list[int]]) -> duckdb.DuckDBPyConnection:
    """Posts of one account with their views at 7 days, by local day."""
    connection = duckdb.connect()
    connection.execute("create schema marts; create schema intermediate")
    connection.execute(
        "create table marts.dim_post (account_name varchar, platform varchar, post_id integer, "
        "local_date date, pillar varchar, format varchar)"
    )
    connection.execute(
        "create table intermediate.int_post_outcomes (account_name varchar, platform varchar, "
        "post_id integer, outcome varchar, log_value_pulled_in double)"
    )
    rows = [(day, value) for day, values in views.items() for value in values]
    for post_id, (day, value) in enumerate(rows):
        connection.execute(
            "insert into marts.dim_post values ('a', 'tiktok', ?, ?, null, null)", [post_id, day]
        )
        connection.execute(
            "insert into intermediate.int_post_outcomes values "
            "('a', 'tiktok', ?, 'views_7d', ln(? + 1))",
            [post_id, value],
        )
    return connection


def _data(chart: alt.LayerChart) -> list[dict[str, Any]]:
    values: list[dict[str, Any]] = spec_of(chart)["data"]["values"]
    return values


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
