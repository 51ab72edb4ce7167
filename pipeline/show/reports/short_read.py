"""An account in half a minute: what works, what does not, and what to try next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.learn.findings import Direction, Finding, find
from pipeline.show.figure_words import interval, percent, percent_range, times
from pipeline.show.reports.exploration import ExplorationSegment, exploration_segments
from pipeline.show.reports.failures import FailureSegment, failure_segments
from pipeline.show.reports.overview import ProfileOverview, profile_overviews
from pipeline.show.reports.rows import read_rows
from pipeline.show.reports.wording import dimension_words, not_enough, outcome_words, posts_of

if TYPE_CHECKING:
    import duckdb

MOST_NEEDED = 30
"""A difference that takes more posts than this to settle is no plan for the next weeks."""

MIN_POSTS = 10
LEAST_KNOWN_SHARE = 0.25
"""With a value at 7 days for a smaller part of so many posts, scrapes come too seldom."""

MIN_PROMISE = 1.1
"""Below this ratio a segment is not worth posts that would settle it."""


@dataclass(frozen=True)
class ShortLine:
    """One sentence with the figures that it states; those it does not state are None."""

    sentence: str
    platform: str
    dimension: str | None
    segment: str | None
    """None for what is about the whole profile."""
    n: int
    """Posts that the sentence rests on."""
    outcome: str | None = None
    age_hours: float | None = None
    value: float | None = None
    """A ratio to the account's usual, or a share of the newest posts."""
    value_low: float | None = None
    value_high: float | None = None
    """With ``value_low``: the 90 % interval."""
    confidence: str | None = None
    """high, medium or low, of a finding."""


@dataclass(frozen=True)
class ShortRead:
    """The three answers, each with the most worth while first; nothing is cut."""

    account_name: str
    works: tuple[ShortLine, ...]
    does_not_work: tuple[ShortLine, ...]
    try_next: tuple[ShortLine, ...]


@dataclass(frozen=True)
class _Promise:
    platform: str
    dimension: str
    segment: str
    outcome: str
    age_hours: int
    n: int
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    posts_needed: int


# One outcome speaks for a segment: they move together.
_SEGMENTS = """
select
    platform, dimension, segment, outcome, age_hours, n, effect, effect_low, effect_high,
    posts_needed
from stats.segment_effects
where account_name = $account_name
  and list_contains(['views_7d', 'engagement_7d'], outcome)
  and list_contains(['format', 'pillar', 'hook_style', 'cta'], dimension)
  and posts_needed between 1 and $most and {condition}
qualify row_number() over (partition by {of_each}) = 1
order by {order}
"""
_PROMISING = _SEGMENTS.format(
    condition="verdict = 'no_clear_difference' and effect >= $least",
    of_each="dimension, segment order by posts_needed, effect desc, platform, outcome",
    order="posts_needed, effect desc, dimension, segment, platform",
)
_UNMEASURED = _SEGMENTS.format(
    condition="verdict = 'not_enough_data'",
    of_each="platform, dimension, segment order by posts_needed, outcome desc",
    order="posts_needed, dimension, segment, platform",
)


def short_read(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str,
    findings: Sequence[Finding] | None = None,
) -> ShortRead:
    """What an account's posts say, in sentences made of the figures of the published copy.

    Args:
        connection: To a published copy.
        account_name: The account.
        findings: What :func:`pipeline.learn.findings.find` gave for it, when it is known already.
    """
    found = find(connection, account_name) if findings is None else findings
    failures = failure_segments(connection, account_name, verdict="over_represented")
    worse = [finding for finding in found if finding.direction is Direction.WORSE]
    told = {(finding.platform, finding.dimension, finding.segment) for finding in worse}
    new = {
        (row.platform, row.dimension, row.segment): _failure_line(row)
        for row in reversed(failures)
        if (row.platform, row.dimension, row.segment) not in told
    }
    return ShortRead(
        account_name=account_name,
        works=tuple(
            _finding_line(finding) for finding in found if finding.direction is Direction.BETTER
        ),
        does_not_work=(*(_finding_line(finding) for finding in worse), *reversed(new.values())),
        try_next=(
            *_seldom_scraped(profile_overviews(connection, account_name)),
            *_promising(connection, account_name),
            *_unexplored(exploration_segments(connection, account_name)),
            *_unmeasured(connection, account_name),
        ),
    )


def _seldom_scraped(profiles: Sequence[ProfileOverview]) -> list[ShortLine]:
    """Profiles most of whose posts were not seen around day 7, so that they cannot be compared."""
    known = [
        (profile, max(profile.views_7d_count, profile.engagement_7d_count)) for profile in profiles
    ]
    return [
        ShortLine(
            sentence=(
                f"scrape daily: only {n} of {profile.post_count} posts on {profile.platform} have "
                "a value at 7 days, which takes scrapes around that age"
            ),
            platform=profile.platform,
            dimension=None,
            segment=None,
            n=profile.post_count,
        )
        for profile, n in known
        if profile.post_count >= MIN_POSTS and LEAST_KNOWN_SHARE * profile.post_count > n
    ]


