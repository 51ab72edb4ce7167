"""What a period cost, and what it brought in where the platforms' own exports say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from pipeline.show.reports.periods.calendar import Days
from pipeline.show.reports.periods.posts import ReportPost

if TYPE_CHECKING:
    import duckdb

MODEL = "claude/"
"""Sources of the ledger that begin so are questions to the language model."""


@dataclass(frozen=True)
class Cost:
    """What one kind of source cost, in USD."""

    kind: str
    """scraping or model."""
    cost_usd: Decimal | None
    """Sum of the known costs; None when runs were made and no cost of any is known."""
    former_cost_usd: Decimal | None
    """Of the period before."""
    run_count: int
    unpriced_run_count: int
    """Runs of unknown cost: the sum is too low by what they cost."""


@dataclass(frozen=True)
class Returns:
    """What the period's posts brought in, by the newest native exports."""

    revenue_usd: float | None
    revenue_post_count: int
    link_clicks: float | None
    click_post_count: int
    post_count: int


_LEDGER = """
select
    case when starts_with(source, $model) then 'model' else 'scraping' end as kind,
    sum(cost_usd) filter (where local_date >= $first) as cost_usd,
    sum(cost_usd) filter (where local_date < $first) as former_cost_usd,
    sum(run_count) filter (where local_date >= $first) as run_count,
    sum(unpriced_run_count) filter (where local_date >= $first) as unpriced_run_count,
    sum(run_count) filter (where local_date < $first) as former_run_count
from stats.cost_ledger
where local_date between $former_first and $last
  and ($account_name is null or account_name = $account_name)
group by kind
order by kind desc
"""


def costs(
    connection: "duckdb.DuckDBPyConnection", days: Days, former: Days, account_name: str | None
) -> list[Cost]:
    """Costs of scraping and of the language model, with those of the days before.

    Args:
        connection: To a published copy.
        days: Of the period, on each account's own clock.
        former: The days right before it.
        account_name: Only this account; every account when left out.
    """
    parameters = {
        "model": MODEL,
        "first": days.first,
        "last": days.last,
        "former_first": former.first,
        "account_name": account_name,
    }
    rows = connection.execute(_LEDGER, parameters).fetchall()
    return [
        Cost(
            kind=kind,
            cost_usd=_known(cost, runs),
            former_cost_usd=_known(former_cost, former_runs),
            run_count=int(runs or 0),
            unpriced_run_count=int(unpriced or 0),
        )
        for kind, cost, former_cost, runs, unpriced, former_runs in rows
    ]


def known_total(parts: Sequence[Cost]) -> Decimal:
    """What is known of the costs together, in USD."""
    return sum((part.cost_usd for part in parts if part.cost_usd is not None), Decimal(0))


def _known(cost: Decimal | None, runs: int | None) -> Decimal | None:
    """The cost; without runs it is 0, with runs of unknown cost it is not known."""
    if cost is not None:
        return Decimal(cost)
    return None if runs else Decimal(0)


def returns(posts: Sequence[ReportPost]) -> Returns | None:
    """Revenue and clicks of the posts; None when no export told either."""
    revenue = [post.revenue_usd for post in posts if post.revenue_usd is not None]
    clicks = [post.link_clicks for post in posts if post.link_clicks is not None]
    if not revenue and not clicks:
        return None
    return Returns(
        revenue_usd=sum(revenue) if revenue else None,
        revenue_post_count=len(revenue),
        link_clicks=sum(clicks) if clicks else None,
        click_post_count=len(clicks),
        post_count=len(posts),
    )
