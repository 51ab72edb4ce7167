"""What ``afterpost analyze --focus`` prints of cadence, saves, failures, 80/20 and exploration."""

from collections.abc import Sequence

from pipeline.show.cli import output
from pipeline.show.cli.analyze_tables import (
    accounts,
    by_platform,
    names,
    numbers,
    ratios,
    say_lacking,
    show,
    texts,
)
from pipeline.show.figure_words import (
    MISSING,
    NBSP,
    count,
    interval,
    moment,
    percent,
    percent_range,
    times,
)
from pipeline.show.reports.cadence import Cadence
from pipeline.show.reports.exploration import ExplorationSegment
from pipeline.show.reports.failures import FailedPost, FailureSegment
from pipeline.show.reports.pareto import Pareto
from pipeline.show.reports.saves import SaveVsShare
from pipeline.show.reports.wording import (
    column_words,
    dimension_words,
    measure_words,
    needs,
    not_enough,
    outcome_words,
    posts_of,
    segment_words,
    verdict_words,
)

KIND_WORDS = {
    "high_save": "saved",
    "high_share": "shared",
    "high_both": "both",
    "neither": "neither",
    "not_enough_data": "not enough data",
    "unclassified": "not published",
}


def show_cadence(rows: Sequence[Cadence], *, is_all: bool) -> None:
    """How often the account posts, and what more posts in a week go along with."""
    if not rows:
        output.say("Not enough data: no week with posts is over for 7 days yet.")
        return
    for platform, own in by_platform(rows):
        if is_all:
            # One outcome speaks for an account; --json has all.
            shown = [row for row in own if row.outcome == own[0].outcome]
            subject = texts("account", names(shown), is_shortened=True)
        else:
            shown, first = own, own[0]
            subject = texts(
                "at 7 days", (measure_words(row.outcome) for row in own), is_shortened=True
            )
            mean, low, high = (
                MISSING if value is None else f"{value:.1f}"
                for value in (
                    first.posts_per_week_mean,
                    first.posts_per_week_mean_low,
                    first.posts_per_week_mean_high,
                )
            )
            output.say(
                f"{platform}: {mean} posts a week (90 % interval {low}–{high}, "
                f"{first.week_count} weeks)",
                style="bold",
            )
        show(
            subject,
            numbers("weeks", (str(row.week_count) for row in shown)),
            numbers("posts", (str(row.post_count) for row in shown)),
            *ratios(
                "if doubled", ((row.doubling, row.doubling_low, row.doubling_high) for row in shown)
            ),
            texts(
                "verdict",
                (
                    verdict_words(row.verdict, short=is_all)
                    if row.doubling is not None
                    else needs(row.weeks_needed, "week")
                    for row in shown
                ),
            ),
            title=f"{platform}: {outcome_words(own[0].outcome)}" if is_all else None,
        )
        output.say()
    output.say("If doubled: what each post gets in a week of twice as many, beside the usual week.")


def show_saves(rows: Sequence[SaveVsShare], *, is_all: bool) -> None:
    """Which segments are saved, and which are passed on."""
    if not rows:
        output.say("Not enough data: no post has known saves and shares at 7 days yet.")
        return
    for platform, own in by_platform(rows):
        if all(row.classification == "unclassified" for row in own):
            output.say(f"{platform}: saves and shares are not both known, so nothing can be said.")
            output.say()
            continue
        for dimension in dict.fromkeys(row.dimension for row in own):
            found = [row for row in own if row.dimension == dimension]
            _show_saves_of(platform, dimension, found, is_all=is_all)
    output.say("1.00× is the account's own usual saves or shares per view.")


