"""Partitions are accounts. Time is a column: a re-run never stores today's numbers as old ones."""

import dagster as dg

from pipeline.accounts import account_names
from pipeline.settings import Settings

accounts = dg.DynamicPartitionsDefinition(name="accounts")
"""One partition per folder under accounts/, kept by a sensor and by every run of the CLI."""


def sync_accounts(instance: dg.DagsterInstance, settings: Settings) -> tuple[list[str], list[str]]:
    """Make the instance's partitions equal the folders under accounts/.

    Returns:
        Names added and names removed, each sorted.
    """
    folders = set(account_names(settings.accounts_dir))
    known = set(instance.get_dynamic_partitions("accounts"))
    added, removed = sorted(folders - known), sorted(known - folders)
    if added:
        instance.add_dynamic_partitions("accounts", added)
    for name in removed:
        instance.delete_dynamic_partition("accounts", name)
    return added, removed
