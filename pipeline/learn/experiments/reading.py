"""What an experiment says at a moment, made anew from its posts.

**The verdict is the first that a look gave.** Looks are followed in the order in which values
became known, and the reading stops at the look that ended the experiment: a tried arm was better
than the usual one, one did harm, or every contrast was settled. So it does not matter when somebody
reads, and what was once said stays said.

**Multiplicity is Bonferroni's**, for p-values and intervals alike: an interval leaves out "no
difference" exactly where its adjusted p-value is at most alpha. (Holm's p-values reject a little
more often, and there are no intervals that agree with them.)

**The verdict is the anytime reading's alone.** The analysis at the planned end stands beside it,
from the first planned posts of each arm and from no other: two chances to win would be one too
many.

Ratios are of the tried arm to the usual one. For views and engagement they are ratios of typical
(geometric) means, because logarithms are compared; absolute effects are what these ratios make of
the usual arm's typical post. For rates and counts both are of the means themselves.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.clock import utc_text
from pipeline.learn.experiments.arms import Floats
from pipeline.learn.experiments.checks import chances_best
from pipeline.learn.experiments.contrasts import (
    KEEP_GOING,
    Followed,
    against_usual,
    follow_contrast,
    ratio_of,
    stopping_look,
)
from pipeline.learn.experiments.fixed import compare
from pipeline.learn.experiments.looks import FEWEST, Series, moments, series_of
from pipeline.learn.experiments.readings import (
    ArmReading,
    ContrastReading,
    ExperimentReading,
    FixedReading,
    GuardReading,
)
from pipeline.learn.experiments.registration import MetricKind, Registration
from pipeline.learn.experiments.units import Post, metrics_of, posts_of, version_of
from pipeline.learn.experiments.validity import Counted, count, faults, notes
from pipeline.learn.experiments.verdicts import Conclusion, Verdict

if TYPE_CHECKING:
    import duckdb

LONGEST_TIME = timedelta(days=365)
"""After the first assignment. What has shown nothing in a year is ended with what there is."""

MOST_LOOKS_KEPT = 200
"""Looks of a contrast that a reading lists, evenly chosen, the last always: enough for a chart."""

_A_WEEK_S = 7 * 86_400
_Row = Mapping[str, Any]


def read_experiment(
    connection: "duckdb.DuckDBPyConnection",
    registration: Registration,
    assignments: Sequence[_Row],
    now: datetime,
) -> ExperimentReading:
    """Read an experiment.

    Args:
        connection: To a published copy.
        registration: As :func:`pipeline.learn.experiments.registration.load` gives it.
        assignments: Its rows of ``experiment_assignments``.
        now: The moment, with its zone.
    """
    posts = posts_of(connection, registration)
    return read_posts(registration, assignments, posts, now, version_of(connection))


def read_posts(
    registration: Registration,
    assignments: Sequence[_Row],
    posts: Sequence[Post],
    now: datetime,
    warehouse_version: str = "",
) -> ExperimentReading:
    """The same from posts at hand."""
    drawn = [row for row in assignments if row["assigned_at"] <= now]
    known = count(registration, drawn, posts, now)
    course = _follow(registration, drawn, known, now)
    until = course.ended_at or now
    if until < now:
        drawn = [row for row in drawn if row["assigned_at"] <= until]
        known = count(registration, drawn, posts, until)
        # Once more with nothing that came later, so that the last bits of sums are the same too.
        course = _follow(registration, drawn, known, until)
    wrong = faults(registration, drawn, known)
    arms = _arms(registration, drawn, known, course, until)
    verdict, winner, because = _over_all(registration, course, arms, wrong)
    told = notes(registration, drawn, known, until)
    if any(line.looks.seen.drifted[course.settled(line)[0]] for line in course.lines):
        told.append(
            "Looks contradict each other: the effect does not seem to have been the same all along."
        )
    return ExperimentReading(
        experiment_id=registration.experiment_id,
        read_at=now,
        ended_at=course.ended_at,
        warehouse_version=warehouse_version,
        arms=arms,
        contrasts=tuple(_contrast(course, line) for line in course.lines),
        guards=tuple(
            GuardReading(usual=line.usual, tried=line.tried, **asdict(guard))
            for line in course.lines
            for guard in line.guards_at(course.settled(line)[0])
        ),
        verdict=verdict,
        winner=winner,
        because=because,
        faults=tuple(wrong),
        notes=tuple(told),
        looks=tuple(_looks(course, line) for line in course.lines),
        progress=_progress(registration, arms),
        weeks_left=None if course.ended_at else _weeks_left(registration, arms, known, now),
    )


def primary_series(
    registration: Registration,
    assignments: Sequence[_Row],
    posts: Sequence[Post],
    until: datetime,
) -> dict[str, Series]:
    """The values of every arm that a reading at a moment rests on. Arguments as `read_posts`."""
    drawn = [row for row in assignments if row["assigned_at"] <= until]
    return _series_of(registration, count(registration, drawn, posts, until), until)[
        registration.metric
    ]


def _series_of(
    registration: Registration, known: Counted, until: datetime
) -> dict[str, dict[str, Series]]:
    names = [arm.name for arm in registration.arms]
    return {
        metric.name: series_of(
            known.units,
            names,
            metric,
            until,
            registration.adjustment if metric.name == registration.metric else None,
        )
        for metric in metrics_of(registration)
    }


@dataclass(frozen=True)
class _Course:
    """All looks so far, and where they end.

    ``at`` is the look that everything is read at, the last one or the one that ended it; the looks
    begin with one before anything was known, so that there always is one.
    """

    registration: Registration
    series: Mapping[str, Mapping[str, Series]]
    lines: tuple[Followed, ...]
    at: int
    ended_at: datetime | None

    def settled(self, line: Followed) -> tuple[int, Conclusion]:
        """At which look a contrast is read, and its verdict there."""
        return line.settled(self.at)

    def counts(self, until: datetime) -> dict[str, int]:
        """Values of the primary metric by arm."""
        moment = np.array([until.timestamp()])
        own = self.series[self.registration.metric]
        return {name: int(arm.count_at(moment)[0]) for name, arm in own.items()}


def _follow(
    registration: Registration, assignments: Sequence[_Row], known: Counted, now: datetime
) -> _Course:
    series = _series_of(registration, known, now)
    began = min((row["assigned_at"] for row in assignments), default=registration.created_at)
    deadline = (began + LONGEST_TIME).timestamp()
    times = moments(list(series.values()), began=began.timestamp())
    if deadline <= now.timestamp():
        times = np.union1d(times, [deadline])
    lines = tuple(
        follow_contrast(registration, pair, series, times, deadline)
        for pair in registration.contrasts
    )
    at = stopping_look(lines)
    ended_at = None if at is None else datetime.fromtimestamp(float(times[at]), UTC)
    return _Course(registration, series, lines, len(times) - 1 if at is None else at, ended_at)


def _over_all(
    registration: Registration,
    course: _Course,
    arms: Sequence[ArmReading],
    wrong: Sequence[str],
) -> tuple[Verdict, str | None, str]:
    """Verdict, winning arm and sentence."""
    if wrong:
        return Verdict.INVALID, None, " ".join(wrong)
    if course.ended_at is None:
        return Verdict.KEEP_GOING, None, f"{KEEP_GOING.because} {_how_far(registration, arms)}"
    found = [(line, course.settled(line)[1]) for line in against_usual(course.lines)]
    chance = {arm.name: arm.chance_best or 0.0 for arm in arms}
    won = [(line, one) for line, one in found if one.verdict is Verdict.WINNER]
    better = [(line, one) for line, one in won if one.better]
    if better:
        line, one = max(better, key=lambda pair: (chance[pair[0].tried], pair[0].tried))
        others = [other.because for _, other in found if other.verdict is Verdict.STOPPED_FOR_HARM]
        return Verdict.WINNER, line.tried, " ".join([one.because, *others])
    harm = [one.because for _, one in found if one.verdict is Verdict.STOPPED_FOR_HARM]
    if harm:
        return Verdict.STOPPED_FOR_HARM, None, " ".join(harm)
    told = " ".join(one.because for _, one in found)
    if len(won) == len(found):
        return Verdict.WINNER, found[0][0].usual, told
    return Verdict.NO_USEFUL_DIFFERENCE, None, told


def _arms(
    registration: Registration,
    assignments: Sequence[_Row],
    known: Counted,
    course: _Course,
    until: datetime,
) -> tuple[ArmReading, ...]:
    drawn = Counter(row["arm"] for row in assignments)
    posted = Counter(unit.arm for unit in known.units)
    counts = course.counts(until)
    own = course.series[registration.metric]
    means: dict[str, tuple[float, float]] = {}
    for name, n in counts.items():
        if n >= FEWEST:
            arm = own[name].arm_of(n)
            means[name] = (float(arm.mean), math.sqrt(float(arm.variance)))
    chances = chances_best(means) if len(means) == len(counts) else {}
    return tuple(
        ArmReading(
            name=arm.name,
            assigned_n=drawn[arm.name],
            posted_n=posted[arm.name],
            n=counts[arm.name],
            mean=_own_unit(registration, means[arm.name][0]) if arm.name in means else None,
            median=_median(own[arm.name].plain[: counts[arm.name]]),
            chance_best=chances.get(arm.name),
        )
        for arm in registration.arms
    )


def _own_unit(registration: Registration, mean: float) -> float:
    # Logarithms are of one more than the value, so that a post without any has one.
    return math.expm1(mean) if registration.metric_kind is MetricKind.CONTINUOUS else mean


def _median(values: Floats) -> float | None:
    return float(np.median(values)) if len(values) else None


def _contrast(course: _Course, line: Followed) -> ContrastReading:
    at, conclusion = course.settled(line)
    registration, seen = course.registration, line.looks.seen
    own = course.series[registration.metric]
    n_usual, n_tried = int(line.looks.n_usual[at]), int(line.looks.n_tried[at])
    effect, low, high = (finite(ends[at]) for ends in (line.looks.effect, seen.low, seen.high))
    if registration.metric_kind is MetricKind.CONTINUOUS and n_usual >= FEWEST:
        typical = math.exp(float(own[line.usual].arm_of(n_usual).mean))
        effect, low, high = (
            None if end is None else typical * math.expm1(end) for end in (effect, low, high)
        )
    return ContrastReading(
        usual=line.usual,
        tried=line.tried,
        usual_n=n_usual,
        tried_n=n_tried,
        effect=effect,
        effect_low=low,
        effect_high=high,
        ratio=ratio_of(line.looks.log_ratio[at]),
        ratio_low=ratio_of(seen.log_ratio_low[at]),
        ratio_high=ratio_of(seen.log_ratio_high[at]),
        p_value_anytime=float(seen.p_value[at]),
        p_value_anytime_adjusted=line.p_adjusted(at),
        fixed=_fixed(course, line, n_usual, n_tried),
        size=line.size(at),
        verdict=conclusion.verdict,
        because=conclusion.because,
    )


def _fixed(course: _Course, line: Followed, n_usual: int, n_tried: int) -> FixedReading | None:
    registration = course.registration
    planned = registration.planned_per_arm
    if min(n_usual, n_tried) < planned:
        return None
    own = course.series[registration.metric]
    usual = own[line.usual].first(planned)
    found = compare(usual, own[line.tried].first(planned), alpha=line.alpha)
    low, high = finite(float(found.low)), finite(float(found.high))
    if registration.metric_kind is MetricKind.CONTINUOUS:
        typical = math.exp(float(usual.mean))
        low, high = (None if end is None else typical * math.expm1(end) for end in (low, high))
    p_value = float(found.p_value)
    return FixedReading(
        p_value=p_value,
        p_value_adjusted=min(1.0, p_value * len(registration.contrasts)),
        effect_low=low,
        effect_high=high,
        ratio_low=ratio_of(float(found.log_ratio_low)),
        ratio_high=ratio_of(float(found.log_ratio_high)),
    )


def _looks(course: _Course, line: Followed) -> dict[str, Any]:
    at, _ = course.settled(line)
    n = line.looks.n_usual + line.looks.n_tried
    # A look at which neither arm had grown says nothing new.
    grown = np.flatnonzero(np.diff(n[: at + 1], prepend=0))
    chosen = np.unique(np.linspace(0, len(grown) - 1, MOST_LOOKS_KEPT).round().astype(int))
    seen = line.looks.seen
    return {
        "usual": line.usual,
        "tried": line.tried,
        "looks": [
            {
                "known_at": utc_text(datetime.fromtimestamp(float(line.times[place]), UTC)),
                "n": int(n[place]),
                "p_value": float(seen.p_value[place]),
                "ratio_low": ratio_of(seen.log_ratio_low[place]),
                "ratio_high": ratio_of(seen.log_ratio_high[place]),
            }
            for place in (grown[chosen] if len(grown) else ())
        ],
    }


def _progress(registration: Registration, arms: Sequence[ArmReading]) -> float:
    planned = registration.planned_per_arm
    return sum(min(arm.n, planned) for arm in arms) / (planned * len(arms))


def _how_far(registration: Registration, arms: Sequence[ArmReading]) -> str:
    planned = registration.planned_per_arm * len(arms)
    return f"{sum(arm.n for arm in arms)} of {planned} planned posts are known."


def _weeks_left(
    registration: Registration, arms: Sequence[ArmReading], known: Counted, now: datetime
) -> float | None:
    """Weeks until enough posts are old enough, at the pace since the first; None without a pace."""
    times = [unit.post.posted_at.timestamp() for unit in known.units]
    if len(times) < FEWEST or now.timestamp() <= times[0]:
        return None
    per_week = len(times) / ((now.timestamp() - times[0]) / _A_WEEK_S)
    n = sum(arm.n for arm in arms)
    planned, longest = (
        len(arms) * per_arm
        for per_arm in (registration.planned_per_arm, registration.longest_per_arm)
    )
    missing = (planned if n < planned else longest) - len(times)
    age_weeks = registration.age_hours * 3600 / _A_WEEK_S
    return max(0.0, missing / per_week + age_weeks)


def finite(value: float) -> float | None:
    """A number that JSON has; None for the others."""
    return float(value) if math.isfinite(value) else None
