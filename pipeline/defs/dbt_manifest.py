"""The dbt manifest that the asset graph is made from, parsed when the project has changed."""

import os
import time
from pathlib import Path

from filelock import FileLock

from pipeline.measure.dbt_runs import DBT_PROJECT, parse_project

_SOURCE_FOLDERS = ("models", "macros", "seeds", "tests")


def current_manifest() -> Path:
    """Path of a manifest that is newer than every file of the dbt project.

    Raises:
        BuildFailedError: The project does not parse.
    """
    target = DBT_PROJECT / "target"
    manifest = target / "manifest.json"
    if _is_current(manifest):
        return manifest
    target.mkdir(parents=True, exist_ok=True)
    # Two processes that start together must not parse into one folder at once.
    with FileLock(target / ".parse.lock", timeout=120):
        if not _is_current(manifest):
            started_at = time.time()
            parse_project(target)
            # A file that was edited during the parse is newer than what was read.
            os.utime(manifest, (started_at, started_at))
    return manifest


def _is_current(manifest: Path) -> bool:
    if not manifest.exists():
        return False
    made_at = manifest.stat().st_mtime
    files = [DBT_PROJECT / "dbt_project.yml"]
    for folder in _SOURCE_FOLDERS:
        files += [path for path in (DBT_PROJECT / folder).rglob("*") if path.is_file()]
    return all(path.stat().st_mtime <= made_at for path in files)
