"""Why there is nothing to recommend, and what it would take."""

from typing import TYPE_CHECKING

from pipeline.learn.findings import PROPOSABLE_DIMENSIONS

if TYPE_CHECKING:
    import duckdb

_PROPOSABLE = str(PROPOSABLE_DIMENSIONS)

_PROPOSABLE_WORDS = "format, pillar, topic, hook style, slide count or call to action"

_NEAREST_SEGMENT_SQL = f"""\
select segment, platform, dimension, n, age_hours
from stats.segment_effects
where account_name = $account_name and verdict = 'not_enough_data' and segment is not null
  and dimension in {_PROPOSABLE} and n < $minimum
order by dimension <> 'format', n desc, age_hours desc, segment, platform
limit 1"""  # noqa: S608 (a constant)

_STRONGEST_EFFECT_SQL = f"""\
select segment, platform, dimension, effect, effect_low, effect_high, n
from stats.segment_effects
where account_name = $account_name and verdict = 'no_clear_difference' and segment is not null
  and dimension in {_PROPOSABLE} and effect_low is not null
order by q_value, abs(ln(effect)) desc, segment, platform
limit 1"""  # noqa: S608 (a constant)


def what_is_missing(connection: "duckdb.DuckDBPyConnection", account_name: str) -> str:
    """One sentence: what an account without findings lacks.

    Args:
        connection: A published copy.
        account_name: The account.
    """
    from pipeline.measure.effects import MINIMUM_POSTS  # brings SciPy, a second of start-up

    row = connection.execute(
        "select count(*) from stats.segment_effects where account_name = $account_name",
        {"account_name": account_name},
    ).fetchone()
    assert row is not None, "a count has one row"
    if row[0] == 0:
        return (
            "nothing is measured yet: it needs posts with a format, a pillar or slides that were "
            "scraped at three or seven days of age"
        )
    parts = []
    strongest = connection.execute(_STRONGEST_EFFECT_SQL, {"account_name": account_name}).fetchone()
    if strongest is not None:
        segment, platform, dimension, effect, low, high, n = strongest
        parts.append(
            f"no {_PROPOSABLE_WORDS} differs clearly from the account's usual (closest: "
            f"{_named(dimension, segment)} on {platform}, {effect:.2f}×, 90 % interval "
            f"{low:.2f}–{high:.2f}, {n} posts)"
        )
    nearest = connection.execute(
        _NEAREST_SEGMENT_SQL, {"account_name": account_name, "minimum": MINIMUM_POSTS}
    ).fetchone()
    if nearest is not None:
        segment, platform, dimension, n, age_hours = nearest
        parts.append(
            f"needs {MINIMUM_POSTS - n} more {_named(dimension, segment)} posts on {platform} that "
            f"are {age_hours / 24:.0f} days old"
        )
    return "; ".join(parts) or f"no {_PROPOSABLE_WORDS} is measured yet"


def _named(dimension: str, segment: str) -> str:
    return f"{segment}-slide" if dimension == "slide_count" else segment
