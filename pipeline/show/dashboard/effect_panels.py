"""Panels about what makes a difference: weeks, formats, pillars, times."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.charts.effects import effects_chart
from pipeline.show.charts.heatmap import HeatCell, heatmap_chart
from pipeline.show.charts.trend import trend_chart
from pipeline.show.dashboard import words
from pipeline.show.dashboard.facts import CELL_OUTCOMES, Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names, shown
from pipeline.show.reports.cells import TimeCell
from pipeline.show.reports.pillar_formats import MIN_POSTS_OF_A_CELL, PillarFormatCell
from pipeline.show.reports.segments import Focus, SegmentTable
from pipeline.show.reports.trends import TREND_OUTCOMES, WeekTrend

INTERVAL = f"90{words.SPACE}% interval"
AT_7_DAYS = "at 7 days of age"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAYPARTS = ("night", "morning", "midday", "afternoon", "evening", "late")
_CELLS = (
    "1.20 is a fifth above it. A cell has a colour where its 90 % interval leaves out 1.00. Empty "
    f"cells have fewer than {MIN_POSTS_OF_A_CELL} posts."
)
_OUTCOME_LABELS = {name: f"{text[0].upper()}{text[1:]}" for name, text in OUTCOME_WORDS.items()}


def trend_panel(facts: Facts) -> Panel:
    """Typical posts by week."""
    scraped = shown(words.moment(facts.scraped_at))
    by_outcome = {
        outcome: [week for week in facts.weeks if week.outcome == outcome]
        for outcome in TREND_OUTCOMES
    }
    variants = [
        Variant(
            label=_OUTCOME_LABELS[outcome],
            source=Source(
                "marts.dim_post, intermediate.int_post_outcomes",
                words.posts(sum(week.n for week in weeks)),
                INTERVAL,
                AT_7_DAYS,
                scraped,
            ),
            table=_weeks_table(weeks, outcome, is_index=facts.account is None),
            chart=trend_chart(weeks),
            note=_definition_note(facts, weeks),
        )
        for outcome, weeks in by_outcome.items()
        if any(week.typical is not None for week in weeks)
    ]
    return Panel(
        key="trend",
        title="Is it getting better?",
        lead="Typical post (geometric mean) by week of posting. Newest posts join when they are "
        "seven days old, so the last weeks are not low merely because they are young. Weeks with "
        "fewer than three posts are gaps."
        + (" Each account is compared with its own usual." if facts.account is None else ""),
        variants=variants,
        empty="No week has three posts that have been seen at 7 days of age.",
        is_wide=True,
    )


def effects_panel(facts: Facts, focus: Focus, key: str, title: str, lead: str) -> Panel:
    """Segments against the account's usual, one variant per platform and outcome."""
    scraped = shown(words.moment(facts.scraped_at))
    tables = [table for table in facts.segments[focus] if table.rows]
    # What can be told comes first: a platform without views opens with its engagement.
    order = sorted(tables, key=lambda one: (not one.has_enough_data, -_size(one)))
    several = len({table.dimension for table in tables}) > 1
    return Panel(
        key=key,
        title=title,
        lead=lead,
        variants=[_effects_variant(table, scraped, with_dimension=several) for table in order],
        empty=f"No post has a known {words.plain(key)} and a value at 7 days yet.",
    )


def pillar_format_panel(facts: Facts) -> Panel:
    """Pillars by formats."""
    cells = sorted(facts.pillar_formats, key=lambda cell: (cell.platform, cell.outcome))
    return Panel(
        key="mix",
        title="Which pillar goes with which format?",
        lead=f"Each combination against the usual post; {_CELLS}",
        variants=_largest_first(
            [
                _pillar_format_variant(list(group), shown(words.moment(facts.scraped_at)))
                for _, group in groupby(cells, key=lambda cell: (cell.platform, cell.outcome))
            ]
        ),
        empty="No post has both a pillar and a format yet."
        if facts.account
        else "Open one account's dashboard: pillars and formats are each account's own.",
        is_wide=True,
    )


