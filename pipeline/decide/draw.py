"""The generator's side: draw what to make next, with the exact probability of the pick.

A small module on the standard library, so that a generator may import it without a warehouse. It
reads the context file, the former version that the holdout follows, and ``account.yaml``.

A brief belongs to one of three arms: it follows the context's weights, it explores (formats as
often as they may be the best, everything else evenly), or it is held out and follows the previous
context. Its probabilities are those of the whole mixture, whatever the arm: that is what an
inverse-probability estimate needs.
"""

import hashlib
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.decide.briefs import Account, Brief
from pipeline.decide.context_id import context_id_of
from pipeline.errors import ContextError, UsageError
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

_Shares = dict[str, float]
"""Probability by name; they sum to 1, or there is none."""


def draw_briefs(account_folder: Path | str, n: int = 1, seed: int | None = None) -> list[Brief]:
    """Draw briefs for an account from its files.

    Args:
        account_folder: ``accounts/<name>``.
        n: How many.
        seed: For the same briefs again; a new one when left out.

    Raises:
        ContextError: The context or account file is missing or cannot be read.
        UsageError: ``n`` is not between 1 and 1,000, or the seed is negative.
    """
    folder = Path(account_folder)
    path = folder / "performance_context.json"
    context = _read_context(path)
    account = read_account(folder / "account.yaml")
    previous = _previous_context(folder / "context_history", context)
    try:
        return draw(context, account, previous=previous, n=n, seed=seed)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ContextError(
            f"{path} is not a valid context ({error}): `afterpost context check {folder.name}` "
            "says what is wrong with it."
        ) from error


def draw(
    context: Mapping[str, Any],
    account: Account,
    *,
    previous: Mapping[str, Any] | None = None,
    n: int = 1,
    seed: int | None = None,
) -> list[Brief]:
    """Draw briefs from a context.

    Args:
        context: The performance context as JSON.
        account: What the account lists.
        previous: The context that the holdout follows; without one there is no holdout.
        n: How many.
        seed: For the same briefs again; a new one when left out.

    Raises:
        UsageError: ``n`` is not between 1 and 1,000, or the seed is negative.
    """
    if not 1 <= n <= MOST_BRIEFS:
        raise UsageError(f"{n} briefs cannot be drawn: ask for 1 to {MOST_BRIEFS}.")
    if seed is None:
        seed = random.SystemRandom().getrandbits(48)
    elif seed < 0:
        raise UsageError(f"{seed} is no seed: give a whole number from 0 on.")
    arms = arm_shares(context, has_previous=previous is not None)
    followed = {ARM_WEIGHTS: context, ARM_EXPLORATION: context, ARM_HOLDOUT: previous or context}
    choices = {arm: _choices(followed[arm], account, arm, context) for arm in arms}
    ids = {arm: context_id_of(followed[arm]) for arm in arms}
    mixture = {
        dimension: _mixed(arms, {arm: choices[arm][dimension] for arm in arms})
        for dimension in choices[ARM_WEIGHTS]
    }
    briefs = []
    for number in range(n):
        # Reproducible on purpose; nothing here is secret.
        chance = random.Random(f"{seed}/{number}")  # noqa: S311
        arm = _pick(chance, arms)
        assert arm is not None, "the arms' shares sum to 1"
        picked = {name: _pick(chance, shares) for name, shares in choices[arm].items()}
        briefs.append(
            Brief(
                draw_id=_draw_id(account.name, ids[ARM_WEIGHTS], seed, number),
                account=account.name,
                context_id=ids[arm],
                arm=arm,
                format=picked["format"],
                pillar=picked["pillar"],
                hook_style=picked["hook_style"],
                reference_hooks=_reference_hooks(followed[arm]),
                slide_count=None if picked["slide_count"] is None else int(picked["slide_count"]),
                daypart=picked["daypart"],
                cta=followed[arm].get("cta", {}).get("preferred"),
                topics=tuple(followed[arm].get("top_topics", ())),
                experiment=_experiment(followed[arm], account, arm, picked["format"], chance),
                pick_probability=mixture["format"].get(picked["format"] or ""),
                probabilities=_probabilities(arms[arm], picked, mixture),
                seed=seed,
                number=number,
            )
        )
    return briefs