def _finding_line(finding: Finding) -> ShortLine:
    return ShortLine(
        sentence=(
            f"{posts_of(finding.dimension, finding.segment)} on {finding.platform} get "
            f"{times(finding.effect)} the account's usual {outcome_words(finding.outcome)} (90 % "
            f"interval {interval(finding.effect_low, finding.effect_high)}, {finding.n} posts)"
        ),
        platform=finding.platform,
        dimension=finding.dimension,
        segment=finding.segment,
        n=finding.n,
        outcome=finding.outcome,
        age_hours=finding.age_hours,
        value=finding.effect,
        value_low=finding.effect_low,
        value_high=finding.effect_high,
        confidence=finding.confidence.value,
    )


def _failure_line(row: FailureSegment) -> ShortLine:
    return _line(
        row,
        f"{posts_of(row.dimension, row.segment)} on {row.platform} are among the weakest fifth "
        f"by {outcome_words(row.outcome)} {times(row.ratio)} as often as by chance (90 % "
        f"interval {interval(row.ratio_low, row.ratio_high)}, {row.worst_n} of {row.n} posts)",
        (row.ratio, row.ratio_low, row.ratio_high),
    )


def _promising(connection: "duckdb.DuckDBPyConnection", account_name: str) -> "list[ShortLine]":
    values = {"account_name": account_name, "least": MIN_PROMISE, "most": MOST_NEEDED}
    return [
        _line(
            row,
            f"{posts_of(row.dimension, row.segment)} on {row.platform} look like "
            f"{times(row.effect)} the usual {outcome_words(row.outcome)} (90 % interval "
            f"{interval(row.effect_low, row.effect_high)}, {row.n} posts): about "
            f"{row.posts_needed} more would tell",
            (row.effect, row.effect_low, row.effect_high),
        )
        for row in read_rows(connection, _Promise, _PROMISING, values)
    ]


def _unmeasured(connection: "duckdb.DuckDBPyConnection", account_name: str) -> "list[ShortLine]":
    values = {"account_name": account_name, "most": MOST_NEEDED}
    return [
        _line(
            row,
            f"{posts_of(row.dimension, row.segment)} on {row.platform}, "
            f"{outcome_words(row.outcome)}: "
            + not_enough(
                row.n, row.posts_needed, posts_of(row.dimension, row.segment, row.posts_needed)
            ),
            (row.effect, row.effect_low, row.effect_high),
        )
        for row in read_rows(connection, _Promise, _UNMEASURED, values)
    ]


def _line(
    row: FailureSegment | _Promise,
    sentence: str,
    figure: tuple[float | None, float | None, float | None],
) -> ShortLine:
    value, low, high = figure
    return ShortLine(
        sentence=sentence,
        platform=row.platform,
        dimension=row.dimension,
        segment=row.segment,
        n=row.n,
        outcome=row.outcome,
        age_hours=row.age_hours,
        value=value,
        value_low=low,
        value_high=high,
    )


def _unexplored(rows: Sequence[ExplorationSegment]) -> list[ShortLine]:
    order = ("untested", "over_indexed", "long_unused", "rarely_used")
    chosen = [row for row in rows if row.status in order]
    return [
        ShortLine(
            sentence=_unexplored_sentence(row),
            platform=row.platform,
            dimension=row.dimension,
            segment=row.segment,
            n=row.recent_n,
            value=row.recent_share,
            value_low=row.recent_share_low,
            value_high=row.recent_share_high,
        )
        for row in sorted(chosen, key=lambda row: order.index(row.status))
    ]


def _unexplored_sentence(row: ExplorationSegment) -> str:
    what = f"the {dimension_words(row.dimension)} {row.segment}"
    of = f"of {row.labelled_post_count} posts on {row.platform}"
    if row.status == "untested":
        return f"{what} is listed and was never tried: 0 {of}"
    if row.status == "rarely_used":
        return f"{what} was hardly tried: {row.post_count} {of}"
    if row.status == "long_unused":
        return (
            f"{what} was last used {row.days_since_used} days ago on {row.platform} "
            f"({row.post_count} of {row.labelled_post_count} posts)"
        )
    return (
        f"fewer {posts_of(row.dimension, row.segment)} on {row.platform}: they are "
        f"{row.recent_post_count} of the newest {row.recent_n} (90 % interval "
        f"{percent_range(row.recent_share_low, row.recent_share_high)}; evenly it would be "
        f"{percent(row.even_share)})"
    )
