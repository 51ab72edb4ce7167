"""Themes: the pillars of the content, with what their posts did and how sure that is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.insights.content import FROM, MATCHES, TOTALS, Selection, Totals
from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

OUTCOME = "engagement_7d"
"""What themes are compared by: every platform publishes likes and comments."""


@dataclass(frozen=True)
class ThemeEffect:
    """A theme against the account's usual on one platform, over all posts."""

    account_name: str
    platform: str
    theme: str
    outcome: str
    n: int
    effect: float | None
    """Ratio; 1.0 is no difference."""
    effect_low: float | None
    effect_high: float | None
    """With ``effect_low``: the 90 % interval."""
    verdict: str
    posts_needed: int | None


@dataclass(frozen=True)
class Theme(Totals):
    """The posts of one theme in a selection."""

    theme: str
    """A pillar of account.yaml, or "(none)"."""
    median_engagement_rate: float | None
    avg_performance_score: float | None
    avg_performance_score_n: int


_THEMES = f"""
select
    coalesce(labels.pillar, $unlabelled) as theme,
    {TOTALS},
    median(posts.engagement_rate_views) as median_engagement_rate,
    avg(posts.score) as avg_performance_score,
    count(posts.score)::integer as avg_performance_score_n
{FROM} {MATCHES}
group by 1
order by avg_performance_score desc nulls last, theme
"""

_EFFECTS = """
select
    account_name, platform, segment as theme, outcome, n, effect, effect_low, effect_high, verdict,
    posts_needed
from stats.segment_effects
where dimension = 'pillar' and outcome = $outcome and account_name <> '*'
    and ($accounts is null or list_contains($accounts, account_name))
    and ($platform is null or platform = $platform)
order by theme, account_name, platform
"""


def themes_of(connection: "duckdb.DuckDBPyConnection", selection: Selection) -> list[Theme]:
    """The themes of a selection, the one with the best mean score first.

    Args:
        connection: To a published copy.
        selection: Which posts.
    """
    return read_rows(connection, Theme, _THEMES, selection.parameters)


def theme_effects(
    connection: "duckdb.DuckDBPyConnection", selection: Selection
) -> list[ThemeEffect]:
    """How themes compare at equal age, per account and platform, over all their posts.

    Args:
        connection: To a published copy.
        selection: Its accounts and its platform count.
    """
    values = {name: selection.parameters[name] for name in ("accounts", "platform")}
    return read_rows(connection, ThemeEffect, _EFFECTS, {**values, "outcome": OUTCOME})
