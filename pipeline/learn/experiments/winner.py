"""The recommendation that follows from a winner: its change, and figures that a query recomputes.

The query reads the posts' outcomes again and makes the comparison at the look that ended the
experiment, by the same formulas as :mod:`pipeline.learn.experiments.anytime` and
:mod:`pipeline.learn.experiments.arms` (a test holds them against each other). Its interval is that
of the one look at 10 % error by Ville's bound, always valid for good; what all looks say together
may be narrower.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.learn.experiments.anytime import TUNING
from pipeline.learn.experiments.looks import Series
from pipeline.learn.experiments.readings import ExperimentReading
from pipeline.learn.experiments.registration import METRICS, MetricKind, Registration
from pipeline.learn.findings import (
    OUTCOME_WORDS,
    Direction,
    Finding,
    confidence_of,
    stable_id,
)
from pipeline.learn.operations import Operation, OperationError
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.candidates import Candidate
from pipeline.learn.recommend.proposals import Proposal, proposal
from pipeline.learn.recommend.recommendation import Category, Recommendation, Writer
from pipeline.learn.recommend.rendering import figures_of
from pipeline.learn.recommend.rules import Draft
from pipeline.learn.recommend.storing import Base, Writing, recommendation_of

if TYPE_CHECKING:
    import duckdb

INTERVAL_ERROR = 0.1
"""Of the figures of a recommendation, whose intervals are 90 % everywhere."""

_DIMENSIONS = ("format", "hook_style", "pillar", "slide_count", "cta")
"""What a context can prefer, the first being what the recommendation is filed under."""

_SUBJECTS = {
    Category.FORMAT_WEIGHT: "{segment} posts on {platform} got",
    Category.HOOK_STYLE: "posts on {platform} with {segment} hooks got",
    Category.PILLAR_REBALANCE: "{segment} posts on {platform} got",
    Category.SLIDE_COUNT: "{segment} posts on {platform} got",
    Category.CTA_STRATEGY: "posts on {platform} that end with {segment} got",
}
_TEMPLATE = (
    "In an experiment %s {effect} the {outcome} of the usual ones ({interval}, {n} posts sampled)"
)

_OUTCOMES = """\
select post_id, value, numerator, denominator, log_value
  from intermediate.int_post_outcomes
  where account_name = $account_name and platform = $platform and outcome = $outcome"""
_COMMENTS = """\
select post_id, comment_72h as value, comment_72h as numerator, null as denominator,
    null as log_value
  from intermediate.int_posts__engagement
  where account_name = $account_name and platform = $platform and comment_72h is not null
    and $outcome = 'comments_72h'"""

_SQL = """\
with units as (
  select unnest($post_ids) as post_id, unnest($is_tried) as is_tried,
    cast(unnest($expected) as double) as expected
),
outcomes as (
  %s
),
valued as (
  select units.is_tried, outcomes.value, coalesce(outcomes.denominator, 1.0) as below,
    coalesce(case when $is_log then outcomes.log_value end, outcomes.numerator)
      - $slope * coalesce(units.expected - $centre, 0.0) * coalesce(outcomes.denominator, 1.0)
      as top
  from units inner join outcomes using (post_id)
),
sums as (
  select is_tried, count(*) as n, median(value) as median, sum(top) / sum(below) as mean,
    sum(below) as weight, greatest(sum(below) * sum(below) / sum(below * below) - 1, 1.0) as df
  from valued group by is_tried
),
arms as (
  select is_tried, any_value(n) as n, any_value(median) as median, any_value(mean) as mean,
    any_value(df) as df,
    sum(((top - mean * below) / nullif(weight - below, 0)) ** 2) * (any_value(n) - 1) / any_value(n)
      as variance
  from valued inner join sums using (is_tried) group by is_tried
),
pair as (
  select tried.n, usual.n + tried.n as account_n, tried.median,
    (tried.mean - usual.mean) ** 2 / (usual.variance + tried.variance) as t2,
    case when $is_log then tried.mean - usual.mean
      when usual.mean > 0 and tried.mean > 0 then ln(tried.mean / usual.mean) end as gap,
    sqrt(case when $is_log then usual.variance + tried.variance
      else usual.variance / usual.mean ** 2 + tried.variance / tried.mean ** 2 end) as error,
    (usual.variance + tried.variance) ** 2
      / (usual.variance ** 2 / usual.df + tried.variance ** 2 / tried.df) as df,
    $tuning * usual.n * tried.n / (usual.n + tried.n) / ($planned_per_arm / 2.0) as mixed
  from arms as usual inner join arms as tried on not usual.is_tried and tried.is_tried
),
judged as (
  select *,
    exp(-greatest(((df + 1) * (ln(1 + t2 / df) - ln(1 + t2 / (df * (1 + mixed)))) - ln(1 + mixed))
      / 2, 0)) as p_value,
    (ln(1 + mixed) - 2 * ln($interval_error)) / (df + 1) as needed
  from pair
),
reached as (
  select *, sqrt(df * (exp(needed) - 1) / (1 - exp(needed - ln(1 + mixed)))) * error as reach
  from judged
)
select n, account_n, round(median, 9) as median, round(exp(gap), 9) as effect,
  round(exp(gap - reach), 9) as effect_low, round(exp(gap + reach), 9) as effect_high,
  round(1 - p_value / 2, 9) as probability_better, null as null_best,
  round(least(1, $contrast_count * p_value), 9) as q_value
