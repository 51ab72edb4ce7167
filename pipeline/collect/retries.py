"""Whether to try again, and when: one decision for a run's errors together."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.errors import AfterpostError, Retry, ScrapeRejectedError

MOST_RETRIES = 3
_FIRST_WAIT_S = 60.0
_GROWTH = 4
_FOR_EVERYBODY = frozenset({401, 402, 403})
"""Refusals of the token, the credit or the actor: the next account would hear the same."""


@dataclass(frozen=True)
class RetryDecision:
    """What to do after a run in which nothing could be scraped."""

    is_worth_it: bool
    wait_s: float
    """Before the next try; 0 where there is none."""


def decide_retry(
    errors: Sequence[AfterpostError], retry_number: int, *, first_wait_s: float = _FIRST_WAIT_S
) -> RetryDecision:
    """Whether a run that failed for every account should be tried again.

    Only when each error can pass by itself: what needs a person is not helped by waiting, and a
    try that scrapes nothing new can cost money.

    Args:
        errors: One per account.
        retry_number: Tries before this one; 0 for the first.
        first_wait_s: Wait before the first retry, in seconds; four times as long before each next.
    """
    can_pass = bool(errors) and all(error.retry is Retry.LATER for error in errors)
    if not can_pass or retry_number >= MOST_RETRIES:
        return RetryDecision(is_worth_it=False, wait_s=0.0)
    return RetryDecision(is_worth_it=True, wait_s=first_wait_s * _GROWTH**retry_number)


def stops_the_others(error: AfterpostError) -> bool:
    """Whether every other account would get the same refusal, so that none is asked about."""
    return isinstance(error, ScrapeRejectedError) and error.status in _FOR_EVERYBODY
