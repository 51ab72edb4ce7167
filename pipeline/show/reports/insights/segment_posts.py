"""The posts behind a finding."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.show.reports.insights.content import Content, Order, Selection, contents

if TYPE_CHECKING:
    import duckdb

_KEYS = """
select platform, post_id
from intermediate.int_post_segments
where account_name = $account_name and dimension = $dimension and segment = $segment
    and ($platform is null or platform = $platform)
order by platform, post_id
"""


def segment_posts(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str,
    finding: Mapping[str, Any],
    limit: int,
) -> list[Content]:
    """Posts of the segment that a finding is about, the newest first.

    Args:
        connection: To a published copy.
        account_name: Whose.
        finding: With ``dimension``, ``segment`` and ``platform``; without them there are none.
        limit: At most so many.
    """
    if not finding.get("dimension") or not finding.get("segment"):
        return []
    values = {name: finding.get(name) for name in ("dimension", "segment", "platform")}
    keys = connection.execute(_KEYS, {**values, "account_name": account_name}).fetchall()
    chosen = Selection(accounts=(account_name,), keys=tuple((one, two) for one, two in keys))
    return contents(connection, chosen, order=Order.NEWEST, limit=limit)
