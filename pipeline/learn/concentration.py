"""The few that carry: segments that together bring far more engagement than their share of posts.

Single segments of a dimension with many of them hold too few posts to be told from chance, and the
best of many always look good. A group of them is tested as what it is: one of all the comparisons
that could have been picked after looking.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import FIGURES, MIN_EFFECT, Confidence, Finding, effect_finding
from pipeline.learn.findings import stable_id as _stable_id

if TYPE_CHECKING:
    import duckdb

DIMENSIONS = ("format", "pillar", "topic")
"""What a context can prefer several of at once."""

OUTCOME = "engagement_7d"

MAX_P_VALUE = 0.01
"""Over all groups that one account is asked about: in noise one run of a hundred names any."""

MIN_SEGMENTS = 4
"""With fewer there is no "few" that could carry."""

MIN_CARRIERS = 2
"""A single one is an effect like any other."""

_COVERAGE = 0.90

_CONCENTRATION_FIGURES = (
    "n",
    "account_n",
    "segment_count",
    "all_segment_count",
    "post_share",
    "engagement_share",
    "effect",
    "effect_low",
    "effect_high",
)

CONCENTRATION_SQL = """\
with posts as (
  select
    segments.segment, list_contains($segments, segments.segment) as is_carrier, outcomes.value,
    outcomes.log_value_pulled_in as log_value
  from intermediate.int_post_outcomes as outcomes
  inner join intermediate.int_post_segments as segments using (account_name, platform, post_id)
  where outcomes.account_name = $account_name and outcomes.platform = $platform
    and segments.dimension = $dimension and outcomes.outcome = $outcome
),
summed as (
  select
    count(*) filter (where is_carrier) as n,
    count(*) as account_n,
    count(distinct segment) filter (where is_carrier) as segment_count,
    count(distinct segment) as all_segment_count,
    sum(value) filter (where is_carrier) / nullif(sum(value), 0) as engagement_share,
    avg(log_value) filter (where is_carrier) - avg(log_value) filter (where not is_carrier)
      as log_effect,
    sqrt(
      var_samp(log_value) filter (where is_carrier) / nullif(count(*) filter (where is_carrier), 0)
      + var_samp(log_value) filter (where not is_carrier)
      / nullif(count(*) filter (where not is_carrier), 0)
    ) as log_error
  from posts
)
select
  n, account_n, segment_count, all_segment_count,
  round(n / account_n, 6) as post_share,
  round(engagement_share, 6) as engagement_share,
  round(exp(log_effect), 6) as effect,
  round(exp(log_effect - $deviations * log_error), 6) as effect_low,
  round(exp(log_effect + $deviations * log_error), 6) as effect_high
from summed"""
"""Recomputes a group's figures on a published copy. Rounded, because a sum's last digits depend on
the order in which an engine adds."""

CARRIER_POSTS_SQL = """\
select outcomes.platform, outcomes.post_id
from intermediate.int_post_outcomes as outcomes
inner join intermediate.int_post_segments as segments using (account_name, platform, post_id)
where outcomes.account_name = $account_name and outcomes.platform = $platform
  and segments.dimension = $dimension and list_contains($segments, segments.segment)
  and outcomes.outcome = $outcome
order by outcomes.post_id"""

_EFFECTS_SQL = f"""\
select platform, dimension, segment, outcome, age_hours, verdict, {", ".join(FIGURES)}
from stats.segment_effects
where account_name = $account_name and outcome = $outcome
  and list_contains($dimensions, dimension) and effect_low > 0 and effect_high > effect_low
