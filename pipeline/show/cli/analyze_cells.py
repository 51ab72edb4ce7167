"""What ``afterpost analyze --focus`` prints of times, slides, hook scores and growth."""

from collections.abc import Sequence

from pipeline.learn.predict.account_growth import AccountForecast
from pipeline.show.cli import output
from pipeline.show.cli.analyze_tables import (
    accounts,
    by_platform,
    numbers,
    ratios,
    say_lacking,
    show,
    texts,
)
from pipeline.show.figure_words import (
    MISSING,
    count,
    count_range,
    day_of_year,
    interval,
    percent,
    percent_range,
    times,
)
from pipeline.show.reports.cells import SlideCell, TimeCell
from pipeline.show.reports.growth import GrowthPoint, ProjectedPost
from pipeline.show.reports.hook_scores import HookScore
from pipeline.show.reports.wording import (
    WEEKDAYS,
    measure_words,
    needs,
    not_enough,
    outcome_words,
    verdict_words,
)

SEVEN_DAYS_HOURS = 168
CELLS_SHOWN = 8
POSTS_SHOWN = 10


def show_hook_scores(scores: Sequence[HookScore]) -> None:
    """Whether the generator's own mark for a hook says anything."""
    if not scores:
        return
    show(
        texts("platform", (row.platform for row in scores)),
        texts("at 7 days", (measure_words(row.outcome) for row in scores)),
        numbers("n", (str(row.n) for row in scores)),
        numbers("correlation", (_signed(row.correlation) for row in scores)),
        numbers("90 % interval", (_signed_interval(row) for row in scores)),
        texts(
            "verdict",
            (
                verdict_words(row.verdict, short=True)
                if row.correlation is not None
                else needs(row.posts_needed, "post")
                for row in scores
            ),
        ),
        title="Does the generator's hook score go along with how posts do?",
        most=None,
    )
    output.say("+1 always, 0 not at all, -1 the other way round; formats taken apart.")


def _signed(correlation: float | None) -> str:
    return MISSING if correlation is None else f"{correlation:+.2f}"


def _signed_interval(row: HookScore) -> str:
    if row.correlation_low is None or row.correlation_high is None:
        return MISSING
    return f"{_signed(row.correlation_low)} to {_signed(row.correlation_high)}"


def show_times(cells: Sequence[TimeCell]) -> None:
    """Weekday and part of the day together: the best times and the worst."""
    for platform, own in by_platform(cells):
        known = [cell for cell in own if cell.effect is not None and cell.n]
        if not known:
            continue
        ends = sorted(known, key=lambda cell: (-(cell.effect or 1.0), cell.local_weekday))
        shown = ends if len(ends) <= CELLS_SHOWN else [*ends[:5], *ends[-3:]]
        show(
            texts(
                "time of posting",
                (f"{WEEKDAYS[cell.local_weekday - 1][:3]} {cell.daypart}" for cell in shown),
            ),
            numbers("n", (str(cell.n) for cell in shown)),
            *ratios("effect", ((one.effect, one.effect_low, one.effect_high) for one in shown)),
            numbers("its own posts", map(_own, shown)),
            texts("verdict", (verdict_words(cell.verdict, short=True) for cell in shown)),
            title=f"{platform}: best and worst times, {outcome_words(own[0].outcome)}",
        )
        output.say(
            "On the account's own clock. A time's own posts are told apart from 8 of them on."
        )
        output.say()


def _own(cell: TimeCell) -> str:
    if cell.own_effect is None:
        return MISSING
    return f"{times(cell.own_effect)} ({interval(cell.own_effect_low, cell.own_effect_high)})"


def show_slides(cells: Sequence[SlideCell]) -> None:
    """Formats by their number of slides, where there are enough of them."""
    for platform, own in by_platform(cells):
        title = f"{platform}: slides per format, {outcome_words(own[0].outcome)}"
        known = [cell for cell in own if cell.own_effect is not None]
        if known:
            show(
                texts("format", (cell.format for cell in known)),
                numbers("slides", (str(cell.slide_count) for cell in known)),
                numbers("n", (str(cell.n) for cell in known)),
                *ratios(
                    "effect",
                    ((one.own_effect, one.own_effect_low, one.own_effect_high) for one in known),
                ),
                texts("verdict", (verdict_words(cell.verdict, short=True) for cell in known)),
                title=title,
                most=None,
            )
            output.say("1.00× is the format's usual carousel.")
        else:
            output.say(title, style="bold")
        near = sorted(
            (cell for cell in own if cell.own_effect is None and cell.posts_needed),
            key=lambda cell: (cell.posts_needed or 0, cell.format, cell.slide_count),
        )
        say_lacking([_lacking_words(cell) for cell in near])
        output.say()


