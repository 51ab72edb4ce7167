"""``afterpost experiment import``: reading an experiment that ran elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.cli.output import Align
from pipeline.show.figure_words import MISSING, percent, times

if TYPE_CHECKING:
    from pipeline.learn.experiments.imported_reading import (
        ImportedContrast,
        ImportedExperiment,
        Question,
    )

_METRICS = ("proportion", "continuous", "count")
_CONTRASTS = ("control", "all")
_CORRECTIONS = ("holm", "bonferroni", "none")
_MOST_EXPERIMENTS = 50


def import_counts(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or Parquet: arm, units, successes for proportion; arm, value for the others.",
            metavar="FILE",
        ),
    ],
    *,
    metric: Annotated[
        str, typer.Option(help=f"{', '.join(_METRICS)}.", show_default=False, metavar="KIND")
    ],
    control: Annotated[
        str | None, typer.Option(help="The usual arm. Default: the file's first.", metavar="ARM")
    ] = None,
    contrasts: Annotated[
        str, typer.Option(help="control: each arm with the usual one; all: each with each.")
    ] = "control",
    alpha: Annotated[float, typer.Option(help="Chance of any false winner.")] = 0.05,
    correction: Annotated[
        str, typer.Option(help=f"For many contrasts: {', '.join(_CORRECTIONS)}.")
    ] = "holm",
    smallest_useful: Annotated[
        float | None,
        typer.Option(
            help="Smallest ratio worth acting on, such as 1.1. Default: not judged.",
            metavar="RATIO",
        ),
    ] = None,
    planned: Annotated[
        float | None,
        typer.Option(
            help="Units per arm that were planned; the same at every look. Default: 1000 for "
            "proportion, 100 for the others.",
            metavar="N",
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(help="Column that tells many experiments apart.", metavar="COLUMN"),
    ] = None,
    shares: Annotated[
        list[str] | None,
        typer.Option(
            help="Declared share of an arm, such as A=2; once per arm. Default: equal shares.",
            metavar="ARM=SHARE",
        ),
    ] = None,
    logarithms: Annotated[
        bool, typer.Option("--log", help="Compare means of logarithms of continuous values.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Read an experiment from elsewhere by its arms' counts.

    Gives the fixed reading, right if this is the one planned end, and the one at any time, right
    however often you look. Nothing is stored.

    Example: afterpost experiment import counts.csv --metric proportion --planned 5000
    """
    question = _question(
        metric=metric,
        control=control,
        contrasts=contrasts,
        alpha=alpha,
        correction=correction,
        smallest_useful=smallest_useful,
        planned=planned,
        shares=shares,
        logarithms=logarithms,
    )
    from pipeline.learn.experiments.counts_file import read_counts
    from pipeline.learn.experiments.imported import read_experiment
    from pipeline.learn.experiments.verdicts import Verdict

    experiments = read_counts(file, question.metric, by)
    found = [read_experiment(arms, question, name) for name, arms in experiments.items()]
    if not by and not found[0].contrasts:
        from pipeline.learn.experiments.arms import NotComparableError

        raise NotComparableError(f"{file}: {found[0].because}")
    if as_json:
        about = {
            "file": str(file),
            "metric": question.metric,
            "alpha": alpha,
            "correction": correction,
            "smallest_useful_ratio": smallest_useful,
            "scale": "logarithms" if logarithms else "values",
        }
        many = {"experiments": [one.to_json() for one in found]}
        output.print_json(about | (many if by else found[0].to_json()))
    elif by:
        _show_many(found)
    else:
        _show_one(found[0])
    if not as_json and any(one.verdict is Verdict.INVALID for one in found):
        output.say("Invalid: the figures stand, and what they say of the arms cannot be trusted.")


def _question(
    *,
    metric: str,
    control: str | None,
    contrasts: str,
    alpha: float,
    correction: str,
    smallest_useful: float | None,
    planned: float | None,
    shares: Sequence[str] | None,
    logarithms: bool,
) -> "Question":
    for name, value, known in (
        ("--metric", metric, _METRICS),
        ("--contrasts", contrasts, _CONTRASTS),
        ("--correction", correction, _CORRECTIONS),
    ):
        if value not in known:
            raise UsageError(f"{name} {value!r} is unknown: use {', '.join(known)}.")
    if not 0 < alpha < 1:
        raise UsageError(f"--alpha lies between 0 and 1, and {alpha:g} does not.")
    if smallest_useful is not None and not 1 < smallest_useful < float("inf"):
        raise UsageError("--smallest-useful is a ratio above 1, such as 1.1 for 10 % more.")
    if planned is not None and not 2 <= planned < float("inf"):
        raise UsageError("--planned is a number of units per arm, at least 2.")
    if logarithms and metric != "continuous":
        raise UsageError("--log is for continuous values: leave it out.")
    from pipeline.learn.experiments.imported_reading import Contrasts, Correction, Question
    from pipeline.learn.experiments.registration import MetricKind

    return Question(
        metric=MetricKind(metric),
        control=control,
        contrasts=Contrasts(contrasts),
        alpha=alpha,
        correction=Correction(correction),
        smallest_useful_ratio=smallest_useful,
        planned=planned,
        shares=_shares(shares),
        logarithms=logarithms,
    )


