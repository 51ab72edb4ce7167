"""Backfills that cost nothing twice.

A schedule or a command names the accounts that it scrapes, because they are due or because somebody
asked. Any other run (a backfill over all partitions, "Materialize" in the pages, a run that is
executed again) leaves out what was paid for within the profile's pace, unless it carries a tag that
says otherwise.
"""

from datetime import datetime

import dagster as dg

from pipeline.accounts import Platform, load_account
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


def is_asked_for(tags: dict[str, str]) -> bool:
    """Whether whoever started the run meant these very scrapes to be paid for."""
    if tags.get(SCRAPE_AGAIN_TAG, "").lower() in ("yes", "true", "1"):
        return True
    return ACCOUNTS_TAG in tags and _BACKFILL not in tags and _EXECUTED_AGAIN not in tags


def accounts_to_scrape(
    context: dg.AssetExecutionContext,
    settings: Settings,
    platform: Platform,
    source_kind: SourceKind,
) -> list[str]:
    """The run's accounts without those that were paid for lately, which the log names."""
    names = requested_accounts(context)
    if is_asked_for(dict(context.run.tags)):
        return names
    now = utc_now()
    accounts = []
    for name in names:
        try:
            accounts.append(load_account(settings.accounts_dir, name))
        except AfterpostError:
            continue  # the scrape itself says what is wrong with it
    lately = paid_lately(settings, accounts, platform, source_kind, now)
    for name, paid in lately.items():
        sentence = _sentence(paid, platform, now)
        context.log.info(sentence)
        context.add_asset_metadata({"summary": sentence}, partition_key=name)
    return [name for name in names if name not in lately]


def _sentence(paid: PaidLately, platform: Platform, now: datetime) -> str:
    hours = (now - paid.paid_at).total_seconds() / 3600
    cost = "" if paid.cost_usd is None else f" for ${paid.cost_usd:.4f}"
    return (
        f"Not scraped again: {paid.account_name} on {platform.value} was scraped {hours:.1f} hours "
        f"ago{cost}, and another run would cost as much for today's numbers. To pay all the same, "
        f"start the run with the tag {SCRAPE_AGAIN_TAG} = yes."
    )