def week_panel(facts: Facts) -> Panel:
    """Weekdays by parts of the day."""
    cells = sorted(
        (cell for outcome in CELL_OUTCOMES for cell in facts.times[outcome]),
        key=lambda cell: (cell.platform, cell.outcome),
    )
    return Panel(
        key="week",
        title="Which hours of the week?",
        lead=f"On the account's own clock, against the usual post; {_CELLS}",
        variants=_largest_first(
            [
                _week_variant(list(group), shown(words.moment(facts.scraped_at)))
                for _, group in groupby(cells, key=lambda cell: (cell.platform, cell.outcome))
            ]
        ),
        empty="No post has a known hour and a value at 7 days yet."
        if facts.account
        else "Open one account's dashboard: hours are on each account's own clock.",
        is_wide=True,
    )


def _largest_first(variants: Iterable[Variant | None]) -> list[Variant]:
    """Those that show something, the ones of the most posts first."""
    return sorted((one for one in variants if one is not None), key=lambda one: -one.n)


def _weeks_table(weeks: Sequence[WeekTrend], outcome: str, *, is_index: bool) -> Table:
    def value(number: float | None) -> str:
        if is_index:
            return words.ratio(number)
        return shown(words.percent(number) if "rate" in outcome else words.count(number))

    return Table(
        column_names("Profile", "Week from", "Typical post", "From", "To", "Posts", text=2),
        tuple(
            (
                words.platform(week.platform),
                week.week_start.isoformat(),
                value(week.typical),
                value(week.low),
                value(week.high),
                str(week.n),
            )
            for week in reversed(weeks)
        ),
    )


def _definition_note(facts: Facts, weeks: Sequence[WeekTrend]) -> str | None:
    shown_weeks = [week for week in weeks if week.typical is not None]
    told = [
        f"{words.platform(one.platform)} changed what it counts as "
        f"{words.plain(one.metric.removesuffix('_count'))}s on {one.changed_on}"
        for one in facts.definition_changes
        if any(
            week.platform == one.platform
            and week.week_start <= one.changed_on
            and weeks[-1].week_start >= one.changed_on
            for week in shown_weeks
        )
    ]
    return f"{'; '.join(told)}: do not compare across that day." if told else None


def _effects_variant(table: SegmentTable, scraped: str, *, with_dimension: bool) -> Variant:
    n = _size(table)
    dimension = f"{words.plain(table.dimension)}, " if with_dimension else ""
    null_best = next((row.null_best for row in table.rows if row.null_best is not None), None)
    return Variant(
        label=f"{words.platform(table.platform)}: {dimension}"
        f"{OUTCOME_WORDS.get(table.outcome, table.outcome)}",
        source=Source("stats.segment_effects", words.posts(n), INTERVAL, AT_7_DAYS, scraped),
        table=Table(
            column_names(
                words.plain(table.dimension).capitalize(), "Verdict", "Times the usual", "From",
                "To", "Posts", text=2,
            ),
            tuple(
                (
                    row.name,
                    _verdict(row.verdict, row.posts_needed),
                    words.ratio(row.effect),
                    words.ratio(row.effect_low),
                    words.ratio(row.effect_high),
                    str(row.n),
                )
                for row in table.rows
            ),
        ),
        chart=effects_chart(table),
        note=None
        if null_best is None
        else f"If nothing mattered, the best of these would still show about "
        f"{words.ratio(null_best)} by chance.",
    )  # fmt: skip


def _size(table: SegmentTable) -> int:
    return max(row.account_n for row in table.rows)


def _verdict(verdict: str, posts_needed: int | None) -> str:
    if verdict == "not_enough_data" and posts_needed:
        return f"not enough data, needs {words.posts(posts_needed)} more"
    return words.plain(verdict)