def _lacking_words(cell: SlideCell) -> str:
    noun = "post" if cell.posts_needed == 1 else "posts"
    what = f"{cell.slide_count}-slide {cell.format} {noun}"
    return (
        f"{cell.format}, {cell.slide_count} slides: {not_enough(cell.n, cell.posts_needed, what)}"
    )


def show_growth(points: Sequence[GrowthPoint], *, is_all: bool) -> None:
    """How much of its 7-day value a post has at an age."""
    if not points:
        output.say("Not enough data: it takes 5 posts that are known at 7 days and another age.")
        return
    # At 7 days every post has all of it; of several accounts, views speak for engagement.
    later = [point for point in points if point.age_hours != SEVEN_DAYS_HOURS]
    shown = [point for point in later if not is_all or point.metric == "view"] or later
    show(
        *accounts(shown, is_all=is_all),
        texts("platform", (one.platform for one in shown)),
        texts("of", ("views" if one.metric == "view" else one.metric for one in shown)),
        numbers("age", (f"{one.age_hours:.0f} h" for one in shown)),
        numbers("n", (str(one.post_count) for one in shown)),
        numbers("of 7 d", (percent(one.share_of_7d_median) for one in shown)),
        numbers(
            "90 %",
            (
                percent_range(one.share_of_7d_median_low, one.share_of_7d_median_high)
                for one in shown
            ),
        ),
        numbers(
            "80 % of posts",
            (percent_range(one.share_of_7d_p10, one.share_of_7d_p90) for one in shown),
        ),
        title="Share of its 7-day value that the middle post has at an age",
    )


def show_projected(posts: Sequence[ProjectedPost]) -> None:
    """What young posts are expected to reach, the most promising first."""
    for platform, own in by_platform(posts):
        views = [post for post in own if post.metric == "view"] or own
        output.say()
        show(
            texts("young post", map(_caption, views), is_shortened=True),
            numbers("age", (f"{post.observed_age_hours:.0f} h" for post in views)),
            numbers("now", (count(post.observed_count) for post in views)),
            numbers("at 7 days", (count(post.expected_count) for post in views)),
            numbers(
                "80 % interval",
                (
                    count_range(post.expected_count_low_80, post.expected_count_high_80)
                    for post in views
                ),
            ),
            numbers("n", (str(post.n) for post in views)),
            title=(
                f"{platform}: what young posts are expected to reach, "
                f"{'views' if views[0].metric == 'view' else views[0].metric}"
            ),
            most=POSTS_SHOWN,
        )
        output.say("n: posts that the expectation was learned from.")


def show_forecasts(forecasts: Sequence[AccountForecast]) -> None:
    """What a profile's totals are expected to come to, and which are not known for long enough."""
    known = [one for one in forecasts if one.expected_count is not None]
    if known:
        output.say()
        show(
            texts("platform", (one.platform for one in known)),
            texts("total", (one.metric for one in known)),
            numbers("now", (count(one.count) for one in known)),
            texts("on", (day_of_year(one.seen_on) for one in known)),
            numbers("in", (f"{one.horizon_days} days" for one in known)),
            numbers("expected", (count(one.expected_count) for one in known)),
            numbers(
                "80 % interval",
                (count_range(one.expected_count_low_80, one.expected_count_high_80)
                 for one in known),
            ),
            title="What the profiles' totals are expected to come to",
        )  # fmt: skip
    lacking: dict[tuple[str, int, int], list[str]] = {}
    for one in forecasts:
        if one.expected_count is None and one.horizon_days == forecasts[0].horizon_days:
            missing = one.needed_days - one.known_days
            lacking.setdefault((one.platform, one.known_days, missing), []).append(one.metric)
    for (platform, days, missing), metrics in lacking.items():
        output.say()
        output.say(
            f"{platform}, {', '.join(metrics)} in 7 and 30 days: "
            + not_enough(days, missing, "days with a scrape")
        )


def _caption(post: ProjectedPost) -> str:
    return output.plain(post.caption or f"(post {post.post_id})")
