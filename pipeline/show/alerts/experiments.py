"""The rule about experiments: one that has ended is news, one that did harm is urgent."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pipeline.accounts import AccountConfig, AlertKind
from pipeline.clients.state_experiments import experiment_rows
from pipeline.clock import utc_text
from pipeline.learn.experiments.registration import METRICS, Status
from pipeline.learn.experiments.verdicts import Verdict
from pipeline.settings import Settings
from pipeline.show.alerts.findings import Finding, Severity

_NEWS_DAYS = 7
_SEVERITIES = {
    Verdict.STOPPED_FOR_HARM: Severity.CRITICAL,
    Verdict.INVALID: Severity.WARNING,
}


def experiment_findings(settings: Settings, account: AccountConfig, now: datetime) -> list[Finding]:
    """Experiments of an account that ended in the last week; not those that a person stopped."""
    rows = experiment_rows(settings, accounts=[account.name], statuses=[Status.CONCLUDED])
    since = now - timedelta(days=_NEWS_DAYS)
    return [
        Finding(
            kind=AlertKind.EXPERIMENT_CONCLUDED,
            account_name=account.name,
            platform=row["platform"],
            subject=row["experiment_id"],
            severity=_SEVERITIES.get(Verdict(row["verdict"]), Severity.INFO),
            figures=_figures(row),
        )
        for row in rows
        if row["concluded_at"] is not None and since <= row["concluded_at"] <= now
    ]


def _figures(row: Mapping[str, Any]) -> dict[str, Any]:
    result = row["result"] or {}
    winner = result.get("winner")
    won = [one for one in result.get("contrasts", ()) if winner in (one["usual"], one["tried"])]
    contrast = won[0] if won else {}
    metric = METRICS.get(str(row["registration"].get("metric")))
    return {
        "experiment_id": row["experiment_id"],
        "verdict": row["verdict"],
        "because": row["because"],
        "winner": winner,
        "usual": contrast.get("usual"),
        "tried": contrast.get("tried"),
        "metric": metric.label if metric else None,
        "ratio": contrast.get("ratio"),
        "ratio_low": contrast.get("ratio_low"),
        "ratio_high": contrast.get("ratio_high"),
        "n": sum(arm["n"] for arm in result.get("arms", ())),
        "recommendation_id": row["recommendation_id"],
        "concluded_at": utc_text(row["concluded_at"]),
    }
