"""One account's half year of the loop, in a world whose formats have planted multipliers.

Everything is what the product runs, except for the files in between.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import numpy as np

from pipeline.decide.briefs import Account
from pipeline.decide.changes import approved_document
from pipeline.decide.context_id import context_id_of
from pipeline.decide.draw import (
    ARM_HOLDOUT,
    WEIGHT_MAX,
    WEIGHT_MIN,
    arm_shares,
    draw,
    format_shares,
)
from pipeline.decide.registrations import registration_row
from pipeline.errors import DecisionError
from pipeline.learn.exploration import Exploration, explore
from pipeline.learn.failed_changes import revert_candidates
from pipeline.learn.findings import find
from pipeline.learn.operations import neutral_values
from pipeline.learn.patches import compile_patch
from pipeline.learn.recommend.candidates import candidates, exploration_candidate
from pipeline.learn.recommend.recommendation import Recommendation, Status, Writer
from pipeline.learn.recommend.rendering import render
from pipeline.learn.recommend.rules import Draft, write
from pipeline.measure.segment_effects import write_segment_effects
from pipeline.measure.verdicts import verdict_row

SEED = 20260907
START = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(weeks=1)
FORMATS = ("boring_habits", "habit_list", "how_to", "scripts", "step_guide")
MULTIPLIERS = (0.7, 0.9, 1.1, 1.3, 1.5)
NOTHING = {"pillar": 4, "hook_style": 6, "weekday": 7, "daypart": 6, "media_type": 3}
"""Dimensions whose segments differ in nothing, with how many they have."""
MOST_A_WEEK = 5
ACCOUNT = Account("bench", FORMATS)
MOMENTS = """
create schema intermediate;
create schema stats;
create table intermediate.int_segment_moments (
    account_name varchar, platform varchar, dimension varchar, segment varchar, outcome varchar,
    age_hours integer, n integer, median double, log_mean double, log_squared_deviations double
)
"""


@dataclass(frozen=True)
class Setting:
    """What a world is like, its luck aside."""

    outcome: str
    sigma: float
    """Standard deviation of log outcomes of like posts."""
    age_hours: int
    posts_per_week: int
    weeks: int = 26


@dataclass
class Posts:
    """All posts of a world so far, one element each."""

    at: list[float] = field(default_factory=list)
    """Seconds since 1970."""
    value: list[float] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    segments: dict[str, list[str]] = field(default_factory=dict)


@dataclass
class World:
    """One account's half year."""

    setting: Setting
    multipliers: dict[str, float]
    chance: np.random.Generator
    connection: duckdb.DuckDBPyConnection
    contexts: dict[str, dict[str, Any]]
    document: dict[str, Any]
    posts: Posts = field(default_factory=Posts)
    made: list[Recommendation] = field(default_factory=list)
    decisions: dict[str, dict[str, Any]] = field(default_factory=dict)
    registrations: list[dict[str, Any]] = field(default_factory=list)
    finals: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Rows that will not change any more, by recommendation."""

    @property
    def previous(self) -> dict[str, Any] | None:
        """What the holdout follows."""
        return self.contexts.get(self.document["exploration"].get("previous_context_id"))


@dataclass(frozen=True)
class Outcome:
    """What came of a world."""

    gain: float
    """Of the adaptive arm over even weights in the last four weeks, in parts of the oracle's."""
    weights: dict[str, float]
    approvals: int
    verdicts: list[dict[str, Any]]
    """Rows of ``stats.verdicts`` whose horizon passed, with the planted ``gain``."""


def run_world(setting: Setting, seed: int) -> Outcome:
    """One world from its first draw to its last."""
    world = new_world(setting, seed)
    tail = []
    for week in range(setting.weeks):
        start = START + week * WEEK
        if week >= setting.weeks - 4:
            tail.append(adaptive_expectation(world))
        post(world, start, seed * 1000 + week)
        decide(world, start + WEEK)
    world.connection.close()
    even = float(np.mean(MULTIPLIERS))
    ended = START + setting.weeks * WEEK
    return Outcome(
        gain=(float(np.mean(tail)) - even) / (oracle(world.multipliers) - even),
        weights=world.document["format_weights"],
        approvals=len(world.made),
        verdicts=[
            {**row, "planted": planted_gain(world, registration)}
            for registration, row in judged(world, ended)
            if row["is_final"]
        ],
    )


def new_world(setting: Setting, seed: int) -> World:
    """A world before its first post."""
    chance = np.random.default_rng([SEED, seed])
    document = {
        "account": "bench",
        **neutral_values(FORMATS, None),
        "exploration": {"share": 0.5, "holdout_share": 0.2, "previous_context_id": None},
    }
    connection = duckdb.connect(config={"threads": 1})
    connection.execute(MOMENTS)
    return World(
        setting,
        dict(zip(FORMATS, chance.permutation(MULTIPLIERS).tolist(), strict=True)),
        chance,
        connection,
        {},
        {**document, "context_id": context_id_of(document)},
    )


def post(world: World, start: datetime, seed: int) -> None:
    """A week of posts as the generator draws them, with what will become of them."""
    setting, chance = world.setting, world.chance
    briefs = draw(
        world.document, ACCOUNT, previous=world.previous, n=setting.posts_per_week, seed=seed
    )
    for brief in briefs:
        world.posts.at.append(start.timestamp() + chance.uniform(0, WEEK.total_seconds()))
        world.posts.value.append(
            math.log(world.multipliers[brief.format]) + setting.sigma * chance.normal()
        )
        world.posts.probability.append(brief.pick_probability)
        chosen = {"format": brief.format}
        for dimension, count in NOTHING.items():
            chosen[dimension] = f"{dimension}_{chance.integers(count)}"
        for dimension, segment in chosen.items():
            world.posts.segments.setdefault(dimension, []).append(segment)


