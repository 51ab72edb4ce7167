"""What ``afterpost analyze`` prints of effects: an account's own, and those of all accounts."""

from collections.abc import Sequence
from typing import TypeVar

from pipeline.show.cli import output
from pipeline.show.cli.analyze_tables import by_platform, numbers, ratios, say_lacking, show, texts
from pipeline.show.figure_words import count, interval, percent, times
from pipeline.show.reports.cross_account import CommonEffect
from pipeline.show.reports.segments import SegmentEffect, SegmentTable, most_telling
from pipeline.show.reports.weights import SegmentWeight
from pipeline.show.reports.wording import (
    column_words,
    dimension_words,
    measure_words,
    not_enough,
    outcome_words,
    posts_of,
    segment_words,
    verdict_words,
)

ROWS_SHOWN = 12

SCOPE_WORDS = {
    "universal": "holds in the accounts",
    "account_specific": "differs by account",
    "no_clear_difference": "no clear difference",
    "not_enough_data": "not enough data",
}


def show_tables(tables: Sequence[SegmentTable], dimension: str) -> None:
    """Per platform and dimension one table, and below it what else is clear about the segments.

    Args:
        tables: By all outcomes.
        dimension: What there is nothing about when there are no tables.
    """
    if not tables:
        _say_nothing_known(dimension)
        return
    _say_in_short(tables)
    for main in most_telling(tables):
        others = [
            table
            for table in tables
            if table is not main
            and (table.platform, table.dimension) == (main.platform, main.dimension)
        ]
        _show_table(main)
        _say_what_else_is_clear(others)
        output.say()


def _say_in_short(tables: Sequence[SegmentTable]) -> None:
    """Which segments are clear, by any outcome."""
    rows = [row for table in tables for row in table.rows]
    said = False
    for verdict in ("better", "worse"):
        named = [
            f"{row.name} ({row.platform}, {measure_words(row.outcome)})"
            for row in rows
            if row.verdict == verdict
        ]
        if named:
            output.say_indented(output.plain(f"Clearly {verdict}: {', '.join(named)}"))
            said = True
    if not any(row.effect is not None for row in rows):
        output.say("In short: not enough data yet.")
    elif not said:
        output.say("In short: nothing differs by more than chance explains.")
    output.say()


def _show_table(table: SegmentTable) -> None:
    title = f"{table.platform}, {dimension_words(table.dimension)}: {outcome_words(table.outcome)}"
    known = [row for row in table.rows if row.effect is not None]
    if not known:
        output.say(output.plain(title), style="bold")
    else:
        shown = _clearest(known)
        show(
            texts(column_words(table.dimension), (row.name for row in shown), is_shortened=True),
            numbers("n", (str(row.n) for row in shown)),
            *ratios("effect", ((one.effect, one.effect_low, one.effect_high) for one in shown)),
            texts("verdict", (verdict_words(row.verdict) for row in shown)),
            numbers(
                "to be sure",
                (f"{row.posts_needed:+d} posts" if row.posts_needed else "" for row in shown),
            ),
            title=title,
        )
        output.say_more(len(known) - ROWS_SHOWN, "segments")
    _say_what_lacks(table)
    if known:
        total = max(row.account_n for row in table.rows)
        output.say(f"1.00× is the account's usual, over {total} posts.")
        _say_luck(known)


_Effect = TypeVar("_Effect", SegmentEffect, CommonEffect)


def _clearest(rows: Sequence[_Effect]) -> list[_Effect]:
    """At most as many rows as a table shows; the clearest stay, in their order."""
    clearest = sorted(rows, key=lambda row: (row.q_value is None, row.q_value, row.segment))
    kept = set(clearest[:ROWS_SHOWN])
    return [row for row in rows if row in kept]


def _say_what_lacks(table: SegmentTable) -> None:
    lacking = sorted(
        (row for row in table.rows if row.effect is None),
        key=lambda row: (row.posts_needed is None, row.posts_needed or 0, row.segment),
    )
    say_lacking([_lacking_words(row) for row in lacking])


def _lacking_words(row: SegmentEffect) -> str:
    what = posts_of(row.dimension, row.segment, row.posts_needed)
    return f"{row.name}: {not_enough(row.n, row.posts_needed, what)}"


def _say_luck(rows: Sequence[SegmentEffect]) -> None:
    null_best = next((row.null_best for row in rows if row.null_best is not None), None)
    if null_best is not None:
        output.say(f"By chance alone the best would show {times(null_best)}.")


def _say_what_else_is_clear(tables: Sequence[SegmentTable]) -> None:
    clear = [row for table in tables for row in table.rows if row.verdict in {"better", "worse"}]
    if clear:
        output.say("Clear by other measures:")
    for row in clear:
        output.say_indented(
            output.plain(
                f"  {row.name}: {times(row.effect)} the usual {outcome_words(row.outcome)} "
                f"(90 % interval {interval(row.effect_low, row.effect_high)}, n {row.n})"
            )
        )


