"""Partitions are accounts. Time is a column: a re-run never stores today's numbers as old ones."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import dagster as dg

from pipeline.accounts import account_names
from pipeline.settings import Settings, load_settings

_NAME = "accounts"


class AccountPartitions(dg.DynamicPartitionsDefinition):
    """Dynamic partitions that know a new folder the moment somebody asks for it.

    A sensor keeps the instance's list equal to the folders, but a fresh clone has no sensor that
    has run yet: there the first run for an account registers it.
    """

    def has_partition_key(
        self,
        partition_key: str,
        current_time: datetime | None = None,
        dynamic_partitions_store: object | None = None,
    ) -> bool:
        """Whether the instance knows the account, or its folder exists and is now registered."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:  # type: ignore[arg-type]
            if super().has_partition_key(partition_key):
                return True
            store = context.dynamic_partitions_store
            if not isinstance(store, dg.DagsterInstance):
                return False
            if partition_key not in account_names(load_settings().accounts_dir):
                return False
            store.add_dynamic_partitions(_NAME, [partition_key])
            return True


accounts = AccountPartitions(name=_NAME)
"""One partition per folder under accounts/."""


def sync_accounts(instance: dg.DagsterInstance, settings: Settings) -> tuple[list[str], list[str]]:
    """Make the instance's partitions equal the folders under accounts/.

    Returns:
        Names added and names removed, each sorted.
    """
    folders = set(account_names(settings.accounts_dir))
    known = set(instance.get_dynamic_partitions(_NAME))
    added, removed = sorted(folders - known), sorted(known - folders)
    if added:
        instance.add_dynamic_partitions(_NAME, added)
    for name in removed:
        instance.delete_dynamic_partition(_NAME, name)
    return added, removed


RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def partition_range_tags(instance: dg.DagsterInstance, names: list[str]) -> dict[str, str]:
    """Tags that make one run cover the accounts from the first to the last of ``names``.

    The range is over the instance's own order of partitions, which is by registration.
    """
    wanted = set(names)
    known = [name for name in instance.get_dynamic_partitions(_NAME) if name in wanted]
    return {RANGE_START: known[0], RANGE_END: known[-1]}


ACCOUNTS_TAG = "afterpost/accounts"
"""Names that a run is for, comma-separated; more of them stand in further tags, numbered from 2."""

_TAG_BYTES = 2_000
"""Longest value of a tag. PostgreSQL's index of a run's tags refuses rows of some more."""


def accounts_tags(names: Sequence[str]) -> dict[str, str]:
    """Tags that say which accounts a run is for."""
    parts: list[list[str]] = [[]]
    room = _TAG_BYTES
    for name in names:
        taken = len(name.encode()) + 1
        if taken > room and parts[-1]:
            parts.append([])
            room = _TAG_BYTES
        parts[-1].append(name)
        room -= taken
    return {
        ACCOUNTS_TAG if number == 1 else f"{ACCOUNTS_TAG}_{number}": ",".join(part)
        for number, part in enumerate(parts, 1)
    }


def tagged_accounts(tags: Mapping[str, str]) -> list[str] | None:
    """Names that a run's tags say it is for; None when they do not say."""
    if ACCOUNTS_TAG not in tags:
        return None
    names = tags[ACCOUNTS_TAG].split(",")
    number = 2
    while (further := tags.get(f"{ACCOUNTS_TAG}_{number}")) is not None:
        names += further.split(",")
        number += 1
    return names


def requested_accounts(context: dg.AssetExecutionContext) -> list[str]:
    """The run's accounts.

    A partition range covers everything between its ends; an account in between that nobody asked
    for must not be scraped (and paid for), so the names are a tag too.
    """
    names = tagged_accounts(context.run.tags)
    if names is None:
        return list(context.partition_keys)
    wanted = set(names)
    return [name for name in context.partition_keys if name in wanted]
