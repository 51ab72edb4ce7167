"""Reading experiments that ran elsewhere, from the counts of their arms.

Both readings are given. The fixed one is right if the file is the one planned end; the one at any
time is right however often files of the same experiment are read, as long as the planned size stays
the same. Nothing is stored.

What arms are made of: shares of independent trials (``proportion``), means of values as they are,
or of their logarithms where that is asked for (``continuous``), and mean counts (``count``). The
last two have the variance between their units.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np

from pipeline.learn.experiments import anytime, fixed
from pipeline.learn.experiments.arms import (
    Arm,
    Difference,
    NotComparableError,
    binomial_arm,
    difference,
    log_arm,
    ratio_arm,
)
from pipeline.learn.experiments.checks import (
    MISMATCH,
    bonferroni,
    chances_best,
    holm,
    sample_ratio_p,
)
from pipeline.learn.experiments.counts_file import CountedArm
from pipeline.learn.experiments.imported_reading import (
    PLANNED,
    Contrasts,
    Correction,
    ImportedArm,
    ImportedContrast,
    ImportedExperiment,
    Question,
)
from pipeline.learn.experiments.verdicts import Reading, Verdict, conclude, size_of


def read_experiment(
    counted: Sequence[CountedArm], question: Question, name: str | None = None
) -> ImportedExperiment:
    """What the counts of an experiment say.

    Args:
        counted: Its arms.
        question: How it is to be read.
        name: In a file of many.

    Returns:
        The reading; invalid, without contrasts, where the arms cannot be compared.

    Raises:
        NotComparableError: The usual arm or one with a declared share is not in the file.
    """
    planned = question.planned or PLANNED[question.metric]
    faults = _faults(counted)
    if faults:
        because = " ".join(faults)
        return ImportedExperiment(
            name,
            (),
            (),
            None,
            {},
            planned,
            1 - question.alpha,
            None,
            Verdict.INVALID,
            because,
            tuple(faults),
            (),
        )
    pairs = _pairs([arm.name for arm in counted], question)
    split = sample_ratio_p([arm.units for arm in counted], _declared(counted, question))
    if split < MISMATCH:
        faults.append(
            f"The arms have {_listed([str(arm.units) for arm in counted])} units, which the "
            f"declared split gives with p = {split:.2g}: something else than chance chose the arms."
        )
    arms = [_arm(arm, question) for arm in counted]
    chances = chances_best(
        {
            c.name: (float(a.mean), float(a.variance) ** 0.5)
            for c, a in zip(counted, arms, strict=True)
        }
    )
    contrasts, seen = _contrasts(counted, arms, pairs, question, planned, faults)
    winner, verdict, because = _together(contrasts, faults)
    return ImportedExperiment(
        experiment=name,
        arms=tuple(
            ImportedArm(
                c.name,
                c.units,
                c.successes,
                float(a.mean),
                float(a.variance) ** 0.5,
                chances[c.name],
            )
            for c, a in zip(counted, arms, strict=True)
        ),
        contrasts=contrasts,
        sample_ratio_p=split,
        chances_best=chances,
        planned=planned,
        confidence=1 - question.alpha / _divisor(question, len(pairs)),
        winner=winner,
        verdict=verdict,
        because=because,
        faults=tuple(faults),
        notes=tuple(_notes(counted, contrasts, seen)),
    )


def _faults(counted: Sequence[CountedArm]) -> list[str]:
    if len(counted) < 2:
        return [f"There is one arm, {counted[0].name!r}: an experiment compares at least two."]
    return [
        f"Arm {arm.name!r} has {'no units' if arm.units == 0 else 'one unit'}: nothing tells how "
        "much its units differ."
        for arm in counted
        if arm.units < 2
    ]


def _pairs(names: Sequence[str], question: Question) -> list[tuple[int, int]]:
    if question.control is not None and question.control not in names:
        raise NotComparableError(
            f"The usual arm {question.control!r} is not in the file, which has {_listed(names)}."
        )
    usual = 0 if question.control is None else names.index(question.control)
    order = [usual, *(i for i in range(len(names)) if i != usual)]
    if question.contrasts is Contrasts.ALL:
        return list(combinations(order, 2))
    return [(usual, tried) for tried in order[1:]]


def _declared(counted: Sequence[CountedArm], question: Question) -> list[float] | None:
    if question.shares is None:
        return None
    names = [arm.name for arm in counted]
    if set(names) != set(question.shares):
        raise NotComparableError(
            f"Shares are declared for {_listed(list(question.shares))}, and the file's arms are "
            f"{_listed(names)}."
        )
    return [question.shares[name] for name in names]


def _arm(counted: CountedArm, question: Question) -> Arm:
    if counted.values is None:
        return binomial_arm(counted.successes or 0, counted.units)
    if not question.logarithms:
        return ratio_arm(counted.values)
    if np.any(counted.values <= 0):
        raise NotComparableError(
            f"Arm {counted.name!r} has the value {counted.values.min():g}, which has no logarithm."
        )
    return log_arm(np.log(counted.values))


def _divisor(question: Question, contrasts: int) -> int:
    return 1 if question.correction is Correction.NONE else contrasts


def _contrasts(
    counted: Sequence[CountedArm],
    arms: Sequence[Arm],
    pairs: Sequence[tuple[int, int]],
    question: Question,
    planned: float,
    faults: Sequence[str],
) -> tuple[tuple[ImportedContrast, ...], Difference]:
    first, second = (_stacked([arms[pair[side]] for pair in pairs]) for side in (0, 1))
    alpha = question.alpha / _divisor(question, len(pairs))
    seen = difference(first, second)
    at_end = fixed.compare(first, second, alpha=alpha)
    always = anytime.look(seen, planned, alpha=alpha)
    adjusted_fixed = _adjusted(at_end.p_value, question)
    adjusted_always = _adjusted(always.p_value, question)
    ratio = question.smallest_useful_ratio
    useful = None if ratio is None else float(np.log(ratio))
    enough = planned * anytime.LONGEST if question.planned else np.inf
    found = []
    for i, (usual, tried) in enumerate(pairs):
        low, high = float(always.log_ratio_low[i]), float(always.log_ratio_high[i])
        judged = useful if np.isfinite(seen.log_ratio[i]) else None
        if np.isnan(seen.log_ratio[i]):
            low, high = float(always.low[i]), float(always.high[i])
        conclusion = conclude(
            Reading(adjusted_always[i], low, high),
            smallest_useful=judged,
            ended=min(counted[usual].units, counted[tried].units) >= enough,
            alpha=question.alpha,
            faults=faults,
        )
        found.append(
            ImportedContrast(
                usual=counted[usual].name,
                tried=counted[tried].name,
                usual_units=counted[usual].units,
                tried_units=counted[tried].units,
                usual_mean=float(first.mean[i]),
                tried_mean=float(second.mean[i]),
                effect=float(seen.effect[i]),
                effect_low_fixed=_known(at_end.low[i]),
                effect_high_fixed=_known(at_end.high[i]),
                effect_low_anytime=_known(always.low[i]),
                effect_high_anytime=_known(always.high[i]),
                ratio=_ratio(seen.log_ratio[i]),
                ratio_low_fixed=_ratio(at_end.log_ratio_low[i]),
                ratio_high_fixed=_ratio(at_end.log_ratio_high[i]),
                ratio_low_anytime=_ratio(always.log_ratio_low[i]),
                ratio_high_anytime=_ratio(always.log_ratio_high[i]),
                p_value_fixed=float(at_end.p_value[i]),
                p_value_fixed_adjusted=adjusted_fixed[i],
                p_value_anytime=float(always.p_value[i]),
                p_value_anytime_adjusted=adjusted_always[i],
                size=None if judged is None else size_of(low, high, judged),
                verdict=conclusion.verdict,
                because=conclusion.because,
            )
        )
    return tuple(found), seen


def _stacked(arms: Sequence[Arm]) -> Arm:
    columns = ("size", "mean", "variance", "df", "events")
    return Arm(arms[0].kind, *(np.array([getattr(a, c) for a in arms], float) for c in columns))


def _adjusted(p_values: Any, question: Question) -> list[float]:
    given = {str(i): float(p) for i, p in enumerate(p_values)}
    if question.correction is Correction.NONE or len(given) == 1:
        return list(given.values())
    return list((holm if question.correction is Correction.HOLM else bonferroni)(given).values())


def _known(end: float) -> float | None:
    return float(end) if np.isfinite(end) else None


def _ratio(log_ratio: float) -> float | None:
    with np.errstate(over="ignore"):
        return _known(np.exp(log_ratio)) if np.isfinite(log_ratio) else None


def _together(
    contrasts: Sequence[ImportedContrast], faults: Sequence[str]
) -> tuple[str | None, Verdict, str]:
    """The best arm that beat the usual one and lost to none; the usual one if it beat them all."""
    if faults:
        return None, Verdict.INVALID, " ".join(faults)
    shown = (Verdict.WINNER, Verdict.STOPPED_FOR_HARM)
    lost = {c.usual if c.effect > 0 else c.tried for c in contrasts if c.verdict in shown}
    with_usual = [c for c in contrasts if c.usual == contrasts[0].usual]
    better = [c for c in with_usual if c.verdict in shown and c.tried not in lost]
    winner = None
    if better:
        winner = max(better, key=lambda contrast: contrast.tried_mean).tried
    elif all(contrast.tried in lost for contrast in with_usual):
        winner = contrasts[0].usual
    if winner is not None:
        return winner, Verdict.WINNER, f"Arm {winner!r} is better."
    for verdict in (Verdict.KEEP_GOING, Verdict.NO_USEFUL_DIFFERENCE, Verdict.STOPPED_FOR_HARM):
        for contrast in contrasts:
            if contrast.verdict is verdict:
                return None, verdict, contrast.because
    return None, Verdict.KEEP_GOING, "No arm is better than all that it is compared with."


def _notes(
    counted: Sequence[CountedArm], contrasts: Sequence[ImportedContrast], seen: Difference
) -> list[str]:
    notes = [
        f"Arm {arm.name!r} has {arm.rows} rows; they are added up."
        for arm in counted
        if arm.successes is not None and arm.rows > 1
    ]
    for i, contrast in enumerate(contrasts):
        pair = f"{contrast.usual!r} and {contrast.tried!r}"
        if not seen.null_se[i] > 0:
            notes.append(f"No unit of {pair} differs from the others: nothing is concluded.")
        elif not seen.ready[i]:
            notes.append(
                f"{pair} are too few units or events, or too unequal arms, for a reading at any "
                "time."
            )
    return notes


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:8]) + ([f"{len(names) - 8} more"] if len(names) > 8 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
