"""What the effects of segments do in worlds whose truth is known.

Every function draws its worlds from a seed, shows their posts to the product's code, and counts.
The set-ups are stated in the docstrings; nothing in them is fitted to the figures.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.post_moments import PostMoments, moments_of_posts
from pipeline.measure import effects, pooling
from pipeline.measure.run_effects import RunEffects, effects_of_run
from pipeline.simulate import effect_worlds
from pipeline.simulate.effect_worlds import DIMENSIONS, EffectWorld, Noise, WorldPlan
from pipeline.simulate.growth import USUAL_CURVE

NOISES: tuple[Noise, ...] = ("normal", "t4")
BANDS = {"5-15": (5, 15), "16-40": (16, 40), "41-100": (41, 100), "over 100": (101, 10**9)}
SOURCE_RULE_RATIO = 1.3
SOURCE_RULE_POSTS = 5


@dataclass(frozen=True)
class Coverage:
    """Shares of 90 % intervals that hold the planted value."""

    intervals: int
    overall: float
    by_band: dict[str, float]
    by_dimension: dict[str, float]
    by_noise: dict[str, float]
    by_outcome: dict[str, float]
    own_dimension_overall: float
    """The same against what the dimension itself does, when chance in the other dimensions' mix is
    counted as luck and not as truth."""
    own_dimension_by_band: dict[str, float]


def coverage(
    seed: int, worlds: int, *, planted_share: float = 0.4, effect_size: float = 0.2
) -> Coverage:
    """Count how often 90 % intervals hold the truth.

    Worlds of 4 accounts with 60 to 400 posts each, very different audiences, ten dimensions of
    unequal segments, views (spread 0.8 to 1.6 on the log scale) and a rate (0.4 to 0.6), luck
    log-normal and t with 4 degrees of freedom in turn. A dimension has effects with the given
    probability; their standard deviation is in units of an outcome's spread. (One of five segments
    raised ×2 at a spread of 1.3 is a standard deviation of 0.21 spreads.)

    The planted value is what an estimate estimates: the mean of the segment's noise-free log
    outcomes less that of all posts of the account, over the posts there are. What the other
    dimensions happen to add to a segment is a part of it.
    """
    rng = np.random.default_rng(seed)
    parts: dict[str, list[NDArray[Any]]] = {
        name: [] for name in ("hit", "own", "n", "dimension", "outcome", "noise")
    }
    for index in range(worlds):
        plan = WorldPlan(
            noise=NOISES[index % 2],
            planted_share=planted_share,
            effect_size=effect_size,
            common_share=0.8,
        )
        world = effect_worlds.draw_world(rng, plan)
        rows, found = _effects(world)
        own = found.of_accounts
        told = ~np.isnan(own.estimate)
        as_estimated, own_dimension = planted_values(world, rows)
        for name, truth in (("hit", as_estimated), ("own", own_dimension)):
            parts[name].append(((own.low <= truth) & (truth <= own.high))[told])
        parts["n"].append(rows.moments.n[told])
        parts["dimension"].append(rows.dimension[told])
        parts["outcome"].append(rows.outcome[told])
        parts["noise"].append(np.full(int(told.sum()), index % 2))
    every = {name: np.concatenate(values) for name, values in parts.items()}

    def by(name: str, labels: tuple[str, ...]) -> dict[str, float]:
        return {
            label: float(every["hit"][every[name] == index].mean())
            for index, label in enumerate(labels)
        }

    def by_band(name: str) -> dict[str, float]:
        n = every["n"]
        return {
            label: float(every[name][(n >= low) & (n <= high)].mean())
            for label, (low, high) in BANDS.items()
        }

    return Coverage(
        intervals=len(every["hit"]),
        overall=float(every["hit"].mean()),
        by_band=by_band("hit"),
        by_dimension=by("dimension", tuple(DIMENSIONS)),
        by_noise=by("noise", NOISES),
        by_outcome=by("outcome", effect_worlds.VIEWS_AND_RATE.names),
        own_dimension_overall=float(every["own"].mean()),
        own_dimension_by_band=by_band("own"),
    )


def planted_values(world: EffectWorld, rows: PostMoments) -> tuple[Any, Any]:
    """Each row's planted log effect: as an estimate sees it, and of its dimension alone.

    Returns:
        Two arrays of shape (rows,).
    """
    accounts, outcomes = int(world.account.max()) + 1, world.noise_free.shape[1]
    seen, alone = np.empty(len(rows.account)), np.empty(len(rows.account))
    segments = int(world.segment.max()) + 1
    for dimension in range(world.segment.shape[1]):
        cell = world.account * segments + world.segment[:, dimension]
        for outcome in range(outcomes):
            at = (rows.dimension == dimension) & (rows.outcome == outcome)
            place = rows.account[at] * segments + rows.segment[at]
            own_part = world.planted[dimension][:, :, outcome][
                world.account, world.segment[:, dimension]
            ]
            for target, value in ((seen, world.noise_free[:, outcome]), (alone, own_part)):
                usual = _mean_by(value, world.account, accounts)
                target[at] = (
                    _mean_by(value, cell, accounts * segments)[place] - usual[rows.account[at]]
                )
    return seen, alone


@dataclass(frozen=True)
class NoiseFigures:
    """Shares of worlds without any effect in which something is found."""

    worlds: int
    any_finding: float
    by_noise: dict[str, float]
    source_rule_any_dimension: float
    source_rule_formats: float


def noise(seed: int, worlds: int) -> NoiseFigures:
    """Count worlds in which anything is found although nothing differs.

    Worlds of 4 accounts with 60 to 400 posts, ten dimensions and all seven outcomes, whose luck
    hangs together as views and engagements do; log-normal and t4 in turn. A finding is a verdict of
    better or worse on any account's segment or on a segment across accounts: some 1,500 tests a
    world. The rule beside it looks at views alone: a segment of five or more posts is a finding
    when the mean of its posts' latest views is at least 1.3 times the account's, the posts being
    of any age up to 120 days.
    """
    rng = np.random.default_rng(seed)
    outcomes = effect_worlds.outcomes_of_posts()
    found_in, by_rule, by_rule_formats = [], [], []
    for index in range(worlds):
        world = effect_worlds.draw_world(rng, WorldPlan(noise=NOISES[index % 2], outcomes=outcomes))
        _, found = _effects(world)
        verdicts = [*found.of_accounts.verdict, *found.across_accounts.verdict]
        found_in.append(any(verdict in ("better", "worse") for verdict in verdicts))
        ages = rng.uniform(0.0, 120 * 24.0, len(world.account))
        reached = np.array([USUAL_CURVE.reached(hours) for hours in ages])
        latest = np.exp(world.log_value[:, outcomes.names.index("views_7d")]) * reached
        hits = _source_rule(world, latest)
        by_rule.append(any(hits))
        by_rule_formats.append(hits[tuple(DIMENSIONS).index("format")])
    return NoiseFigures(
        worlds=worlds,
        any_finding=float(np.mean(found_in)),
        by_noise={name: float(np.mean(found_in[place::2])) for place, name in enumerate(NOISES)},
        source_rule_any_dimension=float(np.mean(by_rule)),
        source_rule_formats=float(np.mean(by_rule_formats)),
    )


@dataclass(frozen=True)
class FalseFindings:
    """Findings where some dimensions matter; one per account, dimension and segment."""

    true_per_world: float
    false_per_world: float
    false_share: float
    """Mean share of a world's findings that are false; a world without findings has none."""


