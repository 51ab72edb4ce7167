"""What speaks for and against posts."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.show.reports.rows import read_rows

if TYPE_CHECKING:
    import duckdb

HIGH_IMPACT, MEDIUM_IMPACT = 0.5, 0.2
"""A ratio of 1.5 or 1/1.5 is of high impact, one of 1.2 or 1/1.2 of medium."""


@dataclass(frozen=True)
class Factor:
    """One thing that speaks for or against a post."""

    account_name: str
    platform: str
    post_id: str
    kind: str
    """success or failure."""
    cause: str
    factor_type: str
    title: str
    description: str
    """With size, interval and n."""
    impact: float
    """Ratio to the account's usual, less 1."""
    impact_low: float
    impact_high: float
    """With ``impact_low``: the 90 % interval."""
    confidence: str
    n: int
    segment: str | None
    outcome: str
    age_hours: int

    @property
    def is_positive(self) -> bool:
        """Whether it speaks for the post."""
        return self.kind == "success"

    @property
    def impact_level(self) -> str:
        """``high``, ``medium`` or ``low``, by the size of the ratio either way."""
        ratio = 1 + self.impact
        size = (max(ratio, 1 / ratio) if ratio > 0 else float("inf")) - 1
        if size >= HIGH_IMPACT:
            return "high"
        return "medium" if size >= MEDIUM_IMPACT else "low"


_FACTORS = """
select
    account_name, platform, post_id, kind, cause, factor_type, title, description, impact,
    impact_low, impact_high, confidence, n, segment, outcome, age_hours
from marts.fct_post_factor
where list_contains(
    $keys, account_name || chr(31) || platform || chr(31) || post_id
)
order by
    account_name, platform, post_id, list_position(['high', 'medium', 'low'], confidence),
    abs(ln(greatest(1 + impact, 0.0001))) desc, factor_type, cause
"""


def factors_of(
    connection: "duckdb.DuckDBPyConnection", keys: Collection[tuple[str, str, str]]
) -> dict[tuple[str, str, str], list[Factor]]:
    """The factors of posts by account, platform and id: the surest and largest first.

    Args:
        connection: To a published copy.
        keys: Whose.
    """
    found: dict[tuple[str, str, str], list[Factor]] = defaultdict(list)
    if keys:
        parameters = {"keys": ["\x1f".join(key) for key in keys]}
        for factor in read_rows(connection, Factor, _FACTORS, parameters):
            found[factor.account_name, factor.platform, factor.post_id].append(factor)
    return found