def decide(world: World, now: datetime) -> None:
    """Measure what is known, recommend, and approve it all."""
    fill_moments(world, now)
    write_segment_effects(world.connection)
    exploration = explore(world.connection, "bench", FORMATS)
    failed = [
        row for _, row in judged(world, now) if row["is_final"] and row["verdict"] == "did_not_work"
    ]
    choices = candidates(
        find(world.connection, "bench"),
        [],
        world.document,
        reverts=revert_candidates(failed, world.made, world.decisions, world.document),
        exploration=exploration_candidate(exploration, "bench", world.document),
    )
    for draft in write(choices, MOST_A_WEEK):
        approve(world, recommendation_of(world, draft, exploration, now), now)


def approve(world: World, recommendation: Recommendation, now: datetime) -> None:
    """What an approval does, without the state database."""
    before = world.document
    try:
        document, patch = approved_document(recommendation, before, now=now)
    except DecisionError:
        return
    registration = registration_row(recommendation, before, document, now=now)
    if registration is not None:
        world.registrations.append(registration)
    world.contexts[before["context_id"]] = before
    world.document = document
    world.made.append(recommendation.model_copy(update={"status": Status.APPROVED}))
    world.decisions[recommendation.recommendation_id] = {"patch": patch, "operations": None}


def recommendation_of(
    world: World, draft: Draft, exploration: Exploration, now: datetime
) -> Recommendation:
    """A draft as it is stored."""
    choice = draft.candidate
    return Recommendation(
        recommendation_id=f"rec_{len(world.made)}",
        account_name="bench",
        created_at=now,
        rank=1,
        status=Status.PENDING,
        category=choice.category,
        target=choice.target,
        insight=render(draft.insight_template, choice.figures),
        insight_template=draft.insight_template,
        figures=choice.figures,
        operations=draft.operations,
        patch=compile_patch(draft.operations, world.document),
        base_context_id=world.document["context_id"],
        confidence=choice.confidence,
        sample_size=choice.sample_size,
        findings=[choice.finding.to_json()],
        format_posteriors=exploration.to_json(),
        posts_per_week=float(world.setting.posts_per_week),
        warehouse_version="bench",
        writer=Writer.RULES,
        writer_reason=None,
        model=None,
        prompt_sha256=None,
        input_tokens=None,
        output_tokens=None,
        cost_usd=None,
        decided_at=None,
    )


def fill_moments(world: World, now: datetime) -> None:
    """The table that effects are computed from, with what is old enough by now."""
    setting, posts = world.setting, world.posts
    known = np.array(posts.at) <= now.timestamp() - 3600 * setting.age_hours
    values = np.array(posts.value)[known]
    rows = [("all_posts", "all_posts", values)] if len(values) else []
    for dimension, segments in posts.segments.items():
        names = np.array(segments)[known]
        rows += [(dimension, str(name), values[names == name]) for name in np.unique(names)]
    world.connection.execute("delete from intermediate.int_segment_moments")
    table = [
        ("bench", "tiktok", dimension, segment, setting.outcome, setting.age_hours, len(own),
         float(np.exp(np.median(own))), float(own.mean()), float(np.sum((own - own.mean()) ** 2)))
        for dimension, segment, own in rows
    ]  # fmt: skip
    if table:
        world.connection.executemany(
            f"insert into intermediate.int_segment_moments values ({', '.join('?' * 10)})", table
        )


def judged(world: World, as_of: datetime) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each registration with its row of ``stats.verdicts``."""
    at = np.array(world.posts.at)
    known = at + 3600.0 * world.setting.age_hours
    values, probabilities = np.array(world.posts.value), np.array(world.posts.probability)
    for registration in world.registrations:
        final = world.finals.get(registration["recommendation_id"])
        if final is not None:
            yield registration, final
            continue
        is_format = registration["dimension"] == "format"
        posts = {
            "posted_at": at,
            "known_at": known,
            "segment": np.array(world.posts.segments[registration["dimension"]], dtype=object),
            "log_value": values,
            "probability": probabilities if is_format else np.full(len(at), np.nan),
        }
        row = verdict_row(registration, posts, as_of)
        if row["is_final"]:
            world.finals[registration["recommendation_id"]] = row
        yield registration, row


def planted_gain(world: World, registration: Mapping[str, Any]) -> float:
    """What a post really gains by the change that was claimed, on the log scale."""
    if registration["dimension"] != "format":
        return 0.0
    logs = {name: math.log(value) for name, value in world.multipliers.items()}
    others = sum(share * logs[name] for name, share in registration["control_shares"].items())
    contrast = logs[registration["segment"]] - others
    return contrast if registration["direction"] == "better" else -contrast


def adaptive_expectation(world: World) -> float:
    """Planted expectation of a post outside of the holdout."""
    shares = format_shares(world.document, ACCOUNT)
    assert arm_shares(world.document, has_previous=False)[ARM_HOLDOUT] == 0
    return sum(share * world.multipliers[name] for name, share in shares.items())


def oracle(multipliers: Mapping[str, float]) -> float:
    """The most that weights within their bounds can give: some at the top, the others below."""
    ranked = sorted(multipliers.values(), reverse=True)
    best = 0.0
    for count in range(1, len(ranked) + 1):
        weights = [WEIGHT_MAX] * count + [WEIGHT_MIN] * (len(ranked) - count)
        best = max(best, float(np.average(ranked, weights=weights)))
    return best
