"""What the generator says in ``meta.json`` about making and posting, and the rules about it.

The fields are described in docs/generator.md. All of them may be missing; a value of another kind
counts as missing, as everywhere in these files.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from pipeline.accounts import AccountConfig, AlertKind
from pipeline.collect.planned import PLAN_FILES, plan_folders
from pipeline.measure.intervals import share_of
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Figures, Finding, Severity

DAYS = 28
FEWEST_REPORTS = 10
_MOST_BYTES = 1 << 20
_HIGHEST_COST_USD = 1e6
_META = PLAN_FILES[0]
_IS_GENERATED = {"succeeded": True, "failed": False}
_IS_POSTED = {"posted": True, "failed": False}


@dataclass(frozen=True)
class GeneratorReport:
    """What one ``meta.json`` says; None where it says nothing."""

    account_name: str
    planned_id: str
    reported_at: datetime
    """When the file was written last."""
    platform: str | None
    is_generated: bool | None
    generation_provider: str | None
    generation_cost_usd: float | None
    is_posted: bool | None


def read_reports(
    settings: Settings, account: AccountConfig, now: datetime, *, days: int = DAYS
) -> list[GeneratorReport]:
    """Reports of one account of the last days, in order of folder name.

    A file that does not parse says nothing here; the pipeline reports it when it reads the plans.
    """
    since = (now - timedelta(days=days)).timestamp()
    reports = []
    for folder in plan_folders(settings, account):
        path = folder / _META
        try:
            stat = path.stat()
        except OSError:
            continue
        if stat.st_mtime < since or stat.st_mtime > now.timestamp() or stat.st_size > _MOST_BYTES:
            continue
        report = _report(account.name, path, datetime.fromtimestamp(stat.st_mtime, tz=UTC))
        if report is not None:
            reports.append(report)
    return reports


def generator_findings(account: AccountConfig, reports: Sequence[GeneratorReport]) -> list[Finding]:
    """Failures that are surely more frequent than is tolerated, and posts that were too dear.

    A rate is told when the 90 % interval of the share lies above the account's threshold.
    """
    limits = account.alerts
    posted = [one.is_posted for one in reports if one.is_posted is not None]
    made = [one.is_generated for one in reports if one.is_generated is not None]
    found = [
        *_failures(
            account, AlertKind.POSTING_FAILURES, Severity.WARNING, posted,
            limits.posting_failure_rate,
        ),
        *_failures(
            account, AlertKind.GENERATION_FAILURES, Severity.CRITICAL, made,
            limits.generation_failure_rate,
        ),
    ]  # fmt: skip
    priced = [
        (one.generation_cost_usd, one.planned_id)
        for one in reports
        if one.generation_cost_usd is not None
    ]
    most = float(limits.generation_cost_usd)
    dear = [cost for cost, _ in priced if cost > most]
    if dear:
        highest, planned_id = max(priced)
        figures = {
            "n": len(priced),
            "dear_n": len(dear),
            "days": DAYS,
            "threshold_usd": most,
            "highest_usd": highest,
            "planned_id": planned_id,
            "median_usd": median(cost for cost, _ in priced),
        }
        found.append(_finding(account, AlertKind.GENERATION_COST, Severity.WARNING, figures))
    return found


def _failures(
    account: AccountConfig,
    kind: AlertKind,
    severity: Severity,
    went_well: Sequence[bool],
    tolerated: float,
) -> list[Finding]:
    if len(went_well) < FEWEST_REPORTS:
        return []
    share = share_of(went_well.count(False), len(went_well))
    if share.low <= tolerated:
        return []
    figures = {
        "n": share.whole,
        "failed_n": share.part,
        "days": DAYS,
        "share": share.value,
        "share_low": share.low,
        "share_high": share.high,
        "threshold": tolerated,
    }
    return [_finding(account, kind, severity, figures)]


def _finding(
    account: AccountConfig, kind: AlertKind, severity: Severity, figures: Figures
) -> Finding:
    return Finding(
        kind=kind,
        account_name=account.name,
        platform=None,
        subject="generator",
        severity=severity,
        figures=figures,
    )


def _report(account_name: str, path: Path, reported_at: datetime) -> GeneratorReport | None:
    try:
        meta = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(meta, dict):
        return None
    return GeneratorReport(
        account_name=account_name,
        planned_id=path.parent.name,
        reported_at=reported_at,
        platform=_word(meta.get("platform")),
        is_generated=_IS_GENERATED.get(_word(meta.get("generation_status")) or ""),
        generation_provider=_word(meta.get("generation_provider")),
        generation_cost_usd=_amount(meta.get("generation_cost_usd")),
        is_posted=_IS_POSTED.get(_word(meta.get("posting_status")) or ""),
    )


def _word(value: Any) -> str | None:
    return (value.strip().casefold() or None) if isinstance(value, str) else None


def _amount(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _HIGHEST_COST_USD else None
