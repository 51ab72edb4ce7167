"""The one place that asks the operating system for the time."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The current moment, in UTC with its zone, to the microsecond."""
    return datetime.now(tz=UTC)


def utc_text(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``, to the second unless there are microseconds.

    Raises:
        ValueError: The moment has no zone; guessing one would move it by hours.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
