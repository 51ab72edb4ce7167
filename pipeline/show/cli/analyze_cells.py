"""What ``afterpost analyze --focus`` prints of times, slides, hook scores and growth."""

from collections.abc import Sequence

from pipeline.show.cli import output
from pipeline.show.cli.output import Align
from pipeline.show.reports.cells import SlideCell, TimeCell
from pipeline.show.reports.growth import GrowthPoint, ProjectedPost
from pipeline.show.reports.hook_scores import HookScore
from pipeline.show.reports.wording import (
    MISSING,
    WEEKDAYS,
    interval,
    measure_words,
    needs,
    not_enough,
    outcome_words,
    percent,
    percent_range,
    times,
    verdict_words,
)

SEVEN_DAYS_HOURS = 168
CELLS_SHOWN = 8
LACKING_SHOWN = 3
ROWS_SHOWN = 24
POSTS_SHOWN = 10


def show_hook_scores(scores: Sequence[HookScore]) -> None:
    """Whether the generator's own mark for a hook says anything."""
    if not scores:
        return
    output.table(
        [
            ("platform", Align.LEFT),
            ("at 7 days", Align.LEFT),
            ("n", Align.RIGHT),
            ("correlation", Align.RIGHT),
            ("90 % interval", Align.RIGHT),
            ("verdict", Align.LEFT),
        ],
        [
            (
                row.platform,
                measure_words(row.outcome),
                str(row.n),
                MISSING if row.correlation is None else f"{row.correlation:+.2f}",
                _signed_interval(row.correlation_low, row.correlation_high),
                verdict_words(row.verdict, short=True)
                if row.correlation is not None
                else needs(row.posts_needed, "post"),
            )
            for row in scores
        ],
        title="Does the generator's hook score go along with how posts do?",
    )
    output.say("+1 always, 0 not at all, -1 the other way round; formats taken apart.")


def _signed_interval(low: float | None, high: float | None) -> str:
    return MISSING if low is None or high is None else f"{low:+.2f} to {high:+.2f}"


def show_times(cells: Sequence[TimeCell]) -> None:
    """Weekday and part of the day together: the best times and the worst."""
    for platform in dict.fromkeys(cell.platform for cell in cells):
        own = [cell for cell in cells if cell.platform == platform]
        known = [cell for cell in own if cell.effect is not None and cell.n]
        if not known:
            continue
        ends = sorted(known, key=lambda cell: (-(cell.effect or 1.0), cell.local_weekday))
        shown = ends if len(ends) <= CELLS_SHOWN else [*ends[:5], *ends[-3:]]
        output.table(
            [
                ("time of posting", Align.LEFT),
                ("n", Align.RIGHT),
                ("effect", Align.RIGHT),
                ("90 % interval", Align.RIGHT),
                ("its own posts", Align.RIGHT),
                ("verdict", Align.LEFT),
            ],
            [
                (
                    f"{WEEKDAYS[cell.local_weekday - 1][:3]} {cell.daypart}",
                    str(cell.n),
                    times(cell.effect),
                    interval(cell.effect_low, cell.effect_high),
                    _own(cell),
                    verdict_words(cell.verdict, short=True),
                )
                for cell in shown
            ],
            title=f"{platform}: best and worst times, {outcome_words(own[0].outcome)}",
        )
        output.say(
            "On the account's own clock. A time's own posts are told apart from 8 of them on."
        )
        output.say()


def _own(cell: TimeCell | SlideCell) -> str:
    if cell.own_effect is None:
        return MISSING
    return f"{times(cell.own_effect)} ({interval(cell.own_effect_low, cell.own_effect_high)})"


