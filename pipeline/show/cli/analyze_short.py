"""What ``afterpost analyze`` prints in half a minute: of an account, and of all of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.show.cli import output
from pipeline.show.cli.analyze_segments import say_common
from pipeline.show.cli.analyze_tables import accounts, numbers, ratios, show, texts
from pipeline.show.figure_words import MISSING, NBSP, count, count_range, moment
from pipeline.show.reports.cross_account import AccountHighlight, CommonEffect
from pipeline.show.reports.overview import ProfileOverview
from pipeline.show.reports.platforms import METRIC_WORDS, PlatformComparison
from pipeline.show.reports.short_read import ShortLine, ShortRead
from pipeline.show.reports.wording import measure_words, not_enough, segment_words, verdict_words

if TYPE_CHECKING:
    from pipeline.learn.recommend.recommendation import Recommendation

LINES_SHOWN = 4
ENOUGH_POSTS = 30
"""From so many posts on, an account without findings is one that has none to be found yet."""

PROFILES_SHOWN = 30
COMPARISONS_SHOWN = 5
LACKING_SHOWN = 2


def show_short(
    short: ShortRead, profiles: Sequence[ProfileOverview], waiting: "Sequence[Recommendation]"
) -> None:
    """What works, what does not, and what to try next."""
    output.heading("What works")
    if not short.works and not short.does_not_work:
        known = max(
            (max(profile.views_7d_count, profile.engagement_7d_count) for profile in profiles),
            default=0,
        )
        words = (
            "Not enough data to tell any difference from chance"
            if known < ENOUGH_POSTS
            else "Nothing differs from the usual by more than chance explains"
        )
        output.say(f"{words} ({known} posts have a value at 7 days).")
    else:
        _say_lines("+", short.works, "Nothing does clearly better than the account's usual.")
        output.heading("What does not")
        _say_lines("-", short.does_not_work, "Nothing does clearly worse than the account's usual.")
    output.heading("What to try next")
    if waiting:
        one = len(waiting) == 1
        output.say(
            f"  > {len(waiting)} recommendation{'' if one else 's'} below "
            f"{'waits' if one else 'wait'} for your yes or no"
        )
    _say_lines(">", short.try_next, "" if waiting else "Nothing: go on as you are.")


def _say_lines(mark: str, lines: Sequence[ShortLine], otherwise: str) -> None:
    for line in lines[:LINES_SHOWN]:
        sure = f" [{line.confidence.upper()}]" if line.confidence else ""
        output.say_indented(f"  {mark}{sure} {output.plain(line.sentence)}")
    if len(lines) > LINES_SHOWN:
        output.say(f"  … and {len(lines) - LINES_SHOWN} more: --json")
    if not lines and otherwise:
        output.say(otherwise)


def show_all(
    profiles: Sequence[ProfileOverview],
    common: Sequence[CommonEffect],
    highlights: Sequence[AccountHighlight],
    platforms: Sequence[PlatformComparison],
) -> None:
    """The accounts, what they have in common, and their platforms side by side."""
    show_profiles(profiles, with_account=True)
    output.heading("What works in every account")
    universal = _surest([row for row in common if row.scope == "universal"])
    if universal:
        say_common(universal)
    elif all(row.scope == "not_enough_data" for row in common):
        output.say("Not enough data: it takes two accounts with figures about the same thing.")
    else:
        output.say("Nothing that holds within the accounts could be told from chance.")
    specific = _surest([row for row in common if row.scope == "account_specific"])
    if specific:
        output.heading("What differs from account to account")
        say_common(specific)
    _show_highlights(highlights)
    _show_platforms(platforms)


def _surest(rows: Sequence[CommonEffect]) -> list[CommonEffect]:
    """One outcome for each segment, the surest; the surest segment first."""
    chosen: dict[tuple[str, str, str], CommonEffect] = {}
    for row in sorted(rows, key=_doubt):
        chosen.setdefault((row.platform, row.dimension, row.segment), row)
    return list(chosen.values())


def _doubt(row: CommonEffect) -> tuple[float, int, str, str]:
    q_value = 1.0 if row.q_value is None else row.q_value
    clear = row.better_account_count + row.worse_account_count
    return (q_value, -clear, row.segment, row.outcome)


def show_profiles(profiles: Sequence[ProfileOverview], *, with_account: bool = False) -> None:
    """The overview table; usual views are those of the middle post at 7 days of age."""
    if not profiles:
        output.say("No posts yet: afterpost scrape or afterpost import, then afterpost build.")
        return
    shown = profiles[:PROFILES_SHOWN]
    middles, ns, intervals = zip(*map(_middle_post, shown), strict=True)
    scrapes = numbers("last scrape", (moment(one.last_scraped_at)[:10] for one in shown))
    show(
        *accounts(shown, is_all=with_account),
        texts("platform", (profile.platform for profile in shown)),
        numbers("posts", (count(profile.post_count) for profile in shown)),
        numbers("followers", (count(profile.follower_count) for profile in shown)),
        numbers("at 7 days", middles),
        numbers("n", ns),
        numbers("90 % interval", intervals),
        *([] if with_account else [scrapes]),
        most=None,
    )
    if len(profiles) > PROFILES_SHOWN:
        more = len(profiles) - PROFILES_SHOWN
        output.say(f"… and {more} more profiles: --json, or --account NAME")
    output.say("At 7 days: the account's middle post, of n posts that are old enough.")
    if any(profile.views_7d_median is None for profile in profiles):
        output.say("eng.: engagements, where the platform publishes no views.")


def _middle_post(profile: ProfileOverview) -> tuple[str, str, str]:
    """The middle post at 7 days by views, or else by engagements; its n and its interval."""
    if profile.views_7d_median is not None or profile.engagement_7d_median is None:
        median, n, what = profile.views_7d_median, profile.views_7d_count, "views"
        low, high = profile.views_7d_median_low, profile.views_7d_median_high
    else:
        median, n, what = profile.engagement_7d_median, profile.engagement_7d_count, "eng."
        low, high = profile.engagement_7d_median_low, profile.engagement_7d_median_high
    if median is None:
        return MISSING, str(n), MISSING
    return f"{count(median)}{NBSP}{what}", str(n), count_range(low, high)


def _show_highlights(highlights: Sequence[AccountHighlight]) -> None:
    if not highlights:
        return
    output.heading("Clearest in each account")
    shown = highlights[:PROFILES_SHOWN]
    show(
        *accounts(shown, is_all=True),
        texts("", ("+" if row.verdict == "better" else "-" for row in shown)),
        texts(
            "what",
            (f"{segment_words(row.dimension, row.segment)} ({row.platform})" for row in shown),
            is_shortened=True,
        ),
        texts("by", (measure_words(row.outcome) for row in shown)),
        *ratios("effect", ((one.effect, one.effect_low, one.effect_high) for one in shown), "90 %"),
        numbers("n", (str(row.n) for row in shown)),
        most=None,
    )
    if len(highlights) > PROFILES_SHOWN:
        output.say(f"… and {len(highlights) - PROFILES_SHOWN} more: --json, or --account NAME")
    output.say("At 7 days of age; 1.00× is the account's own usual.")


def _show_platforms(rows: Sequence[PlatformComparison]) -> None:
    if not rows:
        return
    output.heading("Platforms side by side")
    for metric in dict.fromkeys(row.metric for row in rows):
        _show_metric([row for row in rows if row.metric == metric])


def _show_metric(rows: Sequence[PlatformComparison]) -> None:
    words = METRIC_WORDS.get(rows[0].metric, rows[0].metric)
    known = [row for row in rows if row.ratio is not None]
    if known:
        shown = known[:COMPARISONS_SHOWN]
        between = f"{NBSP}:{NBSP}"
        show(
            *accounts(shown, is_all=True),
            texts("platforms", (f"{row.platform}{between}{row.other_platform}" for row in shown)),
            numbers("n", (f"{row.n}{between}{row.n_other}" for row in shown)),
            *ratios("ratio", ((row.ratio, row.ratio_low, row.ratio_high) for row in shown), "90 %"),
            texts("", (verdict_words(row.verdict, short=True) for row in shown)),
            title=words,
        )
        if len(known) > COMPARISONS_SHOWN:
            output.say(f"… and {len(known) - COMPARISONS_SHOWN} more: --json")
    else:
        output.say(words, style="bold")
    lacking = [row for row in rows if row.ratio is None]
    for row in lacking[:LACKING_SHOWN]:
        lack = not_enough(min(row.n, row.n_other), row.needed, _needed_of(row))
        output.say_indented(
            output.plain(f"{row.account_name}, {row.platform} : {row.other_platform}: {lack}")
        )
    if len(lacking) > LACKING_SHOWN:
        output.say(f"… and {len(lacking) - LACKING_SHOWN} more without enough data: --json")


def _needed_of(row: PlatformComparison) -> str:
    return "weeks" if row.age_hours is None else "posts"
