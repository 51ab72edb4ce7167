"""Formats that an account lists and hardly uses: what it cannot learn anything about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import stable_id
from pipeline.learn.operations import ExperimentReason

if TYPE_CHECKING:
    import duckdb

UNUSED_FOR = timedelta(days=21)
"""A format that was not used for three weeks of posting counts as dropped."""

FEW_POSTS = 3
"""Below this many posts a format has not been tried."""

MIN_LABELLED_POSTS = 10
"""An account with fewer labelled posts has tried nothing yet; every format would be named."""

UNTRIED_SQL = """\
select
  count(*) filter (where format = $format) as post_count,
  max(local_date) filter (where format = $format) as last_used_date,
  max(local_date) as newest_date,
  count(*) as account_n
from marts.dim_post
where account_name = $account_name and format is not null"""
"""Recomputes the figures on a published copy."""


@dataclass(frozen=True)
class UntriedFormat:
    """A listed format with few posts or none lately."""

    finding_id: str
    account_name: str
    format: str
    reason: ExperimentReason
    post_count: int
    last_used_date: date | None
    newest_date: date
    """Date of the account's newest post with a format; lateness counts from here, so that an
    account that paused is not told that it dropped everything."""
    account_n: int
    """Posts of the account with a format."""
    query: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it is stored beside a recommendation."""
        return {
            "finding_id": self.finding_id,
            "kind": "untried",
            "dimension": "format",
            "segment": self.format,
            "reason": self.reason.value,
            "post_count": self.post_count,
            "last_used_date": None if self.last_used_date is None else str(self.last_used_date),
            "newest_date": str(self.newest_date),
            "account_n": self.account_n,
            "query": self.query,
        }


def find_untried(
    connection: "duckdb.DuckDBPyConnection", account_name: str, formats: Sequence[str]
) -> list[UntriedFormat]:
    """The listed formats that are worth a try, the least used first.

    Args:
        connection: A published copy, or any database with ``marts.dim_post``.
        account_name: The account.
        formats: The formats of its ``account.yaml``.
    """
    found = []
    for format_name in formats:
        parameters = {"account_name": account_name, "format": format_name}
        row = connection.execute(UNTRIED_SQL, parameters).fetchone()
        assert row is not None, "an aggregate without groups has one row"
        post_count, last_used_date, newest_date, account_n = row
        if account_n < MIN_LABELLED_POSTS:
            return []
        reason = _reason(post_count, last_used_date, newest_date)
        if reason is not None:
            found.append(
                UntriedFormat(
                    finding_id=stable_id("fnd", account_name, "untried", format_name),
                    account_name=account_name,
                    format=format_name,
                    reason=reason,
                    post_count=post_count,
                    last_used_date=last_used_date,
                    newest_date=newest_date,
                    account_n=account_n,
                    query={"sql": UNTRIED_SQL, "parameters": parameters},
                )
            )
    return sorted(found, key=lambda untried: (untried.post_count, untried.format))


def _reason(
    post_count: int, last_used_date: date | None, newest_date: date
) -> ExperimentReason | None:
    if post_count == 0 or last_used_date is None:
        return ExperimentReason.UNTESTED
    if post_count < FEW_POSTS:
        return ExperimentReason.RARELY_USED
    if newest_date - last_used_date > UNUSED_FOR:
        return ExperimentReason.NOT_USED_LATELY
    return None
