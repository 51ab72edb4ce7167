"""Everything that was found about an account, one finding per cause.

Labels go together: an account that opens its guides with a number has a format and a hook style
that do well for one reason. What adds nothing once another finding is known is left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from pipeline.learn.concentration import Concentration, find_concentrations
from pipeline.learn.failure_findings import FailurePattern, find_failures
from pipeline.learn.findings import PILLAR_SQL, PROPOSABLE_DIMENSIONS, Direction, Finding, find

if TYPE_CHECKING:
    import duckdb

Found = Finding | FailurePattern | Concentration
"""What may be found about an account's posts."""

CLEAR_T_VALUE = 2.33
"""A segment whose own part is below this, the other known, has nothing of its own to say.

One in a hundred of those that have nothing is above it; several are looked at beside one cause.
"""

MIN_COMPARED_POSTS = 5
"""With fewer posts on either side a comparison inside of other segments says nothing."""

_ONE_FINDING_DIMENSIONS = frozenset({"format", "pillar"})
"""A failure of these is told by its effect; of the others, the failures say more."""

_CELLS_SQL = """\
select
  list_contains($segments, a.segment) as is_own, b.segment as other_segment, count(*) as n,
  avg(outcomes.log_value_pulled_in) as mean,
  var_pop(outcomes.log_value_pulled_in) * count(*) as squares
from intermediate.int_post_outcomes as outcomes
inner join intermediate.int_post_segments as a using (account_name, platform, post_id)
inner join intermediate.int_post_segments as b using (account_name, platform, post_id)
where outcomes.account_name = $account_name and outcomes.platform = $platform
  and outcomes.outcome = $outcome and a.dimension = $dimension and b.dimension = $other_dimension
group by 1, 2
order by 1, 2"""

_HOOKS_SQL = """\
select posts.hook_text
from marts.dim_post as posts
inner join intermediate.int_post_outcomes as outcomes using (account_name, platform, post_id)
where posts.account_name = $account_name and posts.platform = $platform
  and posts.hook_style = $segment and outcomes.outcome = $outcome and posts.hook_text is not null
order by outcomes.value desc, outcomes.post_id
limit 20"""

_INSTEAD_SQL = """\
select segment
from stats.segment_effects
where account_name = $account_name and platform = $platform and dimension = $dimension
  and outcome = $outcome and segment <> $segment and effect >= 1 and verdict <> 'not_enough_data'
order by effect desc, n desc, segment
limit 1"""


@dataclass(frozen=True)
class _Cell:
    """Posts of one segment of another dimension that are, or are not, of the own segment."""

    is_own: bool
    other_segment: str
    n: int
    mean: float
    squares: float
    """Sum of squared deviations from the mean."""


def find_causes(connection: "duckdb.DuckDBPyConnection", account_name: str) -> list[Found]:
    """Effects, failure patterns and concentrations, the one with the largest expected gain first.

    Args:
        connection: A published copy.
        account_name: The account.

    Returns:
        One finding per cause; empty in noise.
    """
    effects = [_with_more(connection, finding) for finding in find(connection, account_name)]
    failures = [
        replace(failure, effect=_with_more(connection, failure.effect))
        for failure in find_failures(connection, account_name)
    ]
    told = _one_of_each_segment(effects, failures)
    return [
        *sorted(
            [
                *_one_of_each_cause(connection, told),
                *_of_other_segments(
                    connection, find_concentrations(connection, account_name), told
                ),
            ],
            key=lambda found: (-found.expected_gain, found.finding_id),
        )
    ]


def effect_of(found: Found) -> Finding:
    """The effect that a finding rests on; of a group, that of its leading segment."""
    match found:
        case FailurePattern():
            return found.effect
        case Concentration():
            return found.carriers[0]
        case Finding():
            return found