order by platform, dimension, effect desc, n desc, segment"""  # noqa: S608 (our own columns)


@dataclass(frozen=True)
class Concentration:
    """Segments of one dimension that together do better than the others."""

    carriers: tuple[Finding, ...]
    """The effect of each segment of the group, the largest first; none is clear by itself."""
    n: int
    """Posts of the group that have the outcome."""
    account_n: int
    """Posts of the account with the dimension and the outcome."""
    segment_count: int
    all_segment_count: int
    """Segments of the group, and of the dimension."""
    post_share: float
    engagement_share: float
    """The group's part of the posts and of their engagement, fractions."""
    effect: float
    """Typical post of the group to a typical one of the others, a ratio."""
    effect_low: float
    effect_high: float
    """Bounds of the 90 % interval for a group that was picked after looking (Scheffé)."""
    query: dict[str, Any]
    posts: dict[str, Any]

    @property
    def finding_id(self) -> str:
        """A short id that stays the same as long as the group is the same."""
        first = self.carriers[0]
        return _stable_id(
            "fnd", first.account_name, "concentration", first.platform, first.dimension,
            *self.segments,
        )  # fmt: skip

    @property
    def segments(self) -> tuple[str, ...]:
        """The names of the group."""
        return tuple(carrier.segment for carrier in self.carriers)

    @property
    def confidence(self) -> Confidence:
        """Never high: it is sure of the group, not of each of its members."""
        return Confidence.MEDIUM

    @property
    def expected_gain(self) -> float:
        """What a step of every segment is worth, as if they were findings of their own."""
        return sum(carrier.expected_gain for carrier in self.carriers)

    def to_json(self) -> dict[str, Any]:
        """The group as it is stored beside a recommendation."""
        first = self.carriers[0]
        return {
            "finding_id": self.finding_id,
            "kind": "concentration",
            "platform": first.platform,
            "dimension": first.dimension,
            "segments": list(self.segments),
            "outcome": first.outcome,
            "age_hours": first.age_hours,
            "direction": first.direction.value,
            "confidence": self.confidence.value,
            **{name: getattr(self, name) for name in _CONCENTRATION_FIGURES},
            "query": self.query,
            "posts": self.posts,
        }


def find_concentrations(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> list[Concentration]:
    """The groups of segments that carry an account's engagement.

    A group counts when the interval of its difference from the others lies above none at a level
    that allows for every group that could have been picked (Scheffé, 1953,
    https://doi.org/10.1093/biomet/40.1-2.87) and for every dimension and platform asked about.
    Segments that are clear by themselves are left out: their own finding speaks for them.

    Args:
        connection: A published copy, or any database with ``stats.segment_effects`` and the posts'
            outcomes and segments.
        account_name: The account.
    """
    cursor = connection.execute(
        _EFFECTS_SQL,
        {"account_name": account_name, "outcome": OUTCOME, "dimensions": list(DIMENSIONS)},
    )
    columns = [column[0] for column in cursor.description]
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in cursor.fetchall():
        named = dict(zip(columns, row, strict=True))
        groups.setdefault((named["platform"], named["dimension"]), []).append(named)
    asked = [carriers for rows in groups.values() if (carriers := _carriers(rows))]
    found = (_concentration(connection, account_name, rows, len(asked)) for rows in asked)
    return [one for one in found if one is not None]


def _carriers(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    carriers = [
        row
        for row in rows
        if row["verdict"] == "no_clear_difference" and row["effect"] >= MIN_EFFECT
    ]
    is_few = MIN_CARRIERS <= len(carriers) <= len(rows) / 2
    return carriers if len(rows) >= MIN_SEGMENTS and is_few else []


def _concentration(
    connection: "duckdb.DuckDBPyConnection",
    account_name: str,
    carriers: Sequence[Mapping[str, Any]],
    asked_count: int,
) -> Concentration | None:
    from scipy import special

    first = carriers[0]
    parameters: dict[str, Any] = {
        "account_name": account_name,
        "platform": first["platform"],
        "dimension": first["dimension"],
        "outcome": OUTCOME,
        "segments": [row["segment"] for row in carriers],
    }
    degrees = _segment_count(connection, parameters) - 1
    deviations = round(math.sqrt(special.chdtri(degrees, 1 - _COVERAGE)), 6)
    query = {"sql": CONCENTRATION_SQL, "parameters": {**parameters, "deviations": deviations}}
    row = connection.execute(CONCENTRATION_SQL, query["parameters"]).fetchone()
    assert row is not None, "an aggregate without groups has one row"
    figures = dict(zip(_CONCENTRATION_FIGURES, row, strict=True))
    if not figures["effect_low"] or not figures["engagement_share"]:
        return None
    error = math.log(figures["effect"] / figures["effect_low"]) / deviations
    guard = math.sqrt(special.chdtri(degrees, MAX_P_VALUE / asked_count))
    if math.log(figures["effect"]) <= guard * error:
        return None
    return Concentration(
        carriers=tuple(effect_finding(account_name, row) for row in carriers),
        **figures,
        query=query,
        posts={"sql": CARRIER_POSTS_SQL, "parameters": parameters},
    )


def _segment_count(connection: "duckdb.DuckDBPyConnection", parameters: Mapping[str, Any]) -> int:
    row = connection.execute(
        "select count(distinct segment) from intermediate.int_post_segments "
        "where account_name = $account_name and platform = $platform and dimension = $dimension",
        {name: parameters[name] for name in ("account_name", "platform", "dimension")},
    ).fetchone()
    assert row is not None, "a count has one row"
    return int(row[0])
