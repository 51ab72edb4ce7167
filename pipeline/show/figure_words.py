"""How numbers, moments and days are written wherever they are shown; a missing one is a dash."""

from datetime import UTC, date, datetime
from decimal import Decimal

MISSING = "–"
"""What stands for a number that is not known; never 0."""

NBSP = "\N{NO-BREAK SPACE}"

_PLATFORMS = {
    "instagram": "Instagram",
    "linkedin": "LinkedIn",
    "reddit": "Reddit",
    "tiktok": "TikTok",
    "x": "X",
    "youtube": "YouTube",
}


def count(number: float | None) -> str:
    """A count with thousands separators, such as ``12,900``."""
    return MISSING if number is None else f"{number:,.0f}"


def count_range(low: float | None, high: float | None) -> str:
    """An interval of counts."""
    return MISSING if low is None or high is None else f"{count(low)}–{count(high)}"


def plural(number: int, noun: str, space: str = " ") -> str:
    """Such as ``1 post`` or ``1,204 posts``."""
    return f"{number:,}{space}{noun}{'' if number == 1 else 's'}"


def signed(difference: float) -> str:
    """A difference of counts with its sign."""
    return f"{difference:+,.0f}".replace("-", "−") if round(difference) else "±0"


def percent(share: float | None, digits: int = 0, space: str = NBSP) -> str:
    """A fraction in percent."""
    return MISSING if share is None else f"{100 * share:.{digits}f}{space}%"


def percent_range(low: float | None, high: float | None, digits: int = 0) -> str:
    """An interval of fractions in percent."""
    if low is None or high is None:
        return MISSING
    return f"{100 * low:.{digits}f}–{percent(high, digits)}"


def times(ratio: float | None) -> str:
    """A ratio to the usual, such as ``1.62×``."""
    return MISSING if ratio is None else f"{ratio:.2f}×"


def interval(low: float | None, high: float | None) -> str:
    """An interval of ratios, such as ``1.31–2.05``."""
    return MISSING if low is None or high is None else f"{low:.2f}–{high:.2f}"


def change(ratio: float | None) -> str:
    """A ratio to the usual as a change, such as ``+12 %``."""
    return MISSING if ratio is None else f"{100 * (ratio - 1):+.0f}{NBSP}%".replace("-", "−")


def usd(amount: Decimal | float | None) -> str:
    """An amount; small ones to the tenth of a cent."""
    if amount is None:
        return "not known"
    return f"${amount:,.2f}" if amount >= 1 or amount == 0 else f"${amount:.3f}"


def moment(value: datetime | None, zone: str = "Z") -> str:
    """A moment in UTC to the minute, with what tells that it is UTC."""
    return MISSING if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M}{zone}"


def day(value: date | None) -> str:
    """Such as ``2026-11-20``."""
    return MISSING if value is None else f"{value:%Y-%m-%d}"


def day_of_year(value: date | None) -> str:
    """A day without its year, such as ``1 Nov``."""
    return MISSING if value is None else f"{value.day} {value:%b}"


def standard_age(hours: int) -> str:
    """An age at which posts are compared, such as ``72 h`` or ``7 days``."""
    return f"{hours} h" if hours <= 72 else f"{hours // 24} days"


def age(hours: float) -> str:
    """An age that a post happens to have, such as ``31 h`` or ``5 days``."""
    return f"{hours:.0f} h" if hours < 72 else f"{hours / 24:.0f} days"


def platform(name: str) -> str:
    """As the platform writes itself."""
    return _PLATFORMS.get(name, name)
