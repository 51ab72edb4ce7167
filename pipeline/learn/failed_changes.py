"""Approved changes that did not do what was claimed: each proposes its own revert.

The verdicts stand in the published copy; what was changed, in the state database.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.learn.findings import Confidence, Direction, Finding, stable_id
from pipeline.learn.operations import parse_operations
from pipeline.learn.patches import inverse_operations
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.recommendation import Recommendation, Status
from pipeline.learn.recommend.rendering import figures_of
from pipeline.learn.recommend.taken import REVERT

if TYPE_CHECKING:
    import duckdb

VERDICT_SQL = """\
select n, n + control_n as account_n, null as median, effect, effect_low, effect_high,
  0.5 as probability_better, null as null_best, 1.0 as q_value
from stats.verdicts
where recommendation_id = $recommendation_id"""
"""Recomputes a failed change's figures on a published copy."""

_FAILED_SQL = """\
select recommendation_id, platform, dimension, segment, outcome, direction, n, control_n, effect,
  effect_low, effect_high
from stats.verdicts
where account_name = $account_name and verdict = 'did_not_work' and is_final
order by recommendation_id"""

TEMPLATE = (
    "Since the change of {segment} its posts on {platform} get {effect} the others' {outcome} "
    "({interval}, {n} posts sampled), which is not what it was made for"
)


def failed_changes(
    connection: "duckdb.DuckDBPyConnection", account_name: str
) -> list[dict[str, Any]]:
    """Rows of ``stats.verdicts`` of the account's changes that did not work.

    Args:
        connection: A published copy, or any database with ``stats.verdicts``.
        account_name: The account.
    """
    cursor = connection.execute(_FAILED_SQL, {"account_name": account_name})
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def revert_candidates(
    failed: Sequence[Mapping[str, Any]],
    former: Sequence[Recommendation],
    decisions: Mapping[str, Mapping[str, Any]],
    document: Mapping[str, Any],
) -> list[Candidate]:
    """A candidate per failed change that can still be undone and was not proposed to be.

    Args:
        failed: As :func:`failed_changes` gives them.
        former: The account's recommendations so far.
        decisions: Rows of the decisions about them, by recommendation.
        document: The account's context as JSON.
    """
    by_id = {item.recommendation_id: item for item in former}
    undone = {item.target for item in former if item.status is Status.APPROVED}
    made = []
    for row in failed:
        recommendation = by_id.get(row["recommendation_id"])
        decision = decisions.get(row["recommendation_id"])
        target = f"{REVERT}{row['recommendation_id']}"
        if recommendation is None or decision is None or target in undone:
            continue
        stored = decision.get("operations")
        done = recommendation.operations if stored is None else parse_operations(stored)
        operations = inverse_operations(done, decision["patch"], document)
        if not operations:
            continue
        finding = _finding(recommendation.account_name, row)
        made.append(
            Candidate(
                finding,
                recommendation.category,
                target,
                operations,
                figures_of(finding),
                template=TEMPLATE,
            )
        )
    return made


def _finding(account_name: str, row: Mapping[str, Any]) -> Finding:
    """The verdict in a finding's form; its ratio is that to the others, not to the usual."""
    claimed = Direction(row["direction"])
    return Finding(
        finding_id=stable_id("fnd", account_name, "failed", row["recommendation_id"]),
        account_name=account_name,
        platform=row["platform"],
        dimension=row["dimension"],
        segment=row["segment"],
        outcome=row["outcome"],
        age_hours=None,
        direction=Direction.WORSE if claimed is Direction.BETTER else Direction.BETTER,
        n=row["n"],
        account_n=row["n"] + row["control_n"],
        median=None,
        effect=row["effect"],
        effect_low=row["effect_low"],
        effect_high=row["effect_high"],
        probability_better=0.5,
        null_best=None,
        q_value=1.0,
        confidence=Confidence.MEDIUM,
        query={
            "sql": VERDICT_SQL,
            "parameters": {"recommendation_id": row["recommendation_id"]},
        },
    )
