"""The generator's side: draw what to make next, with the exact probability of the pick.

A small module on the standard library, so that a generator may import it without a warehouse. It
reads the context file, the former version that the holdout follows, and ``account.yaml``.

A brief belongs to one of three arms: it follows the context's weights, it explores (formats as
often as they may be the best, everything else evenly), or it is held out and follows the previous
context. Its probabilities are those of the whole mixture, whatever the arm: that is what an
inverse-probability estimate needs.

While experiments run, some draws join one, at most one each, and whether they do depends on
nothing but the seed and the number. Such a brief has the choices of the experiment's arm that it
was assigned to, and follows its own context in all else. The experiments are part of the mixture:
before a draw, each arm of an experiment is equally likely. Who assigns the arms is
`pipeline.decide.experiment_draws`.
"""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.decide.briefs import Account, Arm, Assignment, Brief, Experiment, Joining
from pipeline.decide.context_id import context_id_of
from pipeline.decide.draw_sources import Sources, read_sources, readable_context
from pipeline.decide.experiment_mixture import (
    CHOSEN,
    Shares,
    arm_of,
    joined_experiment,
    with_experiments,
)
from pipeline.errors import UsageError
from pipeline.learn.thompson import PRIOR, chances_of_being_best

ARM_WEIGHTS, ARM_EXPLORATION, ARM_HOLDOUT = "weights", "exploration", "holdout"

MAX_EXPLORATION_SHARE = 0.5
"""The context's exploration share counts up to here: the weights always decide about half."""
MAX_HOLDOUT_SHARE = 0.5

WEIGHT_MIN, NEUTRAL_WEIGHT, WEIGHT_MAX = 0.25, 1.0, 3.0
"""A weight counts within these bounds; they are those of `pipeline.learn.operations`."""

PREFERRED, AVOIDED = 2.0, 0.5
"""How often a preferred or avoided pillar or hook style is drawn, compared with the others."""

HOOK_STYLES = (
    "question", "number_specific", "controversy_light", "how_to", "personal_story", "statement",
)  # fmt: skip
DAYPARTS = ("night", "morning", "midday", "afternoon", "evening", "late")

MOST_BRIEFS = 1000


@dataclass(frozen=True)
class _Draw:
    """One draw before it has an arm of an experiment."""

    number: int
    draw_id: str
    arm: str
    picked: dict[str, str | None]
    chance: random.Random
    """For what is picked after the rest."""
    joins: str | None
    """The experiment's id."""


def draw_briefs(account_folder: Path | str, n: int = 1, seed: int | None = None) -> list[Brief]:
    """Draw briefs for an account from its files. Such draws join no experiment.

    Args:
        account_folder: ``accounts/<name>``.
        n: How many.
        seed: For the same briefs again; a new one when left out.

    Raises:
        ContextError: The context or account file is missing or cannot be read.
        UsageError: ``n`` is not between 1 and 1,000, or the seed is negative.
    """
    sources = read_sources(account_folder)
    with readable_context(account_folder):
        return draw(sources.context, sources.account, previous=sources.previous, n=n, seed=seed)


def draw(
    context: Mapping[str, Any],
    account: Account,
    *,
    previous: Mapping[str, Any] | None = None,
    n: int = 1,
    seed: int | None = None,
    experiments: Sequence[Experiment] = (),
    former: Sequence[Experiment] = (),
    assignments: Mapping[str, Assignment] | None = None,
) -> list[Brief]:
    """Draw briefs from a context.

    Args:
        context: The performance context as JSON.
        account: What the account lists.
        previous: The context that the holdout follows; without one there is no holdout.
        n: How many.
        seed: For the same briefs again; a new one when left out.
        experiments: The running experiments that a draw may join; whatever their order.
        former: Experiments that run no more, in which draws had been assigned.
        assignments: By draw id, for all draws that :func:`joining` says, and for those that were
            assigned before.

    Raises:
        UsageError: ``n`` is not between 1 and 1,000, the seed is negative, or a draw that joins an
            experiment has no assignment.
    """
    seed = checked_seed(n, seed)
    sources = Sources(context, account, previous)
    arms = arm_shares(context, has_previous=previous is not None)
    choices = _choices_by_arm(sources)
    ids = {arm: context_id_of(_followed(sources, arm)) for arm in arms}
    usual = {
        dimension: _mixed(arms, {arm: choices[arm][dimension] for arm in arms})
        for dimension in choices[ARM_WEIGHTS]
    }
    tried = {one.experiment_id: one for one in (*experiments, *former)}
    if any("cta" in arm.choices for one in tried.values() for arm in one.arms):
        usual["cta"] = _mixed(arms, {arm: _cta_shares(_followed(sources, arm)) for arm in arms})
    mixture = with_experiments(usual, tuple(tried.values()))
    briefs = []
    for one in _draws(sources, arms, choices, n, seed, experiments):
        followed = _followed(sources, one.arm)
        assignment = (assignments or {}).get(one.draw_id)
        if assignment is None and one.joins is not None:
            raise UsageError(f"Draw {one.draw_id} joins {one.joins} and was assigned to no arm.")
        joined = None if assignment is None else tried[assignment.experiment_id]
        their = Arm("") if assignment is None or joined is None else arm_of(joined, assignment.arm)
        fixed = {name: their.choices[name] for name in CHOSEN if name in their.choices}
        picked: dict[str, str | None] = {**one.picked, "cta": _cta(followed), **fixed}
        briefs.append(
            Brief(
                draw_id=one.draw_id,
                account=account.name,
                context_id=ids[one.arm],
                arm=one.arm,
                format=picked["format"],
                pillar=picked["pillar"],
                hook_style=picked["hook_style"],
                reference_hooks=_reference_hooks(followed),
                slide_count=None if picked["slide_count"] is None else int(picked["slide_count"]),
                daypart=picked["daypart"],
                cta=picked["cta"],
                topics=tuple(followed.get("top_topics", ())),
                experiment=_suggestion(followed, account, one, picked["format"])
                if joined is None
                else None,
                pick_probability=mixture["format"].get(picked["format"] or ""),
                probabilities=_probabilities(arms[one.arm], picked, mixture),
                seed=seed,
                number=one.number,
                assignment=assignment,
                platform=joined.platform if joined else None,
                instructions=their.instructions,
            )
        )
    return briefs


