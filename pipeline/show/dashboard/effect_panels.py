"""Panels about what makes a difference: weeks of posting, and segments one by one."""

from collections.abc import Sequence

from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.charts.effects import effects_chart
from pipeline.show.charts.trend import trend_chart
from pipeline.show.dashboard import words
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names
from pipeline.show.reports.segments import Focus, SegmentTable
from pipeline.show.reports.trends import TREND_OUTCOMES, WeekTrend

INTERVAL = f"90{words.NBSP}% interval"
AT_7_DAYS = "at 7 days of age"
_OUTCOME_LABELS = {name: f"{text[0].upper()}{text[1:]}" for name, text in OUTCOME_WORDS.items()}


def trend_panel(facts: Facts) -> Panel:
    """Typical posts by week."""
    scraped = words.moment(facts.scraped_at)
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
    scraped = words.moment(facts.scraped_at)
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


def _weeks_table(weeks: Sequence[WeekTrend], outcome: str, *, is_index: bool) -> Table:
    def value(number: float | None) -> str:
        if is_index:
            return words.times(number)
        return words.percent(number) if "rate" in outcome else words.count(number)

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
                    *words.ratios(row.effect, row.effect_low, row.effect_high),
                    str(row.n),
                )
                for row in table.rows
            ),
        ),
        chart=effects_chart(table),
        note=None
        if null_best is None
        else f"If nothing mattered, the best of these would still show about "
        f"{words.times(null_best)} by chance.",
    )  # fmt: skip


def _size(table: SegmentTable) -> int:
    return max(row.account_n for row in table.rows)


def _verdict(verdict: str, posts_needed: int | None) -> str:
    if verdict == "not_enough_data" and posts_needed:
        return f"not enough data, needs {words.posts(posts_needed)} more"
    return words.plain(verdict)