def arm_shares(context: Mapping[str, Any], *, has_previous: bool) -> _Shares:
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
) -> _Shares:
    """The probability of each format over all arms; what ``pick_probability`` is taken from."""
    arms = arm_shares(context, has_previous=previous is not None)
    followed = {ARM_WEIGHTS: context, ARM_EXPLORATION: context, ARM_HOLDOUT: previous or context}
    return _mixed(arms, {arm: _formats(followed[arm], account, arm, context) for arm in arms})


def read_account(path: Path) -> Account:
    """The formats and pillars of an ``account.yaml``.

    Raises:
        ContextError: The file is missing or not of the known form.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Account(
            name=document["name"],
            formats=_names(document.get("formats")),
            pillars=_names(document.get("content_pillars")),
            default_slide_count=document.get("default_slide_count"),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ContextError(
            f"{path} cannot be read: `afterpost accounts check` says what is wrong with it."
        ) from None


def _names(listed: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(item["name"] if isinstance(item, dict) else item for item in listed or ())


def _read_context(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ContextError(
            f"{path} does not exist yet: `afterpost context check {path.parent.name}` makes it."
        ) from None
    except (OSError, ValueError) as error:
        raise ContextError(f"{path} cannot be read ({error}).") from None
    if not isinstance(document, dict):
        raise ContextError(f"{path} holds no object with keys.")
    return document


def _previous_context(folder: Path, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The former version that the context names; None where it is not there or was changed."""
    wanted = context.get("exploration", {}).get("previous_context_id")
    if not wanted or not folder.is_dir():
        return None
    for path in sorted(folder.glob(f"[0-9]*_{wanted}.json"), reverse=True):
        document = _read_context(path)
        if context_id_of(document) == wanted:
            return document
    return None


def _choices(
    followed: Mapping[str, Any], account: Account, arm: str, present: Mapping[str, Any]
) -> dict[str, _Shares]:
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
) -> _Shares:
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
) -> _Shares:
    """The listed names and those that the context knows, the better ones more often."""
    names = dict.fromkeys((*listed, *better, *worse))
    if is_even:
        return _even(dict.fromkeys(names, 1.0))
    return _even(
        {name: PREFERRED if name in better else AVOIDED if name in worse else 1.0 for name in names}
    )


def _slide_counts(followed: Mapping[str, Any], account: Account, *, is_even: bool) -> _Shares:
    """The optimal count; while exploring also one slide less and one more."""
    usual = followed.get("optimal_slide_count") or account.default_slide_count
    if usual is None:
        return {}
    counts = (usual - 1, usual, usual + 1) if is_even else (usual,)
    return _even({str(count): 1.0 for count in counts if 1 <= count <= 35})


def _dayparts(followed: Mapping[str, Any], *, is_even: bool) -> _Shares:
    best = followed.get("timing", {}).get("best_dayparts", ())
    if not best:
        return {}
    return _even(dict.fromkeys(dict.fromkeys((*best, *DAYPARTS)) if is_even else best, 1.0))


def _even(weights: Mapping[str, float]) -> _Shares:
    whole = sum(weights.values())
    return {name: weight / whole for name, weight in weights.items()}


def _mixed(arms: _Shares, choices: Mapping[str, _Shares]) -> _Shares:
    """Probability of each name over all arms."""
    mixed: _Shares = {}
    for arm, share in arms.items():
        for name, probability in choices[arm].items():
            mixed[name] = mixed.get(name, 0.0) + share * probability
    return mixed


def _pick(chance: random.Random, shares: _Shares) -> str | None:
    if not shares:
        return None
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _probabilities(
    arm_share: float, picked: Mapping[str, str | None], mixture: Mapping[str, _Shares]
) -> dict[str, float]:
    chosen = {name: value for name, value in picked.items() if value is not None}
    return {"arm": arm_share, **{name: mixture[name][value] for name, value in chosen.items()}}


def _reference_hooks(followed: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(followed.get("hook_insights", {}).get("reference_hooks", ()))


def _draw_id(*parts: object) -> str:
    text = "/".join(str(part) for part in parts)
    return f"drw_{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _experiment(
    context: Mapping[str, Any],
    account: Account,
    arm: str,
    picked_format: str | None,
    chance: random.Random,
) -> str | None:
    """While exploring: a suggestion that does not speak of another format than the picked one."""
    if arm != ARM_EXPLORATION:
        return None
    others = set(account.formats) - {picked_format}
    fitting = [
        suggestion
        for suggestion in context.get("experiment_suggestions", ())
        if suggestion.split(" ", maxsplit=1)[0] not in others
    ]
    return chance.choice(fitting) if fitting else None