def false_findings(
    seed: int, worlds: int, *, planted_share: float = 0.2, effect_size: float = 0.5
) -> FalseFindings:
    """Count findings in dimensions without effects, when other dimensions have strong ones.

    Worlds as for noise, but a dimension has effects with the given probability; their standard
    deviation is in units of an outcome's spread. A verdict in any other dimension is false.
    """
    rng = np.random.default_rng(seed)
    outcomes = effect_worlds.outcomes_of_posts()
    true_counts, false_counts, shares = [], [], []
    for index in range(worlds):
        plan = WorldPlan(
            noise=NOISES[index % 2],
            outcomes=outcomes,
            planted_share=planted_share,
            effect_size=effect_size,
            common_share=0.8,
        )
        world = effect_worlds.draw_world(rng, plan)
        rows, found = _effects(world)
        has_verdict = np.isin(found.of_accounts.verdict.astype(str), ["better", "worse"])
        matters = np.array([bool(np.any(effect)) for effect in world.planted])[rows.dimension]
        cause = rows.account * 10_000 + rows.dimension * 100 + rows.segment
        true_count = len(np.unique(cause[has_verdict & matters]))
        false_count = len(np.unique(cause[has_verdict & ~matters]))
        true_counts.append(true_count)
        false_counts.append(false_count)
        shares.append(false_count / max(true_count + false_count, 1))
    return FalseFindings(
        float(np.mean(true_counts)), float(np.mean(false_counts)), float(np.mean(shares))
    )