def joining(
    sources: Sources, *, n: int, seed: int, experiments: Sequence[Experiment]
) -> list[Joining]:
    """The draws that join an experiment: they need an arm before they are briefs."""
    arms = arm_shares(sources.context, has_previous=sources.previous is not None)
    draws = _draws(sources, arms, _choices_by_arm(sources), n, seed, experiments)
    return [
        Joining(one.draw_id, one.joins, one.picked["daypart"])
        for one in draws
        if one.joins is not None
    ]


def draw_ids(sources: Sources, *, n: int, seed: int) -> list[str]:
    """The ids of the draws of a seed, in order."""
    context_id = context_id_of(sources.context)
    return [_draw_id(sources.account.name, context_id, seed, number) for number in range(n)]


def checked_seed(n: int, seed: int | None) -> int:
    """The seed of a draw of ``n`` briefs, a new one where none is given.

    Raises:
        UsageError: ``n`` is not between 1 and 1,000, or the seed is negative.
    """
    if not 1 <= n <= MOST_BRIEFS:
        raise UsageError(f"{n} briefs cannot be drawn: ask for 1 to {MOST_BRIEFS}.")
    if seed is None:
        return random.SystemRandom().getrandbits(48)
    if seed < 0:
        raise UsageError(f"{seed} is no seed: give a whole number from 0 on.")
    return seed


def _draws(
    sources: Sources,
    arms: Shares,
    choices: Mapping[str, Mapping[str, Shares]],
    n: int,
    seed: int,
    experiments: Sequence[Experiment],
) -> list[_Draw]:
    draws = []
    for number, draw_id in enumerate(draw_ids(sources, n=n, seed=seed)):
        # Reproducible on purpose; nothing here is secret.
        chance = random.Random(f"{seed}/{number}")  # noqa: S311
        arm = _pick(chance, arms)
        assert arm is not None, "the arms' shares sum to 1"
        picked = {name: _pick(chance, shares) for name, shares in choices[arm].items()}
        joins = joined_experiment(experiments, seed, number)
        draws.append(_Draw(number, draw_id, arm, picked, chance, joins))
    return draws


def arm_shares(context: Mapping[str, Any], *, has_previous: bool) -> Shares:
    """The share of posts of each arm, in order; they sum to 1."""
    exploration = context.get("exploration", {})
    holdout = min(exploration.get("holdout_share", 0.0), MAX_HOLDOUT_SHARE) if has_previous else 0.0
    explored = (1 - holdout) * min(exploration.get("share", 0.0), MAX_EXPLORATION_SHARE)
    return {
        ARM_WEIGHTS: 1 - holdout - explored,
        ARM_EXPLORATION: explored,
        ARM_HOLDOUT: holdout,
    }


def format_shares(
    context: Mapping[str, Any], account: Account, *, previous: Mapping[str, Any] | None = None
) -> Shares:
    """The probability of each format over all arms; what ``pick_probability`` is taken from."""
    arms = arm_shares(context, has_previous=previous is not None)
    sources = Sources(context, account, previous)
    return _mixed(
        arms, {arm: _formats(_followed(sources, arm), account, arm, context) for arm in arms}
    )


def _choices_by_arm(sources: Sources) -> dict[str, dict[str, Shares]]:
    return {
        arm: _choices(_followed(sources, arm), sources.account, arm, sources.context)
        for arm in (ARM_WEIGHTS, ARM_EXPLORATION, ARM_HOLDOUT)
    }


