"""The demo's account files, put into a home of their own."""

from pathlib import Path

from pipeline.atomic_files import write_atomically
from pipeline.settings import REPOSITORY
from pipeline.simulate.plans import DEMO_PLANS


def copy_accounts(target_accounts_dir: Path) -> list[Path]:
    """Put the repository's four ``account.yaml`` files into another home.

    A file that is already there is replaced; everything else in the account's folder stays.

    Returns:
        The written files.

    Raises:
        OSError: A file cannot be read or written.
    """
    written = []
    for name in sorted(DEMO_PLANS):
        target = target_accounts_dir / name / "account.yaml"
        write_atomically(target, (REPOSITORY / "accounts" / name / "account.yaml").read_bytes())
        written.append(target)
    return written
