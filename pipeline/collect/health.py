"""How collecting goes, profile by profile: last seen, last said, cost, and what to do.

Made from the ledger of runs and the landing files alone, so that it answers when the warehouse
does not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.state_attempts import attempts_since
from pipeline.collect.attempts import month_of
from pipeline.collect.landing import Manifest, manifests
from pipeline.collect.outcomes import RunOutcome
from pipeline.settings import Settings

NOTHING_YET = "Nothing yet"
"""How advice begins where the next scrape is the cure."""
_ADVICE = {
    RunOutcome.PRIVATE: "Make the profile public, or remove it from account.yaml.",
    RunOutcome.NOT_FOUND: "Check the handle in account.yaml; the profile may be gone.",
    RunOutcome.RENAMED: "Write the new handle into account.yaml.",
    RunOutcome.THROTTLED: f"{NOTHING_YET}: the next scrape tries again.",
    RunOutcome.BLOCKED_BY_PLAN: "Change the plan at Apify, or remove the profile.",
    RunOutcome.PARTIAL: f"{NOTHING_YET}: the next scrape takes the whole list.",
    RunOutcome.EMPTY: "Look at the profile in a browser: it shows no posts.",
    RunOutcome.SCHEMA_DRIFT: "The source has changed its rows: update afterpost.",
    RunOutcome.FAILED: f"{NOTHING_YET}: the next scrape tries again.",
    RunOutcome.UNAVAILABLE: f"{NOTHING_YET}: the next scrape takes the run or tries again.",
    RunOutcome.REFUSED: "Check the token, the credit and the rights at Apify.",
}
_MANY_MISSES = 3
_PERSISTENT = {
    RunOutcome.THROTTLED: "Scrape less often, or ask the actor's makers: it is blocked again and "
    "again.",
    RunOutcome.FAILED: "Read the run's log at Apify: it fails again and again.",
    RunOutcome.UNAVAILABLE: "Check the network and APIFY_API_BASE_URL: there is no answer again "
    "and again.",
    RunOutcome.PARTIAL: "Raise AFTERPOST_APIFY_DEADLINE_S or lower scrape.limit: the list is cut "
    "short again and again.",
}
_NEVER_SCRAPED = "Scrape it, or import an export."


@dataclass(frozen=True)
class ProfileHealth:
    """One profile's state. Times in UTC, amounts in USD."""

    account_name: str
    platform: Platform
    handle: str
    last_seen_at: datetime | None
    """Newest landed answer with a post or the profile of the account; imports count."""
    last_run_at: datetime | None
    """When the last run was meant to start."""
    outcome: RunOutcome | None
    """What the last run said; None when there was none, or while one is under way."""
    message: str | None
    """The last run's words."""
    miss_count: int
    """Runs since the last that could be relied on."""
    cost_this_month_usd: Decimal
    """Known cost of the profile's runs in the account's month."""
    account_cost_this_month_usd: Decimal
    """Of all the account's profiles, with what is held for runs of unknown cost."""
    budget_usd_per_month: Decimal | None
    """The account's; None for no limit."""
    budget_renews_at: datetime
    """When the account's next month begins."""
    to_do: str | None
    """What a person can do; None when nothing is wrong."""

    @property
    def is_budget_spent(self) -> bool:
        """Whether nothing is left to scrape with until the next month."""
        budget = self.budget_usd_per_month
        return budget is not None and self.account_cost_this_month_usd >= budget


def profile_health(
    settings: Settings, accounts: Sequence[AccountConfig], now: datetime
) -> list[ProfileHealth]:
    """The state of every profile of the accounts, by account and platform.

    Args:
        settings: Where landing files and state are.
        accounts: Whose profiles.
        now: Decides which month costs count for.

    Raises:
        LandingError: A manifest is damaged.
        ConfigurationError: The state database cannot be used.
    """
    return [
        _profile(settings, account, platform, attempts, now)
        for account in accounts
        for attempts in [attempts_since(settings, account.name)]
        for platform in sorted(account.platform_profiles)
    ]