def _followed(sources: Sources, arm: str) -> Mapping[str, Any]:
    """The context that an arm follows."""
    return (sources.previous or sources.context) if arm == ARM_HOLDOUT else sources.context


def _choices(
    followed: Mapping[str, Any], account: Account, arm: str, present: Mapping[str, Any]
) -> dict[str, Shares]:
    """The probabilities of every choice in one arm, by dimension."""
    hooks = followed.get("hook_insights", {})
    is_even = arm == ARM_EXPLORATION
    return {
        "format": _formats(followed, account, arm, present),
        "pillar": _tilted(
            account.pillars,
            followed.get("top_pillars", ()),
            followed.get("underperforming_pillars", ()),
            is_even=is_even,
        ),
        "hook_style": _tilted(
            HOOK_STYLES,
            hooks.get("best_styles", ()),
            hooks.get("worst_styles", ()),
            is_even=is_even,
        ),
        "slide_count": _slide_counts(followed, account, is_even=is_even),
        "daypart": _dayparts(followed, is_even=is_even),
    }


def _formats(
    followed: Mapping[str, Any], account: Account, arm: str, present: Mapping[str, Any]
) -> Shares:
    weights = followed.get("format_weights", {})
    names = account.formats or tuple(present.get("format_weights", {}))
    if arm != ARM_EXPLORATION:
        return _even({name: _weight(weights.get(name, NEUTRAL_WEIGHT)) for name in names})
    known = followed.get("exploration", {}).get("posteriors", {})
    return chances_of_being_best(
        {
            name: (known[name]["mean"], known[name]["sd"]) if name in known else PRIOR
            for name in names
        }
    )


def _weight(value: float) -> float:
    return min(WEIGHT_MAX, max(WEIGHT_MIN, value))


def _tilted(
    listed: Sequence[str], better: Sequence[str], worse: Sequence[str], *, is_even: bool
) -> Shares:
    """The listed names and those that the context knows, the better ones more often."""
    names = dict.fromkeys((*listed, *better, *worse))
    if is_even:
        return _even(dict.fromkeys(names, 1.0))
    return _even(
        {name: PREFERRED if name in better else AVOIDED if name in worse else 1.0 for name in names}
    )


def _slide_counts(followed: Mapping[str, Any], account: Account, *, is_even: bool) -> Shares:
    """The optimal count; while exploring also one slide less and one more."""
    usual = followed.get("optimal_slide_count") or account.default_slide_count
    if usual is None:
        return {}
    counts = (usual - 1, usual, usual + 1) if is_even else (usual,)
    return _even({str(count): 1.0 for count in counts if 1 <= count <= 35})


def _dayparts(followed: Mapping[str, Any], *, is_even: bool) -> Shares:
    best = followed.get("timing", {}).get("best_dayparts", ())
    if not best:
        return {}
    return _even(dict.fromkeys(dict.fromkeys((*best, *DAYPARTS)) if is_even else best, 1.0))


def _even(weights: Mapping[str, float]) -> Shares:
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


def _mixed(arms: Shares, choices: Mapping[str, Shares]) -> Shares:
    """Probability of each name over all arms."""
    mixed: Shares = {}
    for arm, share in arms.items():
        for name, probability in choices[arm].items():
            mixed[name] = mixed.get(name, 0.0) + share * probability
    return mixed


def _pick(chance: random.Random, shares: Shares) -> str | None:
    if not shares:
        return None
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _probabilities(
    arm_share: float, picked: Mapping[str, str | None], mixture: Mapping[str, Shares]
) -> dict[str, float]:
    return {
        "arm": arm_share,
        **{name: shares[pick] for name, shares in mixture.items() if (pick := picked[name])},
    }


def _reference_hooks(followed: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(followed.get("hook_insights", {}).get("reference_hooks", ()))


def _draw_id(*parts: object) -> str:
    text = "/".join(str(part) for part in parts)
    return f"drw_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _cta(followed: Mapping[str, Any]) -> str | None:
    preferred: str | None = followed.get("cta", {}).get("preferred")
    return preferred


def _cta_shares(followed: Mapping[str, Any]) -> Shares:
    preferred = _cta(followed)
    return {} if preferred is None else {preferred: 1.0}


def _suggestion(
    context: Mapping[str, Any], account: Account, one: _Draw, picked_format: str | None
) -> str | None:
    """While exploring: a suggestion that does not speak of another format than the picked one."""
    if one.arm != ARM_EXPLORATION:
        return None
    others = set(account.formats) - {picked_format}
    fitting = [
        suggestion
        for suggestion in context.get("experiment_suggestions", ())
        if suggestion.split(" ", maxsplit=1)[0] not in others
    ]
    return one.chance.choice(fitting) if fitting else None