def _pillar_format_variant(cells: Sequence[PillarFormatCell], scraped: str) -> Variant | None:
    if not any(cell.effect for cell in cells):
        return None
    first = cells[0]
    outcome = OUTCOME_WORDS[first.outcome]
    chart = heatmap_chart(
        [
            HeatCell(cell.pillar, cell.format, cell.n, cell.effect, cell.effect_low,
                     cell.effect_high)
            for cell in cells
        ],
        rows=_by_size((cell.pillar, cell.n) for cell in cells),
        columns=_by_size((cell.format, cell.n) for cell in cells),
        row_title="pillar",
        column_title="format",
        title=f"{outcome[0].upper()}{outcome[1:]}, by pillar and format",
        subtitle=f"{first.platform}, {sum(cell.n for cell in cells):,} posts",
    )  # fmt: skip
    return Variant(
        label=f"{words.platform(first.platform)}: {outcome}",
        source=Source(
            "marts.dim_post, intermediate.int_post_outcomes",
            words.posts(sum(cell.n for cell in cells)),
            INTERVAL,
            AT_7_DAYS,
            scraped,
        ),
        n=sum(cell.n for cell in cells),
        table=Table(
            column_names("Pillar", "Format", "Times the usual", "From", "To", "Posts", text=2),
            tuple(
                (
                    cell.pillar,
                    cell.format,
                    words.ratio(cell.effect),
                    words.ratio(cell.effect_low),
                    words.ratio(cell.effect_high),
                    str(cell.n),
                )
                for cell in cells
            ),
        ),
        chart=chart,
        note=_by_chance(sum(cell.effect is not None for cell in cells)),
    )


def _by_chance(cell_count: int) -> str:
    """How many cells of a 90 % interval have a colour without any difference."""
    expected = max(1, round(0.1 * cell_count))
    return f"Of {cell_count} cells about {expected} would have a colour by chance."


def _week_variant(cells: Sequence[TimeCell], scraped: str) -> Variant | None:
    first = cells[0]
    outcome = OUTCOME_WORDS[first.outcome]
    enough = [cell for cell in cells if _is_enough(cell)]
    if not enough:
        return None
    chart = heatmap_chart(
        [
            HeatCell(
                cell.daypart,
                _WEEKDAYS[cell.local_weekday - 1],
                cell.n,
                cell.effect if _is_enough(cell) else None,
                cell.effect_low,
                cell.effect_high,
            )
            for cell in cells
        ],
        rows=[part for part in _DAYPARTS if any(cell.daypart == part for cell in cells)],
        columns=_WEEKDAYS,
        row_title="part of the day",
        column_title="weekday",
        title=f"{outcome[0].upper()}{outcome[1:]}, by weekday and part of the day",
        subtitle=f"{first.platform}, {sum(cell.n for cell in cells):,} posts",
    )
    return Variant(
        label=f"{words.platform(first.platform)}: {outcome}",
        source=Source(
            "marts.mart_timing",
            words.posts(sum(cell.n for cell in cells)),
            INTERVAL,
            AT_7_DAYS,
            scraped,
        ),
        n=sum(cell.n for cell in cells),
        table=Table(
            column_names("Weekday", "Part of the day", "Verdict", "Times the usual", "From", "To",
                         "Posts", text=3),
            tuple(
                (
                    _WEEKDAYS[cell.local_weekday - 1],
                    cell.daypart,
                    words.plain(cell.verdict) if _is_enough(cell) else "not enough data",
                    words.ratio(cell.effect if _is_enough(cell) else None),
                    words.ratio(cell.effect_low if _is_enough(cell) else None),
                    words.ratio(cell.effect_high if _is_enough(cell) else None),
                    str(cell.n),
                )
                for cell in cells
            ),
        ),
        chart=chart,
        note="A cell is told by the effects of its weekday and its part of the day together. "
        + _by_chance(len(enough)),
    )  # fmt: skip


def _is_enough(cell: TimeCell) -> bool:
    return cell.n >= MIN_POSTS_OF_A_CELL and cell.effect is not None


def _by_size(counted: Iterable[tuple[str, int]]) -> list[str]:
    """Names with the most posts first."""
    totals: dict[str, int] = {}
    for name, n in counted:
        totals[name] = totals.get(name, 0) + n
    return sorted(totals, key=lambda name: (-totals[name], name))
