"""The metrics of a home, read as Prometheus reads them."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from prometheus_client.parser import text_string_to_metric_families

from pipeline.clients.state_attempts import Intent, record_intent, update_attempt
from pipeline.settings import Settings
from pipeline.show.monitoring.exposition import plain_text
from tests.show.published_copies import ACCOUNT

NOW = datetime(2026, 5, 22, 12, tzinfo=UTC)

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Values by name and sorted labels."""


def series_of(settings: Settings) -> Series:
    """All series of this moment."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(plain_text(settings))
        for sample in family.samples
    }


def value_of(series: Series, name: str, **labels: str) -> float | None:
    """One value; None where there is no such series."""
    return series.get((name, tuple(sorted(labels.items()))))


def add_attempt(settings: Settings, number: int, outcome: str, cost: str) -> None:
    """A run of the ledger, ``number`` hours after a day before `NOW`."""
    intent = Intent(
        attempt_id=f"a{number}",
        account_name=ACCOUNT,
        platform="tiktok",
        source_kind="posts",
        actor_id="actor",
        handle="nightowls",
        run_input={},
        items_asked=30,
        max_charge_usd=Decimal(2),
        intended_at=NOW - timedelta(hours=24 - number),
    )
    record_intent(settings, intent, budget_usd=None, since=NOW)
    values = {"outcome": outcome, "cost_usd": Decimal(cost), "finished_at": NOW}
    update_attempt(settings, intent.attempt_id, values)


def add_plan(settings: Settings, number: int, **meta: object) -> None:
    """What the generator says of one post."""
    folder = settings.accounts_dir / ACCOUNT / "output" / f"2026-05-{number:02d}_plan"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
