"""Writing the dashboard."""

from pathlib import Path

from pipeline.accounts import load_account
from pipeline.atomic_files import write_atomically
from pipeline.settings import Settings
from pipeline.show.dashboard.embedding import vega_runtime
from pipeline.show.dashboard.facts import gather
from pipeline.show.dashboard.page import page

ALL_ACCOUNTS = "all"
"""Name of the file about every account."""


def write_dashboard(settings: Settings, account: str | None, *, days: int | None = None) -> Path:
    """Write one account's dashboard, or that of all accounts, in one step.

    Args:
        settings: Where things are.
        account: A name; None for all accounts.
        days: Only posts of the last so many days; None for all.

    Returns:
        ``warehouse/dashboards/<account or all>.html``.

    Raises:
        UnknownAccountError: No such account.
        NothingPublishedError: There is no published copy yet.
        PublishedCopyOutdatedError: The copy lacks what the dashboard reads.
    """
    if account is not None:
        load_account(settings.accounts_dir, account)
    folder = settings.warehouse_dir / "dashboards"
    facts = gather(settings, account, days)
    text = page(settings, facts, vega_runtime(folder / ".runtime"))
    path = folder / f"{_file_stem(account)}.html"
    write_atomically(path, text.encode("utf-8"))
    return path


def _file_stem(account: str | None) -> str:
    """An account's name; one that is called as the file about all gets a mark names cannot have."""
    if account is None:
        return ALL_ACCOUNTS
    return f"{account}-account" if account == ALL_ACCOUNTS else account
