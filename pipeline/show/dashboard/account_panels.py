"""Panels across accounts: how they stand, and what they have in common."""

from itertools import groupby

from pipeline.learn.findings import OUTCOME_WORDS
from pipeline.show.dashboard import words
from pipeline.show.dashboard.effect_panels import AT_7_DAYS, INTERVAL
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.panels import Panel, Source, Table, Variant, column_names
from pipeline.show.reports.cross_account import CommonEffect

_DIMENSIONS = ("format", "pillar", "hook_style", "cta")
_SCOPES = {
    "universal": "holds in all accounts",
    "account_specific": "differs between accounts",
    "no_clear_difference": "no clear difference",
    "not_enough_data": "not enough data",
}


def accounts_panel(facts: Facts) -> Panel:
    """One row per profile."""
    rows = tuple(
        (
            one.account_name,
            words.platform(one.platform),
            words.count(one.post_count),
            words.count(one.follower_count),
            words.count(one.views_7d_median),
            str(one.views_7d_count),
            words.count(one.engagement_7d_median),
            str(one.engagement_7d_count),
            words.percent(one.engagement_rate_median),
            words.day(one.last_scraped_at),
        )
        for one in facts.profiles
    )
    names = (
        "Account", "Platform", "Posts", "Followers", "Views at 7 d", "n", "Engagement at 7 d", "n",
        "Engagement per view", "Last scrape",
    )  # fmt: skip
    return Panel(
        key="accounts",
        title="How do the accounts stand?",
        lead="Figures of each profile's middle post. A dash: the platform does not publish it, or "
        "no post has been seen at 7 days of age.",
        variants=[
            Variant(
                label="Accounts",
                source=Source(
                    "marts.fct_post_performance, marts.dim_profile",
                    words.posts(sum(one.post_count for one in facts.profiles)),
                    "",
                    AT_7_DAYS,
                    words.moment(facts.scraped_at),
                ),
                table=Table(column_names(*names, text=2), rows),
            )
        ]
        if rows
        else [],
        empty="No posts yet.",
        is_wide=True,
    )


def common_panel(facts: Facts) -> Panel:
    """What accounts have in common, one variant per platform, dimension and outcome."""
    scraped = words.moment(facts.scraped_at)
    known = [
        one
        for one in facts.common
        if one.dimension in _DIMENSIONS and one.outcome in {"views_7d", "engagement_7d"}
    ]
    known.sort(key=lambda one: (_DIMENSIONS.index(one.dimension), one.outcome != "views_7d",
                                one.platform))  # fmt: skip
    return Panel(
        key="common",
        title="What holds in all accounts?",
        lead="Each account is compared with its own usual; then the accounts are put together.",
        variants=sorted(
            (
                _common_variant(list(group), scraped)
                for _, group in groupby(
                    known, key=lambda one: (one.dimension, one.outcome, one.platform)
                )
            ),
            key=lambda one: -one.n,
        ),
        empty="It takes two accounts with the same formats or pillars.",
        is_wide=True,
    )


def _common_variant(rows: list[CommonEffect], scraped: str) -> Variant:
    first = rows[0]
    return Variant(
        label=f"{words.platform(first.platform)}: {words.plain(first.dimension)}, "
        f"{OUTCOME_WORDS.get(first.outcome, first.outcome)}",
        source=Source(
            "marts.mart_cross_account",
            words.posts(sum(one.n or 0 for one in rows)),
            INTERVAL,
            AT_7_DAYS,
            scraped,
        ),
        n=sum(one.n or 0 for one in rows),
        table=Table(
            column_names(
                words.plain(first.dimension).capitalize(), "Result", "Times the usual", "From",
                "To", "Accounts", "Better in", "Worse in", "Posts", text=2,
            ),
            tuple(
                (
                    one.segment,
                    _SCOPES.get(one.scope, words.plain(one.scope)),
                    *words.ratios(one.effect, one.effect_low, one.effect_high),
                    str(one.account_count),
                    str(one.better_account_count),
                    str(one.worse_account_count),
                    str(one.n or 0),
                )
                for one in rows
            ),
        ),
    )  # fmt: skip