def _show_saves_of(
    platform: str, dimension: str, rows: Sequence[SaveVsShare], *, is_all: bool
) -> None:
    shown = [row for row in rows if row.save_effect is not None or row.share_effect is not None]
    if is_all:
        shown = [row for row in shown if row.classification.startswith("high")]
    title = f"{platform}, {dimension_words(dimension)}: saves and shares per view at 7 days"
    if not shown:
        output.say(title, style="bold")
        output.say("Nothing is clearly saved or shared more than usual." if is_all else
                   "Not enough data.")  # fmt: skip
        output.say()
        return
    show(
        *accounts(shown, is_all=is_all),
        texts(column_words(dimension), (row.segment for row in shown), is_shortened=True),
        numbers("n", (str(row.save_n or row.share_n or 0) for row in shown)),
        *ratios(
            "saved",
            ((one.save_effect, one.save_effect_low, one.save_effect_high) for one in shown),
            "90 %",
        ),
        *ratios(
            "shared",
            ((one.share_effect, one.share_effect_low, one.share_effect_high) for one in shown),
            "90 %",
        ),
        texts("high in", (KIND_WORDS.get(row.classification, row.classification) for row in shown)),
        title=title,
    )
    if not is_all:
        say_lacking([_lacking_words(row) for row in rows if row not in shown])
    output.say()


def _lacking_words(row: SaveVsShare) -> str:
    what = posts_of(row.dimension, row.segment, row.posts_needed)
    return f"{row.segment}: {not_enough(row.save_n, row.posts_needed, what)}"


def show_failures(rows: Sequence[FailureSegment], *, is_all: bool) -> None:
    """What the weakest fifth of the posts have in common."""
    patterns = [row for row in rows if row.verdict == "over_represented"]
    measured = [row for row in rows if row.ratio is not None]
    if not patterns:
        output.say(
            "No pattern: nothing is among the weakest posts clearly more often than by chance."
            if measured or is_all
            else "Not enough data: no account's segment has 5 posts with a value at 7 days yet."
        )
        shown, title = ([] if is_all else measured[:5]), "Closest to one, at 7 days"
    else:
        shown, title = patterns, "What the weakest fifth of the posts at 7 days have in common"
    if not shown:
        return
    show(
        *accounts(shown, is_all=is_all),
        texts(
            "posts", (segment_words(row.dimension, row.segment) for row in shown), is_shortened=True
        ),
        texts("platform", (row.platform for row in shown)),
        texts("by", (measure_words(row.outcome) for row in shown)),
        numbers("of n", (f"{row.worst_n}{NBSP}of{NBSP}{row.n}" for row in shown)),
        *ratios("chance ×", ((row.ratio, row.ratio_low, row.ratio_high) for row in shown), "90 %"),
        title=title,
    )
    output.say("1.00× is as often as by chance: one post in five.")


def show_failed_posts(posts: Sequence[FailedPost]) -> None:
    """The weakest posts of each platform."""
    for platform, own in by_platform(posts):
        output.say()
        show(
            texts("posted", (moment(post.posted_at)[:10] for post in own)),
            texts(
                "post",
                (output.plain(post.caption or f"(post {post.post_id})") for post in own),
                is_shortened=True,
            ),
            texts("format", (post.format or MISSING for post in own), is_shortened=True),
            texts("pillar", (post.pillar or MISSING for post in own), is_shortened=True),
            numbers(measure_words(own[0].outcome), (count(post.value) for post in own)),
            numbers("of usual", (times(post.multiple_of_median) for post in own)),
            title=f"{platform}: the weakest of {own[0].account_n} posts at 7 days",
            most=None,
        )