def _source_rule(world: EffectWorld, latest: NDArray[np.float64]) -> list[bool]:
    """By dimension: whether any segment's mean is at least 1.3 times its account's mean."""
    accounts, segments = int(world.account.max()) + 1, int(world.segment.max()) + 1
    usual = np.repeat(_mean_by(latest, world.account, accounts), segments)
    hits = []
    for dimension in range(world.segment.shape[1]):
        cell = world.account * segments + world.segment[:, dimension]
        count = np.bincount(cell, minlength=accounts * segments)
        ratio = _mean_by(latest, cell, accounts * segments) / usual
        hits.append(bool(np.any((ratio >= SOURCE_RULE_RATIO) & (count >= SOURCE_RULE_POSTS))))
    return hits


def power(
    seed: int, worlds: int, *, ratio: float, sigma: float, posts_per_segment: int, noise: Noise
) -> float:
    """Share of runs that find the one raised format of five, as better.

    The run has one account with five formats of equal size and one outcome: nothing else is tested
    in it.
    """
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(worlds):
        world = effect_worlds.draw_raised_segment(
            rng, posts_per_segment=posts_per_segment, ratio=ratio, sigma=sigma, noise=noise
        )
        _, run = _effects(world)
        found += run.of_accounts.verdict[0] == "better"
    return found / worlds


def power_in_a_full_run(seed: int, worlds: int, *, ratio: float, posts_per_segment: int) -> float:
    """The same among everything else that a run tests, for views.

    4 accounts of five times as many posts, ten dimensions, seven outcomes (views vary by 0.8 to
    1.6, by account); in one account one of five equal formats is raised in views and engagements.
    Log-normal and t4 luck in turn.
    """
    rng = np.random.default_rng(seed)
    outcomes = effect_worlds.outcomes_of_posts()
    counts = np.array([name.startswith(("views", "engagement_7", "engagement_72"))
                       for name in outcomes.names])  # fmt: skip
    found = 0
    for index in range(worlds):
        size = 5 * posts_per_segment
        plan = WorldPlan(noise=NOISES[index % 2], outcomes=outcomes, posts=(size, size))
        world = effect_worlds.draw_world(rng, plan)
        own = world.account == 0
        segment, value = world.segment.copy(), world.log_value.copy()
        segment[own, 0] = np.arange(int(own.sum())) % 5
        value[np.ix_(own & (segment[:, 0] == 0), counts)] += np.log(ratio)
        rows = moments_of_posts(world.account, segment, value)
        verdict = effects_of_run(rows.moments, rows.keys).of_accounts.verdict
        at = (rows.account == 0) & (rows.dimension == 0) & (rows.segment == 0)
        at &= rows.outcome == outcomes.names.index("views_7d")
        found += verdict[at][0] == "better"
    return found / worlds