def _profile(
    settings: Settings,
    account: AccountConfig,
    platform: Platform,
    attempts: Sequence[Mapping[str, Any]],
    now: datetime,
) -> ProfileHealth:
    month = month_of(account, now)
    own = [row for row in attempts if row["platform"] == platform.value]
    last = _telling(own)
    outcome = None if last is None or last["outcome"] is None else RunOutcome(last["outcome"])
    misses = miss_count(own)
    seen_at = _last_seen(manifests(settings, platform, account.name))
    this_month = [row for row in attempts if row["intended_at"] >= month.begins_at]
    health = ProfileHealth(
        account_name=account.name,
        platform=platform,
        handle=account.platform_profiles[platform],
        last_seen_at=seen_at,
        last_run_at=None if last is None else last["intended_at"],
        outcome=outcome,
        message=None if last is None else last["message"],
        miss_count=misses,
        cost_this_month_usd=sum(
            (_known_cost(row) for row in this_month if row["platform"] == platform.value),
            Decimal(0),
        ),
        account_cost_this_month_usd=sum((held_cost_usd(row) for row in this_month), Decimal(0)),
        budget_usd_per_month=account.scrape.budget_usd_per_month,
        budget_renews_at=month.ends_at,
        to_do=_to_do(outcome, misses, is_unknown=seen_at is None and last is None),
    )
    if not health.is_budget_spent:
        return health
    words = (
        f"The account's budget is spent until {month.ends_at:%Y-%m-%d}; raise "
        "scrape.budget_usd_per_month to scrape sooner."
    )
    return ProfileHealth(**{**vars(health), "to_do": words})


def _telling(attempts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The last attempt; of several sources asked in one go, the one that has trouble."""
    newest: dict[tuple[str, str], Mapping[str, Any]] = {}
    for row in attempts:  # oldest first
        if row["source_kind"] != "direct":
            newest[row["source_kind"], row["actor_id"]] = row
    troubled = [row for row in newest.values() if _is_miss(row)]
    # A profile's own row never brings posts: what the listing said is the news.
    listings = [row for row in newest.values() if row["source_kind"] != "profiles"]
    rows = troubled or listings or list(newest.values())
    return max(rows, key=lambda row: row["intended_at"], default=None)


def miss_count(attempts: Sequence[Mapping[str, Any]]) -> int:
    """The longest present series of misses of one of a profile's sources.

    Args:
        attempts: Rows of the ledger about one profile, oldest first.
    """
    series: dict[tuple[str, str], int] = {}
    for row in attempts:
        key = (row["source_kind"], row["actor_id"])
        if row["source_kind"] == "direct" or row["outcome"] is None:
            continue
        series[key] = series.get(key, 0) + 1 if _is_miss(row) else 0
    return max(series.values(), default=0)


def _is_miss(row: Mapping[str, Any]) -> bool:
    return row["outcome"] is not None and not RunOutcome(row["outcome"]).moves_baselines


def _last_seen(landed: Sequence[Manifest]) -> datetime | None:
    seen = (one.scraped_at for one in landed if one.post_count or one.profile_count)
    return max(seen, default=None)


def _known_cost(row: Mapping[str, Any]) -> Decimal:
    return Decimal(row["cost_usd"] or 0)


def held_cost_usd(row: Mapping[str, Any]) -> Decimal:
    """What an attempt takes of its account's budget, in USD: its cost, or the most it may be."""
    return Decimal(row["max_charge_usd"] if row["cost_usd"] is None else row["cost_usd"])


def _to_do(outcome: RunOutcome | None, misses: int, *, is_unknown: bool) -> str | None:
    if is_unknown:
        return _NEVER_SCRAPED
    if outcome is None or outcome.moves_baselines:
        return None
    if misses >= _MANY_MISSES and outcome in _PERSISTENT:
        return _PERSISTENT[outcome]
    return _ADVICE.get(outcome)
