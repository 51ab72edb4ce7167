"""``/operations``: whether collecting, building and telling go well, and what it all costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query

from pipeline.accounts import load_account
from pipeline.clients.run_history import read_run_history
from pipeline.clients.state_alerts import acknowledge_alert, alert_event_rows, alert_rows
from pipeline.clients.state_plans import audit_rows
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.collect.health import profile_health
from pipeline.settings import Settings
from pipeline.show.web.api.answers import Answer, Figure, Limit, Meta, Offset, PageInfo, meta_of
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses
from pipeline.show.web.api.guards import chosen_accounts
from pipeline.show.web.api.recommendation_answers import NoteBody

Account = Annotated[str | None, Query(max_length=63, description="All when left out.")]
AlertId = Annotated[str, Path(pattern=r"^[\w:.\-]{1,100}$")]

_COSTS = """
select
    account_name, source, sum(cost_usd)::decimal(18, 8) as cost_usd,
    sum(run_count)::bigint as run_count, sum(unpriced_run_count)::bigint as unpriced_run_count
from stats.cost_ledger
where list_contains($accounts, account_name) and local_date > $since
group by account_name, source
order by account_name, source
"""


class ProfileHealth(Answer):
    """How collecting goes for one profile."""

    account_name: str
    platform: str
    handle: str
    last_seen_at: datetime | None
    last_run_at: datetime | None
    outcome: str | None
    message: str | None
    miss_count: int
    cost_this_month_usd: Decimal
    account_cost_this_month_usd: Decimal
    budget_usd_per_month: Decimal | None
    budget_renews_at: datetime
    to_do: str | None
    """What a person can do; null when nothing is wrong."""


class Health(Answer):
    """All profiles."""

    items: list[ProfileHealth]


class Cost(Answer):
    """What one source cost an account; decimal text."""

    account_name: str
    source: str
    cost_usd: Decimal
    run_count: int
    unpriced_run_count: int
    """Runs of unknown cost: the sum is too low by what they cost."""


class Costs(Answer):
    """Costs of the last days."""

    items: list[Cost]
    total_usd: Decimal
    days: int
    meta: Meta


class Runs(Answer):
    """The runs of one job in one status."""

    job: str
    status: str
    run_count: int
    finished_count: int
    duration_s: Figure
    last_ended_at: datetime | None


class LastRun(Answer):
    """The newest run of a job."""

    job: str
    run_id: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None


class RunHistory(Answer):
    """What Dagster ran."""

    has_history: bool
    """False when nothing was ever run here."""
    jobs: list[Runs]
    last_runs: list[LastRun]
    failed_check_count: int


class AlertEvent(Answer):
    """One entry of an alert's history."""

    sequence: int
    happened_at: datetime
    event: str
    severity: str
    sentence: str
    done_by: str | None
    note: str | None


class Alert(Answer):
    """Something that deserves attention."""

    alert_id: str
    account_name: str
    kind: str
    platform: str | None
    subject: str
    severity: str
    sentence: str
    """Somebody's text may be in it: escape it."""
    figures: dict[str, Any]
    first_seen_at: datetime
    last_seen_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_note: str | None
    resolved_at: datetime | None
    events: list[AlertEvent]


class AlertPage(PageInfo):
    """A page of alerts."""

    items: list[Alert]


class AuditEntry(Answer):
    """One change over the web."""

    happened_at: datetime
    done_by: str
    action: str
    target: str
    account_name: str | None
    details: dict[str, Any] | None


class AuditPage(PageInfo):
    """A page of changes."""

    items: list[AuditEntry]


def operation_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/operations``."""
    router = APIRouter(prefix="/operations", tags=["operations"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.get("/health")
    def health(caller: Asking, account: Account = None) -> Health:
        """Last seen, last said, cost and what to do, profile by profile."""
        accounts = [
            load_account(settings.accounts_dir, name)
            for name in chosen_accounts(settings, caller, account)
        ]
        return Health(items=ProfileHealth.all_of(profile_health(settings, accounts, utc_now())))

    @router.get("/costs")
    def costs(
        caller: Asking,
        account: Account = None,
        days: Annotated[int, Query(ge=1, le=3660)] = 30,
    ) -> Costs:
        """What scraping and the model cost in the last days, as of the published copy."""
        accounts = chosen_accounts(settings, caller, account)
        since = (utc_now() - timedelta(days=days)).date()
        with reading(settings) as connection:
            cursor = connection.execute(_COSTS, {"accounts": list(accounts), "since": since})
            names = [column[0] for column in cursor.description]
            items = [Cost(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
            total = sum((one.cost_usd for one in items), Decimal(0))
            meta = meta_of(settings, connection, accounts)
        return Costs(items=items, total_usd=total, days=days, meta=meta)

    @router.get("/runs")
    def runs(caller: Asking) -> RunHistory:  # noqa: ARG001 (whoever may ask)
        """What Dagster ran, and how it ended."""
        history = read_run_history(settings)
        if history is None:
            return RunHistory(has_history=False, jobs=[], last_runs=[], failed_check_count=0)
        return RunHistory(
            has_history=True,
            jobs=Runs.all_of(history.jobs),
            last_runs=LastRun.all_of(history.last_runs),
            failed_check_count=history.failed_check_count,
        )

    @router.get("/alerts")
    def alerts(
        caller: Asking,
        account: Account = None,
        only_open: Annotated[bool, Query(description="Without those that are over.")] = True,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> AlertPage:
        """Alerts, the newest first, with their history."""
        accounts = set(chosen_accounts(settings, caller, account))
        rows = [
            row
            for row in alert_rows(settings, account, only_open=only_open)
            if row["account_name"] in accounts or (account is None and caller.accounts is None)
        ]
        page = rows[offset : offset + limit]
        events = alert_event_rows(settings, [row["alert_id"] for row in page])
        items = [_alert(row, events) for row in page]
        return AlertPage(items=items, total=len(rows), limit=limit, offset=offset)

    @router.post("/alerts/{alert_id}/acknowledge")
    def acknowledge(caller: Asking, alert_id: AlertId, body: NoteBody) -> Alert:
        """Note that somebody has seen an alert; who did so first stays."""
        found = [row for row in alert_rows(settings) if row["alert_id"] == alert_id]
        if not found or not caller.may_see(found[0]["account_name"]):
            raise HTTPException(404, f"There is no alert {alert_id!r}.")
        row = acknowledge_alert(settings, alert_id, by=caller.name, note=body.note, at=utc_now())
        assert row is not None, "alerts are never deleted"
        note_change(settings, caller, "alert.acknowledge", alert_id, row["account_name"])
        return _alert(row, alert_event_rows(settings, [alert_id]))

    @router.get("/audit")
    def audit(
        caller: Asking,
        limit: Annotated[Limit, Query()] = 50,
        offset: Annotated[Offset, Query()] = 0,
    ) -> AuditPage:
        """Who changed what over the web, the newest first."""
        if caller.accounts is not None:
            raise HTTPException(403, "Only a token for all accounts may read all changes.")
        rows, total = audit_rows(settings, limit=limit, offset=offset)
        return AuditPage(items=AuditEntry.all_of(rows), total=total, limit=limit, offset=offset)

    return router


def _alert(row: dict[str, Any], events: list[dict[str, Any]]) -> Alert:
    own = [event for event in events if event["alert_id"] == row["alert_id"]]
    return Alert(**{**row, "events": [AlertEvent(**event) for event in own]})