from reached"""

_POSTS_SQL = """\
select platform, post_id
from marts.dim_post
where account_name = $account_name and platform = $platform and list_contains($post_ids, post_id)
order by post_id"""


@dataclass(frozen=True)
class Proposed:
    """What follows from a winner: a recommendation, or why there is none."""

    recommendation: Recommendation | None
    reason: str | None = None


def recommend_winner(
    connection: "duckdb.DuckDBPyConnection",
    registration: Registration,
    reading: ExperimentReading,
    series: Mapping[str, Series],
    base: Base,
    *,
    now: datetime,
) -> Proposed:
    """The recommendation of a concluded experiment's winner.

    Args:
        connection: To the published copy that was read.
        registration: The experiment.
        reading: Its last reading, whose winner is a tried arm.
        series: Of the primary metric by arm, as it was read.
        base: The context that the change is proposed against.
        now: The moment.
    """
    usual = registration.arms[0]
    won = next(arm for arm in registration.arms if arm.name == reading.winner)
    if won.name == usual.name:
        return Proposed(None, f"{won.name} is the usual way already: nothing is to be changed.")
    changed = {
        dimension: segment
        for dimension, segment in won.choices.items()
        if usual.choices.get(dimension) != segment
    }
    segments = {name: changed[name] for name in _DIMENSIONS if name in changed}
    if not segments:
        what = ", ".join(sorted(changed)) or "only its instructions"
        return Proposed(
            None,
            f"What makes {won.name} different ({what}) is nothing that a context can prefer: use "
            "it by hand.",
        )
    query = query_of(registration, series, usual.name, won.name)
    figures = _figures(connection, query)
    if figures is None:
        return Proposed(None, f"{usual.name} has nothing to make a ratio with.")
    found = [
        _finding(registration, dimension, segment, figures, query, series[won.name])
        for dimension, segment in segments.items()
    ]
    pairs = [(one, proposal(one, base.document)) for one in found]
    fitting = [(one, made) for one, made in pairs if made is not None]
    operations = _fitting([made for _, made in fitting], base.document)
    if not fitting or not operations:
        return Proposed(None, "The context prefers it already.")
    finding, filed = fitting[0]
    candidate = Candidate(finding, filed.category, filed.target, operations, figures_of(finding))
    draft = Draft(candidate, _TEMPLATE % _SUBJECTS[filed.category], operations)
    made = recommendation_of(
        draft,
        Writing([draft], Writer.RULES),
        1,
        account_name=registration.account_name,
        now=now,
        base=base,
        version=reading.warehouse_version,
    )
    # The same experiment proposes once, whatever was proposed in the same week.
    return Proposed(
        made.model_copy(
            update={
                "recommendation_id": recommendation_id_of(registration.experiment_id),
                "findings": [{**finding.to_json(), **_mark(registration)}],
            }
        )
    )


def _mark(registration: Registration) -> dict[str, str]:
    """What tells the finding of an experiment; one by comments is not judged after approval."""
    mark = {"experiment_id": registration.experiment_id}
    # Verdicts are of the outcomes that segments are compared by.
    return {**mark, "kind": "experiment"} if registration.metric not in OUTCOME_WORDS else mark


def recommendation_id_of(experiment_id: str) -> str:
    """The id of the recommendation that an experiment may give."""
    return stable_id("rec", "experiment", experiment_id)


def query_of(
    registration: Registration, series: Mapping[str, Series], usual: str, tried: str
) -> dict[str, Any]:
    """``sql`` and ``parameters`` that recompute a contrast's figures on a published copy."""
    arms = (series[usual], series[tried])
    adjustment = registration.adjustment
    source = _COMMENTS if registration.metric_kind is MetricKind.COUNT else _OUTCOMES
    return {
        "sql": _SQL % source,
        "parameters": {
            "account_name": registration.account_name,
            "platform": registration.platform,
            "outcome": registration.metric,
            "is_log": registration.metric_kind is MetricKind.CONTINUOUS,
            "post_ids": [post_id for arm in arms for post_id in arm.post_ids],
            "is_tried": [place == 1 for place, arm in enumerate(arms) for _ in arm.post_ids],
            "expected": [value for arm in arms for value in arm.expected],
            "slope": 0.0 if adjustment is None else adjustment.slope,
            "centre": 0.0 if adjustment is None else adjustment.centre,
            "tuning": TUNING,
            "planned_per_arm": registration.planned_per_arm,
            "contrast_count": len(registration.contrasts),
            "interval_error": INTERVAL_ERROR / len(registration.contrasts),
        },
    }


def _figures(
    connection: "duckdb.DuckDBPyConnection", query: Mapping[str, Any]
) -> dict[str, Any] | None:
    cursor = connection.execute(query["sql"], query["parameters"])
    names = [column[0] for column in cursor.description]
    (row,) = cursor.fetchall()
    figures = dict(zip(names, row, strict=True))
    return figures if figures["effect"] is not None else None


def _finding(
    registration: Registration,
    dimension: str,
    segment: str,
    figures: Mapping[str, Any],
    query: dict[str, Any],
    tried: Series,
) -> Finding:
    return Finding(
        finding_id=stable_id("fnd", registration.experiment_id, dimension, segment),
        account_name=registration.account_name,
        platform=registration.platform,
        dimension=dimension,
        segment=segment,
        outcome=registration.metric,
        age_hours=METRICS[registration.metric].age_hours,
        direction=Direction.BETTER,
        **figures,
        confidence=confidence_of(
            effect=figures["effect"],
            n=figures["n"],
            probability_better=figures["probability_better"],
        ),
        query=query,
        posts={
            "sql": _POSTS_SQL,
            "parameters": {
                "account_name": registration.account_name,
                "platform": registration.platform,
                "post_ids": list(tried.post_ids),
            },
        },
    )


def _fitting(proposals: Sequence[Proposal], document: Mapping[str, Any]) -> tuple[Operation, ...]:
    """All changes together, if the context allows them."""
    operations = tuple(operation for one in proposals for operation in one.operations)
    try:
        compile_patch(operations, document)
    except OperationError:
        return ()
    return operations
