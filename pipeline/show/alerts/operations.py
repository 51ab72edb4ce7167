"""The rules about how the program itself fares: verdicts, waiting decisions, scrapes, budgets."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.accounts import AccountConfig, AlertKind
from pipeline.clients.state import reading_state, state_exists
from pipeline.clients.state_attempts import attempts_since
from pipeline.clients.state_model_calls import spent_usd
from pipeline.clock import utc_text
from pipeline.collect.attempts import month_of
from pipeline.collect.health import ProfileHealth, held_cost_usd, miss_count, profile_health
from pipeline.collect.outcomes import WORDS, RunOutcome
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Finding, Severity

if TYPE_CHECKING:
    import duckdb

_NEWS_DAYS = 7
_LEDGER_DAYS = 62
"""Covers a month and the misses before it."""
_FOR_A_PERSON = frozenset(
    {
        RunOutcome.PRIVATE, RunOutcome.NOT_FOUND, RunOutcome.RENAMED, RunOutcome.REFUSED,
        RunOutcome.BLOCKED_BY_PLAN, RunOutcome.SCHEMA_DRIFT,
    }
)  # fmt: skip
"""Outcomes that the next scrape does not mend."""
_MANY_MISSES = 5
_QUESTIONS = "recommendations"

_VERDICTS = """
select recommendation_id, account_name, platform, dimension, segment, verdict, effect, effect_low,
    effect_high, n, control_n, coalesce(decided_at, horizon_at) as concluded_at
from marts.mart_verdicts
where is_final and coalesce(decided_at, horizon_at) between $since and $now
order by account_name, recommendation_id
"""


def verdict_findings(connection: "duckdb.DuckDBPyConnection", now: datetime) -> list[Finding]:
    """Verdicts that fell in the last week, of all accounts.

    Args:
        connection: To a published copy.
        now: The moment.
    """
    cursor = connection.execute(_VERDICTS, {"since": now - timedelta(days=_NEWS_DAYS), "now": now})
    names = [column[0] for column in cursor.description]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [
        Finding(
            kind=AlertKind.VERDICT_CONCLUDED,
            account_name=row["account_name"],
            platform=row["platform"],
            subject=row["recommendation_id"],
            severity=Severity.WARNING if row["verdict"] == "did_not_work" else Severity.INFO,
            figures={
                **{name: row[name] for name in names if name != "concluded_at"},
                "concluded_at": utc_text(row["concluded_at"]),
            },
        )
        for row in rows
    ]


def waiting_findings(settings: Settings, account: AccountConfig, now: datetime) -> list[Finding]:
    """Recommendations that nobody has decided about for too long."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        pending = state.recommendations(account.name, status="pending")
    longest = timedelta(days=account.alerts.recommendations_waiting_days)
    late = [row for row in pending if now - row["created_at"] >= longest]
    if not late:
        return []
    oldest = min(row["created_at"] for row in late)
    figures = {
        "account_name": account.name,
        "n": len(late),
        "pending_n": len(pending),
        "oldest_at": utc_text(oldest),
        "oldest_days": (now - oldest).days,
    }
    return [_finding(AlertKind.RECOMMENDATIONS_WAITING, account, "pending", Severity.INFO, figures)]


def scrape_findings(settings: Settings, account: AccountConfig, now: datetime) -> list[Finding]:
    """Profiles whose scrapes bring nothing to rely on, and a budget for scraping that runs out."""
    attempts = attempts_since(settings, account.name, now - timedelta(days=_LEDGER_DAYS))
    found = []
    if _has_misses(account, attempts):
        profiles = profile_health(settings, [account], now)
        found += [_scrape(account, one) for one in profiles if _is_failing(account, one)]
    month = month_of(account, now)
    spent = sum(
        (held_cost_usd(row) for row in attempts if row["intended_at"] >= month.begins_at),
        Decimal(0),
    )
    found += _budget(account, "scraping", account.scrape.budget_usd_per_month, spent, month.ends_at)
    return found


def question_findings(settings: Settings, account: AccountConfig, now: datetime) -> list[Finding]:
    """A budget for questions to the model that runs out."""
    limit = account.recommend.budget_usd_per_week
    if limit is None:
        return []
    local = now.astimezone(account.zone)
    monday = (local - timedelta(days=local.weekday())).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    spent = spent_usd(settings, account.name, _QUESTIONS, monday)
    return _budget(account, "Claude", limit, spent, monday + timedelta(days=7))


def _has_misses(account: AccountConfig, attempts: Sequence[Mapping[str, Any]]) -> bool:
    return any(
        miss_count([row for row in attempts if row["platform"] == platform.value])
        for platform in account.platform_profiles
    )


def _is_failing(account: AccountConfig, profile: ProfileHealth) -> bool:
    needs_a_person = profile.outcome in _FOR_A_PERSON and profile.miss_count > 0
    return needs_a_person or profile.miss_count >= account.alerts.scrape_misses


def _scrape(account: AccountConfig, profile: ProfileHealth) -> Finding:
    needs_a_person = profile.outcome in _FOR_A_PERSON
    is_critical = needs_a_person or profile.miss_count >= _MANY_MISSES
    figures = {
        "handle": profile.handle,
        "miss_count": profile.miss_count,
        "outcome": profile.outcome.value if profile.outcome else None,
        "outcome_words": WORDS[profile.outcome] if profile.outcome else "no answer yet",
        "last_seen_at": utc_text(profile.last_seen_at) if profile.last_seen_at else None,
        "to_do": profile.to_do,
    }
    severity = Severity.CRITICAL if is_critical else Severity.WARNING
    platform = profile.platform.value
    return _finding(
        AlertKind.SCRAPE_FAILING, account, platform, severity, figures, platform=platform
    )


def _budget(
    account: AccountConfig, what: str, limit: Decimal | None, spent: Decimal, renews_at: datetime
) -> list[Finding]:
    if limit is None:
        return []
    # A budget of 0 is a decision, and nothing that runs out.
    if limit <= 0 or spent < limit * Decimal(str(account.alerts.budget_share)):
        return []
    figures = {
        "what": f"{what} budget",
        "spent_usd": float(spent),
        "budget_usd": float(limit),
        "share": float(spent / limit),
        "renews_at": renews_at.isoformat(),
    }
    severity = Severity.CRITICAL if spent >= limit else Severity.WARNING
    return [_finding(AlertKind.BUDGET_NEAR, account, what.lower(), severity, figures)]


def _finding(
    kind: AlertKind,
    account: AccountConfig,
    subject: str,
    severity: Severity,
    figures: Mapping[str, Any],
    *,
    platform: str | None = None,
) -> Finding:
    return Finding(
        kind=kind,
        account_name=account.name,
        platform=platform,
        subject=subject,
        severity=severity,
        figures=figures,
    )
