"""The panel of the learning curve: how good predictions were, four weeks after four weeks."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from pipeline.learn.predict.skill import ANY_MODEL, TARGETS, skill_in_words
from pipeline.show.charts.skill import skill_chart
from pipeline.show.dashboard import words
from pipeline.show.dashboard.effect_panels import AT_7_DAYS, INTERVAL
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names

_COLUMNS = (
    "From", "Until", "Posts", "Loss, times the usual's", "90 % from", "to",
    "Within the 80 % interval", "Within 25 %",
)  # fmt: skip


def skill_panel(facts: Facts) -> Panel:
    """How good an account's predictions were."""
    rows = [row for row in facts.skill if row["model_name"] == ANY_MODEL]
    by_place = groupby(rows, key=lambda row: (row["platform"], row["target"]))
    variants = [
        _variant(facts, platform, target, list(own)) for (platform, target), own in by_place
    ]
    return Panel(
        key="skill",
        title="How good were the predictions?",
        lead="What was said of posts before they went out, against what came. The loss counts "
        "how far off the expected value and the interval were; 1.00 is what the account's own "
        "quantiles would have lost.",
        variants=sorted(variants, key=lambda one: -one.n),
        empty="No prediction has been scored yet: a post is scored when it is a week old."
        if facts.account
        else "Open one account's dashboard: predictions are scored against each account's own "
        "usual.",
    )


def _variant(
    facts: Facts, platform: str, target: str, rows: Sequence[Mapping[str, Any]]
) -> Variant:
    (overall,) = [row for row in rows if row["period"] == "all"]
    windows = sorted(
        (row for row in rows if row["period"] != "all"), key=lambda row: -row["periods_ago"]
    )
    return Variant(
        label=f"{words.platform(platform)}, {TARGETS.get(target, words.plain(target))}",
        source=Source(
            "marts.mart_prediction_skill",
            words.posts(overall["n"]),
            INTERVAL,
            AT_7_DAYS,
            words.moment(facts.scraped_at),
        ),
        table=Table(
            column_names(*_COLUMNS, text=2), tuple(map(_cells, [*reversed(windows), overall]))
        ),
        chart=skill_chart(windows) if len(windows) > 1 else None,
        n=overall["n"],
        note=f"Over all {skill_in_words(overall)}.",
    )


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        "all" if row["period_start"] is None else words.day(row["period_start"]),
        words.day(row["period_end"]),
        f"{row['n']:,}",
        *words.ratios(row["pinball_ratio"], row["pinball_ratio_low"], row["pinball_ratio_high"]),
        words.percent(row["coverage"]),
        words.percent(row["close_share"]),
    )
