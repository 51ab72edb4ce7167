"""What ``afterpost analyze`` prints of effects: an account's own, and those of all accounts."""

from collections.abc import Sequence

from pipeline.show.cli import output
from pipeline.show.cli.output import Align
from pipeline.show.reports.cross_account import CommonEffect
from pipeline.show.reports.segments import SegmentEffect, SegmentTable, most_telling
from pipeline.show.reports.weights import SegmentWeight
from pipeline.show.reports.wording import (
    column_words,
    dimension_words,
    interval,
    measure_words,
    not_enough,
    outcome_words,
    percent,
    posts_of,
    segment_words,
    times,
)

ROWS_SHOWN = 12
LACKING_SHOWN = 3
"""Segments with too few posts that are named; an account can have hundreds of topics."""

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
        output.table(
            [
                (column_words(table.dimension), Align.LEFT),
                ("n", Align.RIGHT),
                ("effect", Align.RIGHT),
                ("90 % interval", Align.RIGHT),
                ("verdict", Align.LEFT),
                ("to be sure", Align.RIGHT),
            ],
            [_effect_cells(row) for row in _fewest_words(known)],
            title=title,
            shorten=(0,),
        )
        output.say_more(len(known) - ROWS_SHOWN, "segments")
    _say_what_lacks(table)
    if known:
        total = max(row.account_n for row in table.rows)
        output.say(f"1.00× is the account's usual, over {total} posts.")
        _say_luck(known)


def _effect_cells(row: SegmentEffect) -> tuple[str, ...]:
    needed = f"{row.posts_needed:+d} posts" if row.posts_needed else ""
    return (
        row.name,
        str(row.n),
        times(row.effect),
        interval(row.effect_low, row.effect_high),
        row.verdict.replace("_", " "),
        needed,
    )


def _fewest_words(rows: Sequence[SegmentEffect]) -> list[SegmentEffect]:
    """At most as many rows as a table shows; the clearest stay, in their order."""
    if len(rows) <= ROWS_SHOWN:
        return list(rows)
    clearest = sorted(rows, key=lambda row: (row.q_value is None, row.q_value, row.segment))
    kept = set(clearest[:ROWS_SHOWN])
    return [row for row in rows if row in kept]


def _say_what_lacks(table: SegmentTable) -> None:
    lacking = sorted(
        (row for row in table.rows if row.effect is None),
        key=lambda row: (row.posts_needed is None, row.posts_needed or 0, row.segment),
    )
    for row in lacking[:LACKING_SHOWN]:
        words = not_enough(
            row.n, row.posts_needed, posts_of(row.dimension, row.segment, row.posts_needed)
        )
        output.say_indented(output.plain(f"{row.name}: {words}"))
    output.say_more(len(lacking) - LACKING_SHOWN, "with too few posts")


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
    shown = sorted(known, key=lambda row: (row.q_value is None, row.q_value, row.segment))
    kept = set(shown[:ROWS_SHOWN])
    output.table(
        [
            (column_words(dimension), Align.LEFT),
            ("n", Align.RIGHT),
            ("accounts", Align.RIGHT),
            ("effect", Align.RIGHT),
            ("90 % interval", Align.RIGHT),
            ("across accounts", Align.LEFT),
        ],
        [
            (
                segment_words(row.dimension, row.segment),
                output.count(row.n),
                str(row.account_count),
                times(row.effect),
                interval(row.effect_low, row.effect_high),
                SCOPE_WORDS.get(row.scope, row.scope),
            )
            for row in known
            if row in kept
        ],
        title=title,
        shorten=(0,),
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
    platforms = dict.fromkeys(row.platform for row in weights)
    for platform in platforms:
        rows = [row for row in weights if row.platform == platform]
        known = [row for row in rows if row.engagement_lift is not None]
        if not known:
            continue
        shown = known[:ROWS_SHOWN]
        has_verdict = any(row.weight_verdict for row in shown)
        columns = [
            (column_words(rows[0].dimension), Align.LEFT),
            ("n", Align.RIGHT),
            ("of posts", Align.RIGHT),
            ("of engagement", Align.RIGHT),
            ("per post", Align.RIGHT),
            ("90 % interval", Align.RIGHT),
        ]
        cells: list[tuple[str, ...]] = [
            (
                segment_words(row.dimension, row.segment),
                str(row.n),
                percent(row.share_of_posts_7d),
                percent(row.share_of_engagement_7d),
                times(row.engagement_lift),
                interval(row.engagement_lift_low, row.engagement_lift_high),
            )
            for row in shown
        ]
        if has_verdict:
            columns.append(("", Align.LEFT))
            words = {"dead_weight": "dead weight", "carries": "carries"}
            cells = [
                (*line, words.get(row.weight_verdict or "", ""))
                for line, row in zip(cells, shown, strict=True)
            ]
        output.table(
            columns,
            cells,
            title=f"{platform}: who brings the engagement at 7 days",
            shorten=(0,),
        )
        output.say_more(len(known) - ROWS_SHOWN, "segments")
        output.say()
