"""When a verdict about an approved change falls, and what it can say. Light to import."""

from enum import StrEnum

MINIMUM_POSTS = 8
"""Posts of the segment, and of the others, below which nothing is decided."""
HORIZON_WEEKS = 8
FIRST_LOOK_WEEK = 2
EARLY_DEVIATIONS = 3.0
"""Standard errors that a look before the horizon asks for."""
FINAL_DEVIATIONS = 1.96
"""Standard errors that the last look, at the horizon, asks for."""
SMALLEST_USEFUL_RATIO = 1.10
RULE = (
    f"weekly from week {FIRST_LOOK_WEEK}, {EARLY_DEVIATIONS:g} standard errors; "
    f"in week {HORIZON_WEEKS}, {FINAL_DEVIATIONS:g}"
)
"""When a verdict falls, in words; stored with each registration.

Looking early asks for so much more that the last look needs no correction: Haybittle (1971),
https://doi.org/10.1259/0007-1285-44-526-793, and Peto et al. (1976),
https://doi.org/10.1038/bjc.1976.220"""


class Verdict(StrEnum):
    """What a change did."""

    WORKED = "worked"
    DID_NOT_WORK = "did_not_work"
    CANNOT_TELL = "cannot_tell"


class Evidence(StrEnum):
    """What a verdict rests on."""

    DRAWN = "drawn"
    """Posts that were drawn, with their probabilities: the arms differ by chance alone."""
    BEFORE_AFTER = "before_after"
    """Posts that somebody chose: weaker, because the choice may have had its reasons."""