def show_slides(cells: Sequence[SlideCell]) -> None:
    """Formats by their number of slides, where there are enough of them."""
    for platform in dict.fromkeys(cell.platform for cell in cells):
        own = [cell for cell in cells if cell.platform == platform]
        title = f"{platform}: slides per format, {outcome_words(own[0].outcome)}"
        known = [cell for cell in own if cell.own_effect is not None]
        if known:
            output.table(
                [
                    ("format", Align.LEFT),
                    ("slides", Align.RIGHT),
                    ("n", Align.RIGHT),
                    ("effect", Align.RIGHT),
                    ("90 % interval", Align.RIGHT),
                    ("verdict", Align.LEFT),
                ],
                [
                    (
                        cell.format,
                        str(cell.slide_count),
                        str(cell.n),
                        times(cell.own_effect),
                        interval(cell.own_effect_low, cell.own_effect_high),
                        verdict_words(cell.verdict, short=True),
                    )
                    for cell in known
                ],
                title=title,
            )
            output.say("1.00× is the format's usual carousel.")
        else:
            output.say(title, style="bold")
        near = sorted(
            (cell for cell in own if cell.own_effect is None and cell.posts_needed),
            key=lambda cell: (cell.posts_needed or 0, cell.format, cell.slide_count),
        )
        for cell in near[:LACKING_SHOWN]:
            noun = "post" if cell.posts_needed == 1 else "posts"
            what = f"{cell.slide_count}-slide {cell.format} {noun}"
            output.say_indented(
                output.plain(
                    f"{cell.format}, {cell.slide_count} slides: "
                    f"{not_enough(cell.n, cell.posts_needed, what)}"
                )
            )
        output.say_more(len(near) - LACKING_SHOWN, "with too few posts")
        output.say()


def show_growth(points: Sequence[GrowthPoint], *, is_all: bool) -> None:
    """How much of its 7-day value a post has at an age."""
    if not points:
        output.say("Not enough data: it takes 5 posts that are known at 7 days and another age.")
        return
    # At 7 days every post has all of it; of several accounts, views speak for engagement.
    later = [point for point in points if point.age_hours != SEVEN_DAYS_HOURS]
    shown = [point for point in later if not is_all or point.metric == "view"] or later
    output.table(
        [
            *([("account", Align.LEFT)] if is_all else []),
            ("platform", Align.LEFT),
            ("of", Align.LEFT),
            ("age", Align.RIGHT),
            ("n", Align.RIGHT),
            ("of 7 d", Align.RIGHT),
            ("90 %", Align.RIGHT),
            ("80 % of posts", Align.RIGHT),
        ],
        [
            (
                *([point.account_name] if is_all else []),
                point.platform,
                "views" if point.metric == "view" else point.metric,
                f"{point.age_hours:.0f} h",
                str(point.post_count),
                percent(point.share_of_7d_median),
                percent_range(point.share_of_7d_median_low, point.share_of_7d_median_high),
                percent_range(point.share_of_7d_p10, point.share_of_7d_p90),
            )
            for point in shown
        ],
        title="Share of its 7-day value that the middle post has at an age",
        shorten=(0,) if is_all else (),
        most=ROWS_SHOWN,
    )


def show_projected(posts: Sequence[ProjectedPost]) -> None:
    """What young posts are expected to reach, the most promising first."""
    for platform in dict.fromkeys(post.platform for post in posts):
        own = [post for post in posts if post.platform == platform]
        views = [post for post in own if post.metric == "view"] or own
        output.say()
        output.table(
            [
                ("young post", Align.LEFT),
                ("age", Align.RIGHT),
                ("now", Align.RIGHT),
                ("at 7 days", Align.RIGHT),
                ("80 % interval", Align.RIGHT),
                ("n", Align.RIGHT),
            ],
            [
                (
                    output.plain(post.caption or f"(post {post.post_id})"),
                    f"{post.observed_age_hours:.0f} h",
                    output.count(post.observed_count),
                    output.count(post.expected_count),
                    _count_range(post.expected_count_low_80, post.expected_count_high_80),
                    str(post.n),
                )
                for post in views
            ],
            title=(
                f"{platform}: what young posts are expected to reach, "
                f"{'views' if views[0].metric == 'view' else views[0].metric}"
            ),
            shorten=(0,),
            most=POSTS_SHOWN,
        )
        output.say("n: posts that the expectation was learned from.")


def _count_range(low: float, high: float) -> str:
    return f"{output.count(low)}–{output.count(high)}"
