"""What a run said, by name: the words that scraping, scheduling and people share.

This module imports no other of the room, so that platform files can name outcomes too.
"""

from enum import StrEnum


class RunOutcome(StrEnum):
    """What one run of one source said about one profile."""

    NEW_POSTS = "new_posts"
    NO_NEW_POSTS = "no_new_posts"
    """The profile answered, with nothing that was not known; also a profile's own row."""
    PRIVATE = "private"
    NOT_FOUND = "not_found"
    RENAMED = "renamed"
    """The owner that is known from earlier answers now goes by another handle."""
    THROTTLED = "throttled"
    BLOCKED_BY_PLAN = "blocked_by_plan"
    PARTIAL = "partial"
    """Real rows, but fewer than there are."""
    EMPTY = "empty"
    """No post of the profile at all; not a reason to believe that its posts are gone."""
    SCHEMA_DRIFT = "schema_drift"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    """The service gave no usable answer in time."""
    REFUSED = "refused"
    """The service refused the request: token, credit, rights, input."""

    @property
    def moves_baselines(self) -> bool:
        """Whether schedules, "new" counts and the search for vanished posts may rely on it."""
        return self in _MOVING


_MOVING = frozenset({RunOutcome.NEW_POSTS, RunOutcome.NO_NEW_POSTS})

WORDS = {
    RunOutcome.NEW_POSTS: "new posts",
    RunOutcome.NO_NEW_POSTS: "no new posts",
    RunOutcome.PRIVATE: "private or empty",
    RunOutcome.NOT_FOUND: "not found",
    RunOutcome.RENAMED: "renamed",
    RunOutcome.THROTTLED: "throttled",
    RunOutcome.BLOCKED_BY_PLAN: "blocked by the plan at Apify",
    RunOutcome.PARTIAL: "incomplete",
    RunOutcome.EMPTY: "no posts to see",
    RunOutcome.SCHEMA_DRIFT: "rows of another shape",
    RunOutcome.FAILED: "failed",
    RunOutcome.UNAVAILABLE: "no answer",
    RunOutcome.REFUSED: "refused",
}
"""Each outcome for a person."""
