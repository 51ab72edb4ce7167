"""Panels about posts: saves and shares, growth, young posts, scores, and what changes did."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from pipeline.show.charts.growth import growth_chart
from pipeline.show.charts.projections import MOST_POSTS as MOST_PROJECTED
from pipeline.show.charts.projections import projections_chart
from pipeline.show.charts.saves import CLASSES, MOST_POINTS, save_share_chart
from pipeline.show.charts.scores import CATEGORIES, score_chart
from pipeline.show.charts.style import one_line
from pipeline.show.dashboard import words
from pipeline.show.dashboard.effect_panels import AT_7_DAYS, INTERVAL
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names
from pipeline.show.figure_words import percent
from pipeline.show.reports.growth import GrowthPoint, ProjectedPost
from pipeline.show.reports.save_share_posts import SaveSharePost

MOST_GROWTH_LINES = 6
_METRIC_WORDS = {"view": "views"}


def saves_panel(facts: Facts) -> Panel:
    """Posts by save rate and share rate, one variant per platform."""
    scraped = words.moment(facts.scraped_at)
    return Panel(
        key="saves",
        title="Saved or shared?",
        lead="Saved posts are kept for later, shared posts travel. A dot is a post.",
        variants=[
            _saves_variant(list(posts), scraped)
            for _, posts in groupby(facts.saves, key=lambda post: post.platform)
        ],
        empty="No post has both saves and shares at 7 days of age: Instagram, YouTube, LinkedIn "
        "and Reddit do not publish both.",
    )


def growth_panel(facts: Facts) -> Panel:
    """How posts of each profile grow."""
    points = _largest(facts.growth)
    variants = [
        Variant(
            label=_METRIC_WORDS.get(metric, metric).capitalize(),
            source=Source(
                "marts.mart_growth_curves",
                f"up to {words.posts(max(one.post_count for one in of_metric))} per profile",
                INTERVAL,
                "24 hours to 28 days of age",
                words.moment(facts.scraped_at),
            ),
            table=_growth_table(of_metric, with_account=facts.account is None),
            chart=growth_chart(of_metric),
        )
        for metric in ("view", "engagement")
        if (of_metric := [one for one in points if one.metric == metric])
    ]
    return Panel(
        key="growth",
        title="How does a post grow?",
        lead="How much of its 7-day value a post has at each age.",
        variants=variants,
        empty="No post is known at 7 days and at another age.",
    )


def projection_panel(facts: Facts) -> Panel:
    """What young posts are expected to reach."""
    scraped = words.moment(facts.scraped_at)
    posts = sorted(
        facts.projected,
        key=lambda one: (one.metric == "engagement", one.platform, -one.expected_count),
    )
    return Panel(
        key="young",
        title="What will young posts reach?",
        lead="Expected at 7 days of age, from how the account's posts grew before.",
        variants=sorted(
            (
                _projection_variant(list(group), scraped)
                for _, group in groupby(posts, key=lambda one: (one.metric, one.platform))
            ),
            key=lambda one: ("engagement" in one.label, -one.n),
        ),
        empty="There is no young post, or too few old ones to learn from.",
    )


def scores_panel(facts: Facts) -> Panel:
    """How scores are spread."""
    scored = [
        (post.score, post.category)
        for post in facts.posts
        if post.score is not None and post.category is not None
    ]
    counted = Counter(category for _, category in scored)
    total = len(scored)
    return Panel(
        key="scores",
        title="How are the posts spread?",
        lead="The score, 0 to 100, is a post's place among the account's own posts at the same "
        "age: overperforming above 75, underperforming below 40.",
        variants=[
            Variant(
                label="Scores",
                source=Source(
                    "marts.fct_post_performance",
                    words.posts(total),
                    "",
                    "each post among those of the same age",
                    words.moment(facts.scraped_at),
                ),
                table=Table(
                    column_names("Category", "Posts", "Share"),
                    tuple(
                        (text, f"{counted[name]:,}", percent(counted[name] / total, space=" "))
                        for name, text in CATEGORIES.items()
                    ),
                ),
                chart=score_chart(scored),
            )
        ]
        if scored
        else [],
        empty="No post has a score yet: that takes five posts at the same age.",
        is_wide=True,
    )


def verdicts_panel(facts: Facts) -> Panel:
    """What approved changes did."""
    with_account = facts.account is None
    names = ("Approved", "Change", "Verdict", "Times its place holders", "From", "To", "Posts")
    rows = tuple(
        (
            words.day(row["approved_at"]),
            f"{row['account_name']}: {row['segment']}" if with_account else str(row["segment"]),
            _verdict_words(row["verdict"], row["more_posts_needed"], is_final=row["is_final"]),
            *words.ratios(row["effect"], row["effect_low"], row["effect_high"]),
            f"{row['n']} against {row['control_n']}",
        )
        for row in facts.verdicts
    )
    return Panel(
        key="verdicts",
        title="What did the changes do?",
        lead="Each approved change against the posts whose place it took.",
        variants=[
            Variant(
                label="Verdicts",
                source=Source(
                    "marts.mart_verdicts",
                    f"{len(rows)} change" + ("" if len(rows) == 1 else "s"),
                    INTERVAL,
                    "outcome and age as fixed at approval",
                    words.moment(facts.scraped_at),
                ),
                table=Table(column_names(*names, text=3), rows),
            )
        ]
        if rows
        else [],
        empty="No approved change is being judged yet. A change gets its verdict within eight "
        "weeks of its approval.",
        is_wide=True,
    )


def _verdict_words(verdict: str, needed: int | None, *, is_final: bool) -> str:
    if verdict != "cannot_tell":
        return words.plain(verdict)
    missing = "too few posts" if needed is None else f"needs {words.posts(needed)} more"
    return f"cannot tell{'' if is_final else ' yet'}, {missing}"


def _saves_variant(posts: Sequence[SaveSharePost], scraped: str) -> Variant:
    return Variant(
        label=words.platform(posts[0].platform),
        source=Source(
            "marts.mart_save_vs_share_posts", words.posts(len(posts)), f"classes by 90{words.NBSP}"
            "% intervals of each post's rates", AT_7_DAYS, scraped,
        ),
        table=_classes_table(posts),
        chart=save_share_chart(posts),
        note=f"The newest {MOST_POINTS} posts are drawn." if len(posts) > MOST_POINTS else None,
    )  # fmt: skip


def _classes_table(posts: Sequence[SaveSharePost]) -> Table:
    counted = Counter(post.classification for post in posts)
    return Table(
        column_names("The post is", "Posts", "Share"),
        tuple(
            (text, f"{counted[name]:,}", percent(counted[name] / len(posts), space=" "))
            for name, text in CLASSES.items()
            if counted[name]
        ),
    )


def _largest(points: Sequence[GrowthPoint]) -> list[GrowthPoint]:
    """Those of the profiles with the most posts, so that lines can be told apart."""
    size: dict[tuple[str, str], int] = {}
    for point in points:
        key = (point.account_name, point.platform)
        size[key] = max(size.get(key, 0), point.post_count)
    kept = set(sorted(size, key=lambda key: (-size[key], key))[:MOST_GROWTH_LINES])
    return [point for point in points if (point.account_name, point.platform) in kept]


def _growth_table(points: Sequence[GrowthPoint], *, with_account: bool) -> Table:
    return Table(
        column_names("Profile", "Age", "Middle post", "From", "To", "Posts", text=2),
        tuple(
            (
                (f"{one.account_name}: " if with_account else "") + words.platform(one.platform),
                words.age(one.age_hours),
                percent(one.share_of_7d_median),
                percent(one.share_of_7d_median_low),
                percent(one.share_of_7d_median_high),
                str(one.post_count),
            )
            for one in points
        ),
    )


def _projection_variant(posts: Sequence[ProjectedPost], scraped: str) -> Variant:
    first = posts[0]
    metric = _METRIC_WORDS.get(first.metric, first.metric)
    return Variant(
        label=f"{words.platform(first.platform)}: {metric}",
        source=Source(
            "stats.post_projection",
            f"{words.posts(len(posts))}, learned from {words.posts(max(p.n for p in posts))}",
            f"80{words.NBSP}% interval",
            AT_7_DAYS,
            scraped,
        ),
        n=len(posts),
        table=Table(
            column_names("Post", "Age", "Now", "Expected", "From", "To", text=2),
            tuple(
                (
                    one_line(post.caption or post.post_id, 80),
                    words.age(post.observed_age_hours),
                    words.count(post.observed_count),
                    words.count(post.expected_count),
                    words.count(post.expected_count_low_80),
                    words.count(post.expected_count_high_80),
                )
                for post in posts[: 2 * MOST_PROJECTED]
            ),
        ),
        chart=projections_chart(posts),
        note=f"The {MOST_PROJECTED} most promising are drawn."
        if len(posts) > MOST_PROJECTED
        else None,
    )
