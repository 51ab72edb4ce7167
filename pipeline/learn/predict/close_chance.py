"""How likely it is that what was said comes close, by the prediction's own quantiles."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pipeline.learn.predict.quantiles import LEVELS, share_above
from pipeline.learn.predict.scoring import CLOSE_SHARE
from pipeline.learn.predict.warehouse_features import Target


def close_chance(row: Mapping[str, Any]) -> float:
    """The probability that the expected value is off the outcome by 25 % of it or less.

    What comes of it is the share of close predictions that the marts count.

    Args:
        row: A stored prediction.
    """
    scale = Target(row["target"]).scale
    quantiles = scale.to_log(np.array([[row["quantiles"][f"{level:g}"] for level in LEVELS]]))
    expected = scale.to_log(np.array([row["expected"]]))
    low, high = (expected - np.log1p(share) for share in (CLOSE_SHARE, -CLOSE_SHARE))
    return float(share_above(quantiles, low)[0] - share_above(quantiles, high)[0])