def _with_more(connection: "duckdb.DuckDBPyConnection", finding: Finding) -> Finding:
    """With what its sentence or its change needs besides the effect."""
    parameters = finding.query["parameters"]
    if finding.dimension == "pillar":
        row = connection.execute(PILLAR_SQL, parameters).fetchone()
        share = None if row is None else row[-1]
        if share is None:
            return finding
        return replace(
            finding, engagement_share=share, query={"sql": PILLAR_SQL, "parameters": parameters}
        )
    if finding.dimension == "hook_style":
        names = ("account_name", "platform", "segment", "outcome")
        rows = connection.execute(_HOOKS_SQL, {name: parameters[name] for name in names}).fetchall()
        return replace(finding, hooks=tuple(dict.fromkeys(text for (text,) in rows)))
    if finding.dimension == "slide_count" and finding.direction is Direction.WORSE:
        row = connection.execute(_INSTEAD_SQL, parameters).fetchone()
        return finding if row is None else replace(finding, instead=row[0])
    return finding


def _one_of_each_segment(
    effects: Sequence[Finding], failures: Sequence[FailurePattern]
) -> list[Finding | FailurePattern]:
    """A segment that does worse and fails often is told once."""
    failing = {_side(failure.effect): failure for failure in failures}
    worse = {_side(effect) for effect in effects}
    return [
        *(
            effect
            for effect in effects
            if _side(effect) not in failing or effect.dimension in _ONE_FINDING_DIMENSIONS
        ),
        *(
            failure
            for side, failure in failing.items()
            if side not in worse or failure.effect.dimension not in _ONE_FINDING_DIMENSIONS
        ),
    ]


def _side(effect: Finding) -> tuple[str, str, str]:
    return effect.dimension, effect.segment, effect.direction.value


def _of_other_segments(
    connection: "duckdb.DuckDBPyConnection",
    concentrations: Sequence[Concentration],
    told: Sequence[Finding | FailurePattern],
) -> list[Concentration]:
    """Groups of which no segment has a finding of its own, which a verdict can judge.

    Nor may a finding of another dimension explain the group: topics of a good pillar.
    """
    segments = {(effect_of(found).dimension, effect_of(found).segment) for found in told}
    largest: dict[str, Concentration] = {}
    for group in concentrations:
        dimension = group.carriers[0].dimension
        if any((dimension, segment) in segments for segment in group.segments):
            continue
        if any(_explains_group(connection, effect_of(found), group) for found in told):
            continue
        former = largest.get(dimension)
        if former is None or group.expected_gain > former.expected_gain:
            largest[dimension] = group
    return list(largest.values())


def _explains_group(
    connection: "duckdb.DuckDBPyConnection", other: Finding, group: Concentration
) -> bool:
    own = group.carriers[0]
    if other.dimension == own.dimension:
        return False
    cells = _cells(connection, own, other.dimension, segments=group.segments)
    # Its members were picked for being good, inside of the other's segments as well.
    limit = float(group.query["parameters"]["deviations"])
    return _is_explained(own, other, cells, limit=limit)


def _one_of_each_cause(
    connection: "duckdb.DuckDBPyConnection", told: Sequence[Finding | FailurePattern]
) -> list[Finding | FailurePattern]:
    """Leave out what another finding explains, the weakest first.

    Where each explains the other, the posts do not tell which it is: what nobody can act on gives
    way, or else the weaker.
    """
    ranked = sorted(
        told,
        key=lambda found: (
            effect_of(found).dimension not in PROPOSABLE_DIMENSIONS,
            -found.expected_gain,
            found.finding_id,
        ),
    )
    effects = [effect_of(found) for found in ranked]

    @cache
    def cells(place: int, dimension: str) -> list[_Cell]:
        return _cells(connection, effects[place], dimension)

    def is_explained(place: int, other: int) -> bool:
        return _is_explained(effects[place], effects[other], cells(place, effects[other].dimension))

    kept = list(range(len(ranked)))
    for place in reversed(range(len(ranked))):
        if any(
            is_explained(place, other) and (other < place or not is_explained(other, place))
            for other in kept
            if other != place
        ):
            kept.remove(place)
    return [ranked[place] for place in kept]


