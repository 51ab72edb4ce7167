"""How many followers, likes or posts an account will have in some days, from its daily counts.

An average of damped-trend exponential smoothings (Gardner and McKenzie, 1985,
https://doi.org/10.1287/mnsc.31.10.1237) with fixed parameters, weighted by how little each was off
in this series at this horizon before (as Bates and Granger, 1969,
https://doi.org/10.1057/jors.1969.103), and drawn towards no change, which is hard to beat in
accounts that stand still. Intervals come from the errors that the same forecast made before
(:mod:`pipeline.learn.predict.conformal`).
"""

from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.conformal import End, Ends, corrected
from pipeline.measure.effects import Floats

MINIMUM_DAYS = 60
"""Of counts, below which nothing is forecast: trends of weeks do not tell months."""
NO_CHANGE_SHARE = 0.2
"""Of the weight, as long as no change was off as little as the others."""
_LEVEL_WEIGHTS = (0.5, 0.9)
_TREND_WEIGHTS = (0.03, 0.1, 0.3)
_DAMPINGS = (0.8, 0.9, 0.95, 0.98)
_ERROR_HALF_LIFE_DAYS = 120.0
_WEIGHT_POWER = 2.0
_EVEN_SHARE = 0.02
"""Of the mean error that is added to each, so that none is taken to be without error."""
_INTERVAL_HALF_LIFE_DAYS = 400.0
_INTERVAL_STEP = 0.03
_WIDTH_HALF_LIFE_DAYS = 30.0
_LEAST_WIDTH = 1.0
_PRIOR_DAYS = 5.0
_SMALL_COUNT = 10.0
_FIRST_SCORED_DAY = 20


@dataclass(frozen=True)
class Forecast:
    """Counts some days ahead, with the ends of 80 % intervals.

    Whole numbers; NaN before there are ``MINIMUM_DAYS`` days. Shape (days,) each: a row is what is
    said at the end of that day of the day that is the horizon later.
    """

    horizon_days: int
    expected: Floats
    low: Floats
    high: Floats


def forecasts(counts: Floats, horizon_days: int) -> Forecast:
    """What would have been said at the end of each day; the last row is of now.

    Args:
        counts: One for each day, NaN where not known; the first must be known. Shape (days,).
        horizon_days: How far ahead.

    Raises:
        ValueError: The first count is not known, or the horizon is not at least one day.
    """
    if len(counts) and np.isnan(counts[0]):
        raise ValueError("the first day's count must be known")
    if horizon_days < 1:
        raise ValueError(f"a horizon of {horizon_days} days is none")
    candidates, last = _smoothings(counts, horizon_days)
    middle = _combined(candidates, counts, last, horizon_days)
    target = np.full(len(counts), np.nan)
    target[: max(0, len(counts) - horizon_days)] = counts[horizon_days:]
    width = _widths(counts, np.abs(middle - target), horizon_days)
    day = np.arange(len(counts), dtype=np.float64)
    # The first errors are of trends that were not known yet.
    is_scored = ~np.isnan(target) & (day >= _FIRST_SCORED_DAY)
    found, _ = corrected(
        np.column_stack([middle - width, middle, middle + width]),
        target,
        np.where(is_scored, day + horizon_days, np.inf),
        day + 0.5,
        Ends(*(End(_INTERVAL_HALF_LIFE_DAYS, _INTERVAL_STEP, 0.0) for _ in range(2))),
    )
    found[: MINIMUM_DAYS - 1] = np.nan
    low, expected, high = np.round(found).T
    return Forecast(horizon_days, expected, np.maximum(low, 0.0), high)


def _smoothings(counts: Floats, horizon_days: int) -> tuple[Floats, Floats]:
    """What each smoothing says after each day, shape (days, smoothings), and the last known."""
    grid = [
        (level, trend, damping)
        for level in _LEVEL_WEIGHTS
        for trend in _TREND_WEIGHTS
        for damping in _DAMPINGS
    ]
    level_weight, trend_weight, damping = np.array(grid).T
    reach = damping * (1 - damping**horizon_days) / (1 - damping)
    level = np.full(len(grid), counts[0] if len(counts) else np.nan)
    slope = np.zeros(len(grid))
    said = np.empty((len(counts), len(grid)))
    last = np.empty(len(counts))
    for day, count in enumerate(counts):
        before = level
        carried = level + damping * slope
        if day == 0:
            last[day] = count
        elif np.isnan(count):
            level, slope = carried, damping * slope
            last[day] = last[day - 1]
        else:
            level = level_weight * count + (1 - level_weight) * carried
            slope = trend_weight * (level - before) + (1 - trend_weight) * damping * slope
            last[day] = count
        said[day] = level + reach * slope
    return said, last


def _combined(candidates: Floats, counts: Floats, last: Floats, horizon_days: int) -> Floats:
    """The weighted average after each day, from errors that were known by then; shape (days,)."""
    every = np.column_stack([last, candidates])
    keep = 0.5 ** (1 / _ERROR_HALF_LIFE_DAYS)
    errors = np.zeros(every.shape[1])
    prior = np.full(len(errors), (1 - NO_CHANGE_SHARE) / (len(errors) - 1))
    prior[0] = NO_CHANGE_SHARE
    found = np.empty(len(counts))
    for day in range(len(counts)):
        made = day - horizon_days
        if made >= 0 and not np.isnan(counts[day]):
            errors = keep * errors + np.abs(every[made] - counts[day])
        even = (errors + _EVEN_SHARE * errors.mean()).clip(1e-9)
        weights = prior / even**_WEIGHT_POWER
        found[day] = float(weights @ every[day] / weights.sum())
    return found


def _widths(counts: Floats, errors: Floats, horizon_days: int) -> Floats:
    """The usual absolute error after each day, of forecasts whose day had come; shape (days,).

    In units of the square root of the count, as chance has it, so that an account that has grown
    is not given the errors of a small one. Until there are some, the usual change over the horizon
    is taken, as daily changes have it.
    """
    keep = 0.5 ** (1 / _WIDTH_HALF_LIFE_DAYS)
    unit = np.sqrt(np.fmax.accumulate(counts) + _SMALL_COUNT)
    changes = np.full(len(counts), np.nan)
    changes[:1] = 0.0
    # Between days with a count: accounts seen every other day would seem to stand still.
    known = np.flatnonzero(~np.isnan(counts))
    changes[known[1:]] = np.abs(np.diff(counts[known])) / np.diff(known) / unit[known[1:]]
    total = weight = 0.0
    found = np.empty(len(errors))
    for day in range(len(errors)):
        made = day - horizon_days
        if made >= _FIRST_SCORED_DAY and not np.isnan(errors[made]):
            total, weight = keep * total + errors[made] / unit[made], keep * weight + 1
        drift = horizon_days * float(np.nanmean(changes[: day + 1]))
        usual = (total + _PRIOR_DAYS * drift) / (weight + _PRIOR_DAYS)
        found[day] = _LEAST_WIDTH + unit[day] * usual
    return found