def show_pareto(rows: Sequence[Pareto], *, is_all: bool) -> None:
    """How much the best fifth of the posts brings, beside what luck gives."""
    if not rows:
        output.say("Not enough data: no post has a known value at 7 days yet.")
        return
    if is_all:
        telling = {(row.account_name, row.platform): row.outcome for row in reversed(rows)}
        rows = [row for row in rows if telling[row.account_name, row.platform] == row.outcome]
    show(
        *accounts(rows, is_all=is_all),
        texts("platform", (row.platform for row in rows)),
        texts("of", (measure_words(row.outcome) for row in rows)),
        numbers("n", (str(row.n) for row in rows)),
        numbers(f"best{NBSP}fifth", (percent(row.top_share) for row in rows)),
        numbers("90 %", (percent_range(row.top_share_low, row.top_share_high) for row in rows)),
        numbers(
            f"luck{NBSP}alone",
            (percent_range(row.noise_top_share_low, row.noise_top_share_high) for row in rows),
        ),
        texts(
            "verdict",
            (
                verdict_words(row.verdict)
                if row.top_share is not None
                else needs(row.posts_needed, "post")
                for row in rows
            ),
        ),
        title="How much of everything at 7 days the best fifth of the posts brings",
    )
    if any(row.top_share is not None for row in rows):
        output.say("As noise: that few posts bring most is luck here, and no trait of the account.")
    if is_all:
        return
    for row in rows:
        if row.top_post_share is None:
            continue
        low, high = row.top_share_without_top_post_low, row.top_share_without_top_post_high
        output.say_indented(
            f"  {row.platform}, {outcome_words(row.outcome)}: the best of {row.n} posts alone "
            f"brought {percent(row.top_post_share)} (post {output.plain(row.top_post_id or '')}); "
            f"without it the best fifth brings {percent(row.top_share_without_top_post)} "
            f"(90 % interval {percent_range(low, high)})"
        )


def show_exploration(rows: Sequence[ExplorationSegment], *, is_all: bool) -> None:
    """What the newest posts are, and what was never or long not tried."""
    if not rows:
        output.say("Not enough data: no post has a format, a pillar or a call to action yet.")
        return
    if is_all:
        rows = [row for row in rows if row.status not in {"in_use", "not_enough_data"}]
        if not rows:
            output.say("Every account uses all that it lists, and nothing far too often.")
            return
        _show_exploration_table("What accounts do not try, or overuse", rows, is_all=True)
        return
    groups: dict[tuple[str, str], list[ExplorationSegment]] = {}
    for row in rows:
        groups.setdefault((row.platform, row.dimension), []).append(row)
    for (platform, dimension), found in groups.items():
        first = found[0]
        title = f"{platform}, {dimension_words(dimension)}: the newest {first.recent_n} posts"
        if first.posts_needed:
            output.say(title, style="bold")
            noun = "post" if first.posts_needed == 1 else "posts"
            what = f"{noun} with a {dimension_words(dimension)}"
            output.say(f"{not_enough(first.labelled_post_count, first.posts_needed, what)}.")
        else:
            _show_exploration_table(title, found, is_all=False)
            output.say(
                f"Evenly spread would be {percent(first.even_share)} each; spread "
                f"{times(first.entropy_normalised).rstrip('×')} of 1 (90 % interval "
                f"{interval(first.entropy_normalised_low, first.entropy_normalised_high)})."
            )
        output.say()


_STATUS_WORDS = {
    "untested": "never tried",
    "long_unused": "long unused",
    "rarely_used": "hardly tried",
    "over_indexed": "overused",
    "in_use": "in use",
    "not_enough_data": "not enough data",
}


def _show_exploration_table(
    title: str, rows: Sequence[ExplorationSegment], *, is_all: bool
) -> None:
    days_ago = (
        "never" if row.days_since_used is None else f"{row.days_since_used} d ago" for row in rows
    )
    show(
        *accounts(rows, is_all=is_all),
        *([texts("platform", (row.platform for row in rows))] if is_all else []),
        texts("what", (row.segment for row in rows), is_shortened=True),
        numbers("posts", (count(row.post_count) for row in rows)),
        *([] if is_all else [numbers("last used", days_ago)]),
        numbers(
            "of newest", (f"{row.recent_post_count}{NBSP}of{NBSP}{row.recent_n}" for row in rows)
        ),
        numbers(
            "90 %", (percent_range(row.recent_share_low, row.recent_share_high) for row in rows)
        ),
        texts("", (_STATUS_WORDS.get(row.status, row.status) for row in rows)),
        title=title,
    )
