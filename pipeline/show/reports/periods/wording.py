"""How a report's figures are written, alike in every form that it takes."""

from pipeline.show.figure_words import (
    MISSING,
    count,
    day_of_year,
    interval,
    moment,
    percent,
    platform,
    plural,
    signed,
    standard_age,
    times,
    usd,
)
from pipeline.show.reports.overview import ProfileOverview
from pipeline.show.reports.periods.followers import Followers
from pipeline.show.reports.periods.money import known_total
from pipeline.show.reports.periods.movement import Direction, Movement
from pipeline.show.reports.periods.posts import ReportPost
from pipeline.show.reports.periods.report import PeriodReport, ProfileReport
from pipeline.show.reports.periods.standing import Trial
from pipeline.show.reports.wording import outcome_words, posts_of

_OUTCOMES = {"views": "Views", "engagement": "Engagements", "engagement_rate": "Engagement rate",
             "reach": "Reach"}  # fmt: skip
_ARROWS = {
    Direction.UP: "▲",
    Direction.DOWN: "▼",
    Direction.NO_CLEAR_CHANGE: "●",
    Direction.NOT_ENOUGH_DATA: "○",
}
_DIRECTIONS = {
    Direction.UP: "up",
    Direction.DOWN: "down",
    Direction.NO_CLEAR_CHANGE: "no clear change",
    Direction.NOT_ENOUGH_DATA: "not enough data",
}
_VERDICTS = {
    "worked": "worked",
    "did_not_work": "did not work",
    "cannot_tell": "cannot tell",
}


def outcome_at_age(movement: Movement) -> str:
    """What is compared at which age."""
    name = _OUTCOMES[movement.outcome]
    return name if movement.age_hours is None else f"{name} at {standard_age(movement.age_hours)}"


def direction_words(movement: Movement) -> str:
    """Up, down, no clear change or not enough data."""
    return _DIRECTIONS[movement.direction]


def arrow(movement: Movement) -> str:
    """A sign for the direction; colour is never needed to read it."""
    return _ARROWS[movement.direction]


def ratio_words(movement: Movement) -> str:
    """The ratio with its 90 % interval, such as ``1.32× (1.05–1.66)``."""
    if movement.ratio is None:
        return MISSING
    return f"{times(movement.ratio)} ({interval(movement.ratio_low, movement.ratio_high)})"


def n_words(movement: Movement) -> str:
    """How many posts stand behind it."""
    return f"{movement.n:,} and {movement.former_n:,} posts"


def lacking_words(movement: Movement) -> str:
    """What there is, and what it takes for a figure."""
    if movement.definition_changed:
        return f"{n_words(movement)}; the platform has changed what a view is"
    needed = movement.posts_needed
    where = "the former" if movement.former_n < movement.n else "these"
    return n_words(movement) + (f"; needs {needed} more of {where}" if needed else "")


def needs_words(movement: Movement) -> str:
    """Why there is no figure."""
    return f"not enough data ({lacking_words(movement)})"


LEGEND = (
    "▲ ▼ up or down by a tenth or more, at most one in ten of them by chance (so that a single "
    "interval without 1× in it is not enough); "
    "● no clear change; ○ not enough data; intervals of 90 %"
)


def movement_words(movement: Movement) -> str:
    """A movement in one line: sign, ratio, interval and n, or what is missing."""
    if movement.ratio is None:
        return f"{arrow(movement)} {needs_words(movement)}"
    words = f"{arrow(movement)} {ratio_words(movement)}, {n_words(movement)}"
    if movement.direction is Direction.NO_CLEAR_CHANGE:
        words += ", no clear change"
    return words


def middle_posts(movement: Movement) -> tuple[str, str]:
    """The middle post of the period, and of the one before."""
    if movement.outcome == "engagement_rate":
        return percent(movement.median, 2, " "), percent(movement.former_median, 2, " ")
    return count(movement.median), count(movement.former_median)


def followers_words(seen: Followers | None) -> str:
    """The count with its change and since when."""
    if seen is None:
        return MISSING
    if seen.change is None:
        return f"{count(seen.follower_count)} (seen on {day_of_year(seen.seen_on)})"
    return f"{count(seen.follower_count)} ({signed(seen.change)} since {day_of_year(seen.since)})"


def usual_figures(overview: ProfileOverview) -> tuple[str, str]:
    """The account's middle post on the platform, as the overview has it, and what that is."""
    if overview.views_7d_count or not overview.engagement_7d_count:
        return count(overview.views_7d_median), f"views at 7 days, n {overview.views_7d_count:,}"
    return (
        count(overview.engagement_7d_median),
        f"engagements at 7 days, n {overview.engagement_7d_count:,}",
    )


def posts_words(profile: ProfileReport) -> str:
    """How many posts, and how many before."""
    return f"{profile.post_count:,} (before: {profile.former_post_count:,})"


def multiple_words(post: ReportPost) -> str:
    """How far a post is from its account's usual."""
    if post.outlier_multiple is None or post.score_age_hours is None:
        return MISSING
    return (
        f"{times(post.outlier_multiple)} the usual of {post.peer_count or 0:,} posts "
        f"at {standard_age(post.score_age_hours)}"
    )


def score_words(post: ReportPost) -> str:
    """The score, of 100."""
    return MISSING if post.score is None else f"score {post.score:.0f}"


def trial_words(trial: Trial) -> str:
    """What an approved change is about."""
    return (
        f"{posts_of(trial.dimension, trial.segment)} on {platform(trial.platform)} do "
        f"{trial.direction}, by {outcome_words(trial.outcome)}"
    )


def verdict_words(trial: Trial) -> str:
    """What came of it, or how it stands."""
    told = _VERDICTS.get(trial.verdict, trial.verdict.replace("_", " "))
    n = f"{trial.n:,} and {trial.control_n:,} posts"
    if trial.effect is not None:
        told += f", {times(trial.effect)} ({interval(trial.effect_low, trial.effect_high)})"
        if trial.evidence == "before_after":
            n += ", before and after: weaker evidence"
    return f"{told}, {n}"


def progress_words(trial: Trial) -> str:
    """How far a running one is."""
    n = f"{trial.n:,} and {trial.control_n:,} posts so far"
    needed = trial.more_posts_needed
    more = "" if needed is None else f", {plural(needed, 'more post')} needed as things stand"
    return f"{n}{more}; last look {trial.horizon_at:%Y-%m-%d}"


def returns_words(report: PeriodReport) -> str | None:
    """What the posts brought in, where the platforms' own exports say so."""
    earned = report.returns
    if earned is None:
        return None
    parts = []
    if earned.revenue_usd is not None:
        of_posts = plural(earned.revenue_post_count, "post")
        parts.append(f"revenue {usd(earned.revenue_usd)} of {of_posts}")
    if earned.link_clicks is not None:
        parts.append(
            f"{count(earned.link_clicks)} link clicks of {plural(earned.click_post_count, 'post')}"
        )
    spent = f"; the period cost {usd(known_total(report.costs))}" if report.costs else ""
    return f"{' and '.join(parts)}, as the newest native exports have it{spent}"


def context_words(report: PeriodReport) -> list[str]:
    """Where the figures come from: data as of, zone, warehouse version."""
    build = report.build
    zone = report.timezone or "each account's own"
    return [
        f"Data as of {moment(build.as_of if build else None)}",
        f"Zone: {zone}",
        f"Warehouse {build.warehouse_version if build else MISSING}",
    ]
