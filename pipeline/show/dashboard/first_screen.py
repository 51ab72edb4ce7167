"""The first screen: what works, what does not, what to try next, and how each profile stands."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.decide.wording import describe
from pipeline.learn.findings import Direction, Finding
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from pipeline.show.dashboard import words
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.words import Figure, figure
from pipeline.show.reports.cross_account import CommonEffect
from pipeline.show.reports.overview import ProfileOverview
from pipeline.show.reports.short_read import ShortLine
from pipeline.show.reports.trends import PeriodChange
from pipeline.show.reports.wording import dimension_words, outcome_words, posts_of

MOST_CLAIMS = 3
_PERIODS = {7: "7d", 30: "30d", 90: "90d"}
_LOW, _HIGH = math.log(0.25), math.log(4.0)


@dataclass(frozen=True)
class Claim:
    """A difference that was found, as the first screen says it."""

    subject: str
    verb: str
    ratio: str
    rest: str
    details: tuple[str, ...]
    direction: str
    places: tuple[float, float, float] | None = None
    """Lower bound, value and upper bound on a line from a quarter to the fourfold of the usual, in
    percent of its width; None for what is no ratio to the usual."""


@dataclass(frozen=True)
class Idea:
    """A change that waits for a decision."""

    change: str
    because: str
    details: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """A profile at a glance."""

    title: str
    handle: str
    figures: tuple[tuple[str, Figure, str], ...]
    """Name, value, and what it rests on."""
    trend: str
    """up, down or plain, for its colour."""


def claims(facts: Facts, direction: Direction) -> list[Claim]:
    """What works, or does not: what accounts share, findings by worth, patterns of failures."""
    with_account = facts.account is None
    found = [_common_claim(one) for one in _universal(facts, direction)]
    found += [_claim(one, with_account) for one in facts.findings if one.direction is direction]
    if direction is Direction.WORSE and facts.short:
        # Its findings are there already; the lines without a confidence are about failures.
        found += [
            _failure_claim(line, line.dimension, line.segment)
            for line in facts.short.does_not_work
            if line.confidence is None and line.dimension and line.segment
        ]
    return found


def ideas(settings: Settings, facts: Facts) -> list[Idea]:
    """The recommendations that wait, the best first; without any, what would be worth a try."""
    waiting = sorted(facts.waiting, key=lambda one: one.rank)
    proposed = [
        _idea(one, _context(settings, one.account_name), with_account=facts.account is None)
        for one in waiting[:MOST_CLAIMS]
    ]
    if proposed or facts.short is None:
        return proposed
    lines = (line.sentence for line in facts.short.try_next[:MOST_CLAIMS])
    return [Idea(f"{line[:1].upper()}{line[1:]}", "", ()) for line in lines]


def cards(facts: Facts) -> list[Card]:
    """One per profile."""
    period = _PERIODS.get(facts.days or 30, "30d")
    return [_card(one, _change_of(one, facts.changes, period)) for one in facts.profiles]


def _claim(finding: Finding, with_account: bool) -> Claim:
    parts = [
        finding.account_name if with_account else "",
        f"{dimension_words(finding.dimension)} on {words.platform(finding.platform)}",
        words.posts(finding.n),
        f"90{words.NBSP}% interval {words.interval(finding.effect_low, finding.effect_high)}",
        f"{finding.confidence.value} confidence",
    ]
    low, value, high = finding.effect_low, finding.effect, finding.effect_high
    return Claim(
        subject=_subject(finding.dimension, finding.segment),
        verb="have" if "rate" in finding.outcome else "get",
        ratio=words.times(finding.effect),
        rest=f"the usual {finding.outcome_words}",
        details=tuple(part for part in parts if part),
        direction=finding.direction.value,
        places=(_place(low), _place(value), _place(high)),
    )


def _universal(facts: Facts, direction: Direction) -> list[CommonEffect]:
    """What holds within all accounts, one outcome for each segment."""
    found: dict[tuple[str, str], CommonEffect] = {}
    for one in facts.common:
        if one.scope == "universal" and one.verdict == direction.value and one.effect:
            found.setdefault((one.dimension, one.segment), one)
    return list(found.values())


def _common_claim(one: CommonEffect) -> Claim:
    low, value, high = one.effect_low or 1.0, one.effect or 1.0, one.effect_high or 1.0
    return Claim(
        subject=_subject(one.dimension, one.segment),
        verb="have" if "rate" in one.outcome else "get",
        ratio=words.times(one.effect),
        rest=f"the usual {outcome_words(one.outcome)}",
        details=(
            f"in all {one.account_count} accounts",
            f"{dimension_words(one.dimension)} on {words.platform(one.platform)}",
            words.posts(one.n or 0),
            f"90{words.NBSP}% interval {words.interval(one.effect_low, one.effect_high)}",
        ),
        direction=one.verdict,
        places=(_place(low), _place(value), _place(high)),
    )


def _failure_claim(line: ShortLine, dimension: str, segment: str) -> Claim:
    return Claim(
        subject=_subject(dimension, segment),
        verb="are among the weakest fifth",
        ratio=words.times(line.value),
        rest="as often as chance would have it",
        details=(
            f"{dimension_words(dimension)} on {words.platform(line.platform)}",
            f"by {outcome_words(line.outcome or '')}",
            words.posts(line.n),
            f"90{words.NBSP}% interval {words.interval(line.value_low, line.value_high)}",
        ),
        direction=Direction.WORSE.value,
    )


def _subject(dimension: str, segment: str) -> str:
    subject = posts_of(dimension, segment)
    # A segment's own name stays as it is written.
    return f"P{subject[1:]}" if subject.startswith("posts ") else subject


def _place(ratio: float) -> float:
    share = (math.log(ratio) - _LOW) / (_HIGH - _LOW)
    return round(100 * min(1.0, max(0.0, share)), 1)


def _idea(waiting: Recommendation, context: Mapping[str, Any], *, with_account: bool) -> Idea:
    change = describe(waiting.operations, context)
    parts = [
        waiting.account_name if with_account else "",
        f"{waiting.confidence.value} confidence",
        "" if "sampled" in waiting.insight else f"{waiting.sample_size:,} posts sampled",
    ]
    return Idea(
        change=f"{change[:1].upper()}{change[1:]}",
        because=waiting.insight,
        details=tuple(part for part in parts if part),
    )


def _context(settings: Settings, account: str) -> Mapping[str, Any]:
    """The context file as it stands, only to say what a change would start from."""
    path = settings.accounts_dir / account / "performance_context.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _change_of(
    profile: ProfileOverview, changes: Sequence[PeriodChange], period: str
) -> PeriodChange | None:
    outcome = "views_7d" if profile.views_7d_count else "engagement_7d"
    fitting = (
        one
        for one in changes
        if (one.account_name, one.platform, one.outcome, one.period)
        == (profile.account_name, profile.platform, outcome, period)
    )
    return next(fitting, None)


def _card(profile: ProfileOverview, change: PeriodChange | None) -> Card:
    views = profile.views_7d_count > 0
    middle = profile.views_7d_median if views else profile.engagement_7d_median
    n = profile.views_7d_count if views else profile.engagement_7d_count
    return Card(
        title=words.platform(profile.platform),
        handle=f"@{profile.handle}" if profile.handle else "",
        figures=(
            (
                f"{'Views' if views else 'Engagement'} at 7 days, middle post",
                figure(words.count(middle), "no post has been seen at 7 days yet"),
                words.posts(n),
            ),
            _change_figure(change),
            (
                "Engagement per view, middle post",
                figure(words.percent(profile.engagement_rate_median), "needs published views"),
                "at the latest scrape",
            ),
            (
                "Followers",
                figure(words.count(profile.follower_count), "not told by any scrape"),
                words.day(profile.follower_count_at) if profile.follower_count_at else "",
            ),
            (
                "Posts",
                figure(words.count(profile.post_count), ""),
                f"{profile.snapshot_count:,} snapshots",
            ),
        ),
        trend={"up": "better", "down": "worse"}.get(change.verdict if change else "", "plain"),
    )


def _change_figure(change: PeriodChange | None) -> tuple[str, Figure, str]:
    if change is None:
        return ("Against the period before", figure(words.MISSING, "no posts in the period"), "")
    days = change.period.removesuffix("d")
    name = f"Last {days} days against the {days} before"
    told = figure(
        words.change(change.change),
        "the platform changed what it counts"
        if change.verdict == "definition_changed"
        else f"needs {words.posts(change.posts_needed)} more",
    )
    between = ""
    if told.missing is None:
        between = (
            f"{words.change(change.change_low)} to {words.change(change.change_high)}, "
            f"90{words.NBSP}% interval; "
        )
    return (name, told, f"{between}{change.n} against {words.posts(change.n_before)}")