@dataclass(frozen=True)
class Regret:
    """Mean true log views that a choice leaves on the table; 0 is always choosing the best."""

    choices: int
    posterior: float
    account_means: float
    raw_means: float
    best_possible: float
    """Of the posterior that knows how much effects vary, and how much accounts share."""

    @property
    def against_account_means(self) -> float:
        """Regret of the posterior as a share of that of plain account means."""
        return self.posterior / self.account_means

    @property
    def against_raw_means(self) -> float:
        """Regret of the posterior as a share of that of raw means."""
        return self.posterior / self.raw_means

    @property
    def best_possible_against_account_means(self) -> float:
        """The least share that any posterior could come to."""
        return self.best_possible / self.account_means


def choice(
    seed: int,
    worlds: int,
    *,
    common: float = 0.3,
    peculiar: float = 0.1,
    account_count: int = 4,
    posts: tuple[int, int] = (60, 400),
) -> Regret:
    """Let every account choose the best of its formats by four rules.

    Accounts use five formats unequally, some of them only since a random day of the last 120; a
    format's true log effect is what it does in every account (standard deviation ``common``) plus
    what is peculiar to the account (``peculiar``). Views vary by 0.8 to 1.6 on the log scale,
    log-normal and t4 in turn. All rules choose among the formats with five or more posts of seven
    days of age:

    - the posterior: the effect that the product shows;
    - account means: the mean of log views at seven days, outliers pulled in, nothing pooled;
    - raw means: the mean of views in the latest scrape, whatever a post's age;
    - best possible: the posterior with the true standard deviations, which nobody knows.
    """
    rng = np.random.default_rng(seed)
    total: dict[str, list[float]] = {
        name: [] for name in ("posterior", "account_means", "raw_means", "best_possible")
    }
    size = float(np.hypot(common, peculiar))
    for index in range(worlds):
        world = effect_worlds.draw_choice(
            rng,
            noise=NOISES[index % 2],
            effect_size=size,
            common_share=common**2 / size**2,
            account_count=account_count,
            posts=posts,
        )
        old = world.age_hours >= effect_worlds.STANDARD_AGE_HOURS
        rows = moments_of_posts(
            world.account[old], world.segment[old][:, None], world.log_views_7d[old][:, None]
        )
        own = effects_of_run(rows.moments, rows.keys).of_accounts
        told = np.flatnonzero(~np.isnan(own.estimate))
        keys = rows.keys.at(told)
        known = pooling.Spreads(np.array([peculiar**2]), np.array([common**2]))
        formats = world.effects.shape[1]
        cell = world.account * formats + world.segment
        raw = _mean_by(np.exp(world.log_views_latest), cell, world.effects.size)
        scores = {
            "posterior": own.pooled[told],
            "account_means": own.estimate[told],
            "raw_means": raw[rows.account[told] * formats + rows.segment[told]],
            "best_possible": pooling.posterior(
                own.estimate[told], own.standard_error[told], keys, known
            ).mean,
        }
        for account in range(account_count):
            at = rows.account[told] == account
            if np.count_nonzero(at) < 2:
                continue
            truth = world.effects[account, rows.segment[told][at]]
            for name, score in scores.items():
                total[name].append(float(truth.max() - truth[np.argmax(score[at])]))
    return Regret(
        choices=len(total["posterior"]),
        **{name: float(np.mean(values)) for name, values in total.items()},
    )


def _effects(world: EffectWorld) -> tuple[PostMoments, RunEffects]:
    rows = moments_of_posts(world.account, world.segment, world.log_value)
    return rows, effects_of_run(rows.moments, rows.keys)


def _mean_by(values: NDArray[Any], index: NDArray[Any], size: int) -> NDArray[np.float64]:
    count = np.maximum(np.bincount(index, minlength=size), 1)
    return np.asarray(effects.summed_by(values, index, size) / count)