def _shares(given: Sequence[str] | None) -> dict[str, float] | None:
    if not given:
        return None
    declared = {}
    for text in given:
        arm, sign, share = text.rpartition("=")
        try:
            declared[arm.strip()] = float(share)
        except ValueError:
            sign = ""
        if not sign or not arm.strip() or not 0 < declared[arm.strip()] < float("inf"):
            raise UsageError(f"--shares {text!r} is not ARM=SHARE with a share above 0.")
    return declared


def _show_one(found: "ImportedExperiment") -> None:
    output.table(
        [("arm", Align.LEFT), ("units", Align.RIGHT), ("mean", Align.RIGHT), ("best", Align.RIGHT)],
        [
            (
                arm.arm,
                f"{arm.units:,}",
                _mean(arm.mean, share=arm.successes is not None),
                percent(arm.chance_best),
            )
            for arm in found.arms
        ],
    )
    output.say()
    output.table(
        [
            ("contrast", Align.LEFT),
            ("reading", Align.LEFT),
            ("difference", Align.RIGHT),
            ("ratio", Align.RIGHT),
            ("p", Align.RIGHT),
            ("adjusted", Align.RIGHT),
        ],
        [row for contrast in found.contrasts for row in _contrast_rows(contrast, found)],
    )
    output.say()
    for contrast in found.contrasts if len(found.contrasts) > 1 else ():
        words = contrast.verdict.replace("_", " ")
        output.say(output.plain(f"{contrast.tried} against {contrast.usual}: {words}."))
    output.say(output.plain(f"Verdict: {found.verdict.replace('_', ' ')}. {found.because}"))
    output.say(
        f"Intervals hold the truth with {100 * found.confidence:g} %. Split of the units: "
        f"p = {found.sample_ratio_p:.2g}. Planned: {found.planned:,g} units per arm."
    )
    for note in found.notes:
        output.say(output.plain(note))


def _contrast_rows(
    contrast: "ImportedContrast", found: "ImportedExperiment"
) -> list[tuple[str, ...]]:
    share = found.arms[0].successes is not None
    rows: list[tuple[str, ...]] = []
    for reading, effect, ratio, p, adjusted in (
        (
            "planned end",
            (contrast.effect_low_fixed, contrast.effect_high_fixed),
            (contrast.ratio_low_fixed, contrast.ratio_high_fixed),
            contrast.p_value_fixed,
            contrast.p_value_fixed_adjusted,
        ),
        (
            "any time",
            (contrast.effect_low_anytime, contrast.effect_high_anytime),
            (contrast.ratio_low_anytime, contrast.ratio_high_anytime),
            contrast.p_value_anytime,
            contrast.p_value_anytime_adjusted,
        ),
    ):
        ends = " to ".join(_difference(end, share=share).removesuffix(" points") for end in effect)
        rows.append(
            (
                f"{contrast.tried} against {contrast.usual}" if not rows else "",
                reading,
                f"{_difference(contrast.effect, share=share)} ({ends})",
                f"{times(contrast.ratio)} ({' to '.join(times(end) for end in ratio)})",
                f"{p:.3g}",
                f"{adjusted:.3g}",
            )
        )
    return rows


def _mean(value: float, *, share: bool) -> str:
    return percent(value, 2, " ") if share else f"{value:,.4g}"


def _difference(value: float | None, *, share: bool) -> str:
    if value is None:
        return MISSING
    return f"{100 * value:+.2f} points" if share else f"{value:+,.4g}"


def _show_many(found: "Sequence[ImportedExperiment]") -> None:
    output.table(
        [
            ("experiment", Align.LEFT),
            ("arms", Align.RIGHT),
            ("p planned end", Align.RIGHT),
            ("p any time", Align.RIGHT),
            ("verdict", Align.LEFT),
            ("winner", Align.LEFT),
        ],
        [
            (
                str(one.experiment),
                str(len(one.arms)),
                _smallest([c.p_value_fixed_adjusted for c in one.contrasts]),
                _smallest([c.p_value_anytime_adjusted for c in one.contrasts]),
                one.verdict.replace("_", " "),
                one.winner or MISSING,
            )
            for one in found
        ],
        most=_MOST_EXPERIMENTS,
    )
    counts = {verdict: sum(one.verdict is verdict for one in found) for verdict in _verdicts(found)}
    told = ", ".join(f"{n:,} {verdict.replace('_', ' ')}" for verdict, n in counts.items())
    output.say(f"{len(found):,} experiments: {told}. P-values are adjusted within each.")


def _verdicts(found: "Sequence[ImportedExperiment]") -> list[str]:
    return sorted({one.verdict for one in found})


def _smallest(p_values: Sequence[float]) -> str:
    return f"{min(p_values):.3g}" if p_values else MISSING
