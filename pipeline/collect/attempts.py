"""The ledger of paid runs: an intent before each start, the run's id right after it, its end.

What is written here survives a killed process, so that the next scrape of the same profile takes
the run that was paid for instead of paying for another. The account's budget is kept here too: what
a run may charge is reserved together with its intent.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.apify import RunState
from pipeline.clients.state_attempts import (
    Intent,
    NoBudgetLeft,
    Spending,
    known_run_ids,
    open_attempts,
    record_intent,
    update_attempt,
)
from pipeline.clock import utc_now
from pipeline.collect.landing import Manifest, SourceKind
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import NO_CONTRACT, KeyContract, Service
from pipeline.errors import (
    AfterpostError,
    BudgetSpentError,
    ScrapeError,
    ScrapeFailedError,
    ScrapeRejectedError,
)
from pipeline.settings import Settings

_ABORTED = frozenset({"ABORTED", "ABORTING"})


@dataclass(frozen=True)
class Question:
    """What is asked of a source about one profile."""

    platform: Platform
    handle: str
    source_kind: SourceKind
    actor_id: str
    run_input: dict[str, Any]
    limit: int
    """Most rows."""
    contract: KeyContract = NO_CONTRACT
    service: Service = Service.APIFY


@dataclass(frozen=True)
class Month:
    """A calendar month in an account's own zone; both moments in that zone."""

    begins_at: datetime
    ends_at: datetime


def month_of(account: AccountConfig, moment: datetime) -> Month:
    """The account's month that a moment lies in."""
    local = moment.astimezone(account.zone)
    begins_at = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    ends_at = (begins_at + timedelta(days=32)).replace(day=1)
    return Month(begins_at, ends_at)


@dataclass
class Attempt:
    """One row of the ledger while its run is under way."""

    settings: Settings
    attempt_id: str
    may_charge_usd: Decimal
    intended_at: datetime
    state: RunState | None = None
    known_run_ids: frozenset[str] = field(default_factory=frozenset)
    """Runs of other attempts."""

    def observe(self, state: RunState) -> None:
        """Write down the run's id, status and cost as soon as they are known."""
        self.state = state
        update_attempt(
            self.settings,
            self.attempt_id,
            {"run_id": state.run_id, "run_status": state.status, "cost_usd": state.cost_usd},
        )

    def answered(
        self, manifest: Manifest, outcome: RunOutcome, message: str, new_post_count: int | None
    ) -> None:
        """The end of a run whose rows were read, landed (``new_post_count``) or not (None)."""
        self._write(
            outcome=outcome,
            message=message or None,
            items_got=manifest.items_got,
            post_count=manifest.post_count,
            new_post_count=new_post_count,
            finished_at=utc_now(),
            scrape_id=None if new_post_count is None else manifest.scrape_id,
        )

    def failed(self, error: AfterpostError) -> None:
        """An error on the way. The attempt stays open while its run may still give an answer."""
        values: dict[str, Any] = {"outcome": outcome_of_error(error), "message": str(error)}
        if self.state is None and not getattr(error, "may_have_started", False):
            self._write(**values, cost_usd=Decimal(0), finished_at=utc_now())
        elif self.state is not None and self.state.status in _ABORTED:
            self._write(**values, finished_at=utc_now())
        else:
            self._write(**values)

    def interrupted(self) -> None:
        """Somebody pressed Ctrl-C; a run that could be aborted is over."""
        values: dict[str, Any] = {
            "outcome": RunOutcome.FAILED,
            "message": "The scrape was interrupted.",
        }
        if self.state is not None and self.state.status in _ABORTED:
            values["finished_at"] = utc_now()
        self._write(**values)

    def given_up(self, message: str, cost_usd: Decimal | None = None) -> None:
        """Nothing more will be heard of it. ``cost_usd`` is None where it is not known."""
        values: dict[str, Any] = {"outcome": RunOutcome.UNAVAILABLE, "message": message}
        if cost_usd is not None:
            values["cost_usd"] = cost_usd
        self._write(**values, finished_at=utc_now())

    def _write(self, **values: Any) -> None:
        update_attempt(self.settings, self.attempt_id, values)


def outcome_of_error(error: AfterpostError) -> RunOutcome:
    """How an error that stopped a scrape is named in the ledger."""
    if isinstance(error, ScrapeError) and error.outcome:
        return RunOutcome(error.outcome)
    if isinstance(error, ScrapeRejectedError):
        return RunOutcome.REFUSED
    is_failure = isinstance(error, ScrapeFailedError) or not isinstance(error, ScrapeError)
    return RunOutcome.FAILED if is_failure else RunOutcome.UNAVAILABLE


def intend(settings: Settings, account: AccountConfig, question: Question) -> Attempt:
    """Record that a run is about to be paid for.

    Raises:
        BudgetSpentError: The account's budget of this month is spent; nothing was recorded.
    """
    now = utc_now()
    month = month_of(account, now)
    intent = Intent(
        attempt_id=secrets.token_hex(8),
        account_name=account.name,
        platform=question.platform.value,
        source_kind=question.source_kind.value,
        actor_id=question.actor_id,
        handle=question.handle,
        run_input=question.run_input,
        items_asked=question.limit,
        max_charge_usd=_most(settings, question),
        intended_at=now,
    )
    is_free = question.service is not Service.APIFY
    budget = None if is_free else account.scrape.budget_usd_per_month
    granted = record_intent(settings, intent, budget_usd=budget, since=month.begins_at)
    if isinstance(granted, NoBudgetLeft):
        raise BudgetSpentError(_budget_sentence(settings, account, granted.spending, month))
    return Attempt(
        settings,
        intent.attempt_id,
        granted,
        now,
        known_run_ids=known_run_ids(settings, question.actor_id),
    )


def _most(settings: Settings, question: Question) -> Decimal:
    if question.service is not Service.APIFY:
        return Decimal(0)
    return Decimal(str(settings.apify_max_charge_usd))


def unfinished(
    settings: Settings, account: AccountConfig, question: Question
) -> list[tuple[Attempt, dict[str, Any]]]:
    """Attempts at the same profile and actor whose end is not known, with their rows."""
    rows = open_attempts(
        settings,
        account.name,
        question.platform.value,
        question.actor_id,
        question.source_kind.value,
    )
    others = known_run_ids(settings, question.actor_id) if rows else frozenset()
    return [
        (
            Attempt(
                settings,
                row["attempt_id"],
                Decimal(row["max_charge_usd"]),
                row["intended_at"],
                known_run_ids=others,
            ),
            row,
        )
        for row in rows
    ]


def _budget_sentence(
    settings: Settings, account: AccountConfig, spending: Spending, month: Month
) -> str:
    budget = account.scrape.budget_usd_per_month
    reserved = (
        f" and {_usd(spending.reserved_usd)} is held for runs whose cost is not known yet"
        if spending.reserved_usd
        else ""
    )
    return (
        f"The scraping budget of account {account.name!r} is spent: {_usd(spending.spent_usd)} of "
        f"{_usd(budget or Decimal(0))} this month{reserved}. Scraping starts again on "
        f"{month.ends_at:%Y-%m-%d} ({account.timezone}); to scrape sooner, raise "
        "scrape.budget_usd_per_month in "
        f"{settings.accounts_dir / account.name / 'account.yaml'}."
    )


def _usd(amount: Decimal) -> str:
    return f"${amount:.2f}"
