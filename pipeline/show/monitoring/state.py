"""Metrics of the state database: scrapes and their cost, recommendations, questions, alerts."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from pipeline.accounts import AccountConfig, load_accounts
from pipeline.clients.state_alerts import alert_rows
from pipeline.clients.state_attempts import attempts_since
from pipeline.clients.state_counts import ScrapeCounts, StateCounts, state_counts
from pipeline.collect.attempts import month_of
from pipeline.collect.health import held_cost_usd, miss_count
from pipeline.collect.outcomes import RunOutcome
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Severity
from pipeline.show.monitoring.generator import generator_samples
from pipeline.show.monitoring.samples import Sample, sample

STATUSES = ("pending", "approved", "rejected")
"""Statuses of recommendations that always have a series."""
_A_MONTH = timedelta(days=32)


def state_samples(settings: Settings, now: datetime) -> list[Sample] | None:
    """What the state database says; None when there is none yet."""
    counts = state_counts(settings)
    if counts is None:
        return None
    accounts = load_accounts(settings.accounts_dir)
    profiles = [
        (one.name, platform.value) for one in accounts for platform in one.platform_profiles
    ]
    return [
        *_scrapes(counts.scrapes, profiles),
        *_recent_scrapes(settings, accounts, now),
        *_recommendations(counts, [account.name for account in accounts]),
        *_model(counts),
        *_alerts(settings),
        *generator_samples(settings, accounts, now),
    ]


def _scrapes(
    scrapes: tuple[ScrapeCounts, ...], profiles: list[tuple[str, str]]
) -> Iterator[Sample]:
    platforms = {one.platform for one in scrapes} | {platform for _, platform in profiles}
    by_status = {
        (platform, outcome.value): 0 for platform in sorted(platforms) for outcome in RunOutcome
    }
    costs: dict[tuple[str, str], Decimal] = {}
    good: dict[tuple[str, str], datetime] = {}
    for one in scrapes:
        status = one.outcome or "unknown"
        by_status[one.platform, status] = by_status.get((one.platform, status), 0) + one.run_count
        key = (one.account_name, one.platform)
        costs[key] = costs.get(key, Decimal(0)) + one.cost_usd
        if one.outcome is not None and RunOutcome(one.outcome).moves_baselines:
            good[key] = max(one.last_at, good.get(key, one.last_at))
    for labels, count in by_status.items():
        yield from sample("scrapes_total", count, *labels)
    for labels, cost_usd in costs.items():
        yield from sample("scrape_cost_usd_total", float(cost_usd), *labels)
    for labels, moment in good.items():
        yield from sample("scrape_last_success_timestamp_seconds", moment, *labels)


def _recent_scrapes(
    settings: Settings, accounts: list[AccountConfig], now: datetime
) -> Iterator[Sample]:
    """Misses and budgets, from the attempts of the last month."""
    attempts = attempts_since(settings, since=now - _A_MONTH)
    for account in accounts:
        own = [row for row in attempts if row["account_name"] == account.name]
        for platform in account.platform_profiles:
            rows = [row for row in own if row["platform"] == platform.value]
            yield from sample("scrape_misses", miss_count(rows), account.name, platform.value)
        if account.scrape.budget_usd_per_month is not None:
            begins_at = month_of(account, now).begins_at
            used = sum((held_cost_usd(row) for row in own if row["intended_at"] >= begins_at), 0)
            budget = float(account.scrape.budget_usd_per_month)
            yield from sample("scrape_budget_usd", budget, account.name)
            yield from sample("scrape_budget_used_usd", float(used), account.name)


def _recommendations(counts: StateCounts, names: list[str]) -> Iterator[Sample]:
    known = {(name, status): 0 for name in names for status in STATUSES}
    for labels, count in {**known, **counts.recommendations}.items():
        yield from sample("recommendations", count, *labels)
    for name, moment in counts.oldest_pending_at.items():
        yield from sample("recommendation_pending_oldest_timestamp_seconds", moment, name)
    for labels, count in counts.decisions.items():
        yield from sample("decisions_total", count, *labels)


def _model(counts: StateCounts) -> Iterator[Sample]:
    by_purpose: dict[str, tuple[int, int, Decimal]] = {}
    for one in counts.model_calls:
        yield from sample("model_calls_total", one.call_count, one.purpose, one.outcome)
        read, written, cost_usd = by_purpose.get(one.purpose, (0, 0, Decimal(0)))
        by_purpose[one.purpose] = (
            read + one.input_tokens,
            written + one.output_tokens,
            cost_usd + one.cost_usd,
        )
    for purpose, (read, written, cost_usd) in by_purpose.items():
        yield from sample("model_tokens_total", read, purpose, "input")
        yield from sample("model_tokens_total", written, purpose, "output")
        yield from sample("model_cost_usd_total", float(cost_usd), purpose)


def _alerts(settings: Settings) -> Iterator[Sample]:
    """Open alerts by severity, none as 0; and those of accounts by kind."""
    rows = alert_rows(settings, only_open=True)
    for severity in Severity:
        own = [row for row in rows if row["severity"] == severity.value]
        yield from sample("alerts_open", len(own), severity.value)
    by_kind = Counter((row["account_name"], row["kind"], row["severity"]) for row in rows)
    for labels, count in sorted(by_kind.items()):
        yield from sample("account_alerts_open", count, *labels)