def _cells(
    connection: "duckdb.DuckDBPyConnection",
    own: Finding,
    other_dimension: str,
    *,
    segments: Sequence[str] = (),
) -> list[_Cell]:
    names = ("account_name", "platform", "outcome", "dimension")
    parameters: dict[str, Any] = {
        **{name: getattr(own, name) for name in names},
        "segments": list(segments) or [own.segment],
        "other_dimension": other_dimension,
    }
    return [_Cell(*row) for row in connection.execute(_CELLS_SQL, parameters).fetchall()]


def _is_explained(
    own: Finding, other: Finding, cells: Sequence[_Cell], *, limit: float = CLEAR_T_VALUE
) -> bool:
    """Whether a segment's effect is that of another dimension, whose segments go along with it.

    The own segment's posts are compared with others inside of each segment of the other dimension
    (least squares with a constant for each). Where too few posts can be, because one is a part of
    the other, both segments enter one least squares fit.

    Args:
        own: The effect in question; its outcome and platform are looked at.
        other: The effect that may explain it; without common posts it does not.
        cells: The posts with the outcome, by the own segment and the other's dimension.
        limit: The t value from which on the own segment has something of its own to say.
    """
    if other.dimension == own.dimension:
        # Of two segments that are all there are, one is the mirror image of the other.
        return {cell.other_segment for cell in cells} == {own.segment, other.segment}
    if not any(cell.is_own and cell.other_segment == other.segment for cell in cells):
        return False
    t_value = _t_inside(cells)
    if t_value is None:
        t_value = _t_beside(cells, other.segment)
    return (t_value if own.effect >= 1 else -t_value) < limit


def _t_inside(cells: Sequence[_Cell]) -> float | None:
    """The t value of the own segment inside of the others; None with too few posts to compare."""
    own = {cell.other_segment: cell for cell in cells if cell.is_own}
    pairs = [
        (own[cell.other_segment], cell)
        for cell in cells
        if not cell.is_own and cell.other_segment in own
    ]
    if min(sum(pair[side].n for pair in pairs) for side in (0, 1)) < MIN_COMPARED_POSTS:
        return None
    weights = [a.n * b.n / (a.n + b.n) for a, b in pairs]
    differences = [a.mean - b.mean for a, b in pairs]
    whole = sum(weights)
    mean = sum(w * d for w, d in zip(weights, differences, strict=True)) / whole
    unexplained = sum(a.squares + b.squares for a, b in pairs)
    unexplained += sum(w * (d - mean) ** 2 for w, d in zip(weights, differences, strict=True))
    degrees = sum(a.n + b.n for a, b in pairs) - len(pairs) - 1
    if degrees <= 0 or unexplained <= 0:
        return None
    return mean / math.sqrt(unexplained / degrees / whole)


def _t_beside(cells: Sequence[_Cell], other_segment: str) -> float:
    """The t value of the own segment beside one other; 0 where the two cannot be told apart."""
    import numpy as np

    n = np.array([cell.n for cell in cells], dtype=np.float64)
    means = np.array([cell.mean for cell in cells])
    design = np.array([[1.0, cell.is_own, cell.other_segment == other_segment] for cell in cells])
    normal = design.T @ (n[:, np.newaxis] * design)
    degrees = float(n.sum()) - 3
    if degrees <= 0 or np.linalg.matrix_rank(normal) < design.shape[1]:
        return 0.0
    inverse = np.linalg.inv(normal)
    estimate = inverse @ (design.T @ (n * means))
    unexplained = float(n @ (means - design @ estimate) ** 2)
    unexplained += sum(cell.squares for cell in cells)
    error = math.sqrt(max(float(inverse[1, 1]) * unexplained / degrees, 1e-18))
    return float(estimate[1]) / error
