"""Backfills that cost nothing twice.

A schedule or a command names the accounts that it scrapes, because they are due or because somebody
asked. Any other run (a backfill over all partitions, "Materialize" in the pages, a run that is
executed again) leaves out what was paid for within the profile's pace, unless it carries a tag that
says otherwise. A run that Dagster repeats by itself, because its worker was lost, is the same order
once more: it leaves out what has been paid for since the first was given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import dagster as dg

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clock import utc_now
from pipeline.collect.landing import SourceKind
from pipeline.collect.paid_lately import PaidLately, paid_lately
from pipeline.defs.partitions import ACCOUNTS_TAG, requested_accounts
from pipeline.errors import AfterpostError
from pipeline.settings import Settings

SCRAPE_AGAIN_TAG = "afterpost/scrape_again"
"""``yes``: scrape, and pay, although the last scrape is not old."""
_BACKFILL = "dagster/backfill"
_EXECUTED_AGAIN = "dagster/parent_run_id"
_FIRST_RUN = "dagster/root_run_id"
RETRY_TAG = "dagster/retry_number"
"""On runs that Dagster repeats by itself; a person's "Re-execute" has none."""
_CLOCKS_DIFFER = timedelta(minutes=1)
"""Most that the clocks of two machines are apart: one notes the run, another the payment."""


def is_asked_for(tags: Mapping[str, str]) -> bool:
    """Whether whoever started the run meant these very scrapes to be paid for."""
    if RETRY_TAG in tags:
        return False
    if tags.get(SCRAPE_AGAIN_TAG, "").lower() in ("yes", "true", "1"):
        return True
    return ACCOUNTS_TAG in tags and _BACKFILL not in tags and _EXECUTED_AGAIN not in tags


@dataclass(frozen=True)
class Order:
    """What a run is to scrape on one platform, and what of it is paid for."""

    settings: Settings
    platform: Platform
    source_kind: SourceKind
    is_asked_for: bool
    given_at: datetime | None = None
    """Of a repeated run whose first was asked for: what was paid for since is done."""

    def paid(self, accounts: Sequence[AccountConfig]) -> dict[str, PaidLately]:
        """By account name, what must not be paid for again."""
        if self.is_asked_for:
            return {}
        return paid_lately(
            self.settings,
            accounts,
            self.platform,
            self.source_kind,
            utc_now(),
            since=self.given_at,
        )

    def is_wanted(self, account: AccountConfig) -> bool:
        """Whether an account is still to be scraped.

        Asked anew when its turn has come: a repeated run may run beside the one that it repeats,
        whose worker only seemed to be lost.
        """
        return account.name not in self.paid([account])


def order_of(
    context: dg.AssetExecutionContext,
    settings: Settings,
    platform: Platform,
    source_kind: SourceKind,
) -> Order:
    """The run's order for one platform."""
    tags = context.run.tags
    given_at = None
    if RETRY_TAG in tags:
        first = context.instance.get_run_record_by_id(tags.get(_FIRST_RUN, ""))
        if first is not None and is_asked_for(first.dagster_run.tags):
            given_at = first.create_timestamp - _CLOCKS_DIFFER
    return Order(settings, platform, source_kind, is_asked_for(tags), given_at)


def accounts_to_scrape(context: dg.AssetExecutionContext, order: Order) -> list[str]:
    """The run's accounts without those that were paid for, which the log names."""
    names = requested_accounts(context)
    accounts = []
    for name in names:
        try:
            accounts.append(load_account(order.settings.accounts_dir, name))
        except AfterpostError:
            continue  # the scrape itself says what is wrong with it
    now = utc_now()
    paid = order.paid(accounts)
    for name, one in paid.items():
        sentence = _sentence(one, order.platform, now)
        context.log.info(sentence)
        context.add_asset_metadata({"summary": sentence}, partition_key=name)
    return [name for name in names if name not in paid]


def _sentence(paid: PaidLately, platform: Platform, now: datetime) -> str:
    hours = (now - paid.paid_at).total_seconds() / 3600
    cost = "" if paid.cost_usd is None else f" for ${paid.cost_usd:.4f}"
    return (
        f"Not scraped again: {paid.account_name} on {platform.value} was scraped {hours:.1f} hours "
        f"ago{cost}, and another run would cost as much for today's numbers. To pay all the same, "
        f"start the run with the tag {SCRAPE_AGAIN_TAG} = yes."
    )
