"""How good predictions were, once the outcomes are known."""

from dataclasses import dataclass

import numpy as np

from pipeline.learn.predict.quantiles import pinball
from pipeline.measure.effects import Floats

CLOSE_SHARE = 0.25
"""A prediction within this share of the outcome, on either side, is called close."""


@dataclass(frozen=True)
class Score:
    """What predictions of some posts came to; NaN for what two few posts cannot tell."""

    posts: int
    pinball_loss: float
    """Mean over posts and the levels 0.1, 0.5 and 0.9, on the log scale."""
    coverage: float
    """Share of outcomes within the 80 % intervals, the ends among them."""
    close_share: float
    """Share of outcomes from which the expected value is off by 25 % or less."""
    rank_correlation: float
    """Spearman's, of expected values and outcomes."""
    explained_share: float
    """Of the squared spread of outcomes around a reference, on the log scale."""

    def below(self, other: "Score") -> float:
        """By which share this loss is below another one's: 0.03 is 3 % below."""
        return 1 - self.pinball_loss / other.pinball_loss


def score(outcomes: Floats, quantiles: Floats, reference: Floats) -> Score:
    """Score predictions.

    Args:
        outcomes: On the log scale, shape (rows,).
        quantiles: On the log scale, shape (rows, 3).
        reference: What the spread is counted from: the account's own median, to ask what is known
            beyond the account; one number for all, to ask what is known at all. Shape (rows,).
    """
    if len(outcomes) == 0:
        return Score(0, *(float("nan"),) * 5)
    low, middle, high = quantiles.T
    ratio = np.exp(middle - outcomes)
    spread = float(((outcomes - reference) ** 2).sum())
    return Score(
        posts=len(outcomes),
        pinball_loss=float(pinball(outcomes, quantiles).mean()),
        coverage=float(((low <= outcomes) & (outcomes <= high)).mean()),
        close_share=float((np.abs(ratio - 1) <= CLOSE_SHARE).mean()),
        rank_correlation=_rank_correlation(middle, outcomes),
        explained_share=float("nan")
        if spread == 0
        else 1 - float(((outcomes - middle) ** 2).sum()) / spread,
    )


def brier(happened: Floats, probability: Floats) -> float:
    """Mean squared distance of probabilities from what happened (1) or did not (0).

    Brier (1950), https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
    """
    return float(((probability - happened) ** 2).mean()) if len(happened) else float("nan")


def explained_in_words(share: float) -> str:
    """How much of the spread within an account is explained, as the product says it.

    Args:
        share: Of the squared spread around the account's own median, out of time.
    """
    if np.isnan(share):
        return "How much of the spread is explained is not known yet."
    percent = f"{100 * max(share, 0.0):.0f} %"
    if share < 0.1:
        return (
            "Before posting, this account's posts can hardly be told apart: what is known then"
            f" explains {percent} of the spread around its usual."
        )
    if share < 0.3:
        return (
            f"What is known before posting explains {percent} of the spread around this account's"
            " usual: a lean, not a forecast."
        )
    return f"What is known before posting explains {percent} of the spread around the usual."


def _rank_correlation(expected: Floats, outcomes: Floats) -> float:
    from scipy import stats

    if len(outcomes) < 3 or np.ptp(expected) == 0 or np.ptp(outcomes) == 0:
        return float("nan")
    return float(stats.spearmanr(expected, outcomes).statistic)
