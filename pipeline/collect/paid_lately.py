"""Which profiles were paid for so lately that another run would only cost again.

A scrape is of now: to run a past day's scrape again brings today's numbers once more, at the full
price. Whoever starts runs for many accounts at once asks here first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.state_attempts import attempts_since
from pipeline.collect.cadence import LONGEST_INTERVAL, is_due, profiles_due
from pipeline.collect.landing import SourceKind
from pipeline.settings import Settings


@dataclass(frozen=True)
class PaidLately:
    """A profile whose last paid run is not older than its pace."""

    account_name: str
    paid_at: datetime
    cost_usd: Decimal | None
    """None when it is not known."""


def paid_lately(
    settings: Settings,
    accounts: Sequence[AccountConfig],
    platform: Platform,
    source_kind: SourceKind,
    now: datetime,
    *,
    since: datetime | None = None,
) -> dict[str, PaidLately]:
    """By account name, the last run that was paid for, where the next is not due yet.

    A run whose end is not known is not among them: the next scrape takes it up and pays nothing.

    Args:
        settings: Where ledger, landing files and published copy are.
        accounts: Whose profiles.
        platform: Which of them.
        source_kind: What is asked for.
        now: The moment of asking.
        since: Where given, every run meant at this moment or later counts, and none before it,
            whatever the profile's pace.

    Raises:
        LandingError: A manifest is damaged.
        ConfigurationError: The state database cannot be used.
    """
    found = {}
    only = accounts[0].name if len(accounts) == 1 else None
    for row in attempts_since(settings, only, since or now - LONGEST_INTERVAL):
        is_other = row["platform"] != platform.value or row["source_kind"] != source_kind.value
        if is_other or row["finished_at"] is None:
            continue
        cost_usd = None if row["cost_usd"] is None else Decimal(row["cost_usd"])
        if cost_usd != 0:
            name = row["account_name"]
            found[name] = PaidLately(name, row["intended_at"], cost_usd)
    if since is not None:
        names = {account.name for account in accounts}
        return {name: paid for name, paid in found.items() if name in names}
    # What a pace is takes the account's landing files: most accounts were not paid for lately.
    asked = [account for account in accounts if account.name in found]
    if not asked:
        return {}
    return {
        profile.account_name: found[profile.account_name]
        for profile in profiles_due(settings, asked, now)
        if profile.platform is platform
        and not is_due(profile.pace, found[profile.account_name].paid_at, now)
    }