def _say_nothing_known(dimension: str) -> None:
    what = dimension_words(dimension)
    output.say(f"Not enough data: no post with a known {what} has a value at 7 days yet.")


def show_common(effects: Sequence[CommonEffect], dimension: str) -> None:
    """Per platform and dimension what accounts have in common, by the most telling outcome."""
    groups: dict[tuple[str, str], dict[str, list[CommonEffect]]] = {}
    for row in effects:
        group = groups.setdefault((row.platform, row.dimension), {})
        group.setdefault(row.outcome, []).append(row)
    if not groups:
        _say_nothing_known(dimension)
    for (platform, of), by_outcome in groups.items():
        outcome = _most_telling_outcome(by_outcome)
        _show_common_table(platform, of, outcome, by_outcome[outcome])
        others = [row for name, rows in by_outcome.items() if name != outcome for row in rows]
        say_common([row for row in others if row.scope in {"universal", "account_specific"}])
        output.say()


_TELLING = ("views_7d", "engagement_7d", "engagement_rate_7d", "save_rate_7d", "share_rate_7d")


def _most_telling_outcome(by_outcome: dict[str, list[CommonEffect]]) -> str:
    present = [name for name in _TELLING if name in by_outcome]
    known = [name for name in present if any(row.effect is not None for row in by_outcome[name])]
    return (known or present)[0]


def _show_common_table(
    platform: str, dimension: str, outcome: str, rows: Sequence[CommonEffect]
) -> None:
    title = f"{platform}, {dimension_words(dimension)}: {outcome_words(outcome)}"
    known = [row for row in rows if row.effect is not None]
    if not known:
        output.say(output.plain(title), style="bold")
        output.say("Not enough data: it takes two accounts with figures for a segment.")
        return
    shown = _clearest(known)
    show(
        texts(
            column_words(dimension),
            (segment_words(row.dimension, row.segment) for row in shown),
            is_shortened=True,
        ),
        numbers("n", (count(row.n) for row in shown)),
        numbers("accounts", (str(row.account_count) for row in shown)),
        *ratios("effect", ((one.effect, one.effect_low, one.effect_high) for one in shown)),
        texts("across accounts", (SCOPE_WORDS.get(row.scope, row.scope) for row in shown)),
        title=title,
    )
    output.say_more(len(known) - ROWS_SHOWN, "segments")
    output.say("1.00× is each account's own usual.")
    for row in known:
        if row.is_simpson_reversal:
            name = segment_words(row.dimension, row.segment)
            output.say_indented(
                output.plain(
                    f"{name}: all posts in one heap would show {times(row.pooled_ratio)}, because "
                    "of which accounts use it; within accounts it is the other way round."
                )
            )


def say_common(rows: Sequence[CommonEffect], most: int = 6) -> None:
    """A line for each effect across accounts, at most ``most``."""
    for row in rows[:most]:
        clear = f"{row.better_account_count} better, {row.worse_account_count} worse"
        output.say_indented(
            output.plain(
                f"  {posts_of(row.dimension, row.segment)} on {row.platform}: "
                f"{times(row.effect)} the usual {outcome_words(row.outcome)} (90 % interval "
                f"{interval(row.effect_low, row.effect_high)}, {row.n} posts): "
                f"{SCOPE_WORDS[row.scope]}, {clear} of {row.account_count}"
            )
        )
    output.say_more(len(rows) - most)


def show_weights(weights: Sequence[SegmentWeight]) -> None:
    """How many posts a segment is, and how much of the engagement it brings.

    What its posts bring together can be led by a hit; the effects above are not.
    """
    words = {"dead_weight": "dead weight", "carries": "carries"}
    for platform, rows in by_platform(weights):
        known = [row for row in rows if row.engagement_lift is not None]
        if not known:
            continue
        shown = known[:ROWS_SHOWN]
        verdicts = texts("", (words.get(row.weight_verdict or "", "") for row in shown))
        show(
            texts(
                column_words(rows[0].dimension),
                (segment_words(row.dimension, row.segment) for row in shown),
                is_shortened=True,
            ),
            numbers("n", (str(row.n) for row in shown)),
            numbers("of posts", (percent(row.share_of_posts_7d) for row in shown)),
            numbers("of engagement", (percent(row.share_of_engagement_7d) for row in shown)),
            *ratios(
                "per post",
                (
                    (row.engagement_lift, row.engagement_lift_low, row.engagement_lift_high)
                    for row in shown
                ),
            ),
            *([verdicts] if any(row.weight_verdict for row in shown) else []),
            title=f"{platform}: who brings the engagement at 7 days",
        )
        output.say_more(len(known) - ROWS_SHOWN, "segments")
        output.say()
