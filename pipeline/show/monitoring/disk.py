"""Metrics of the machine: room on the disk, size of the warehouse."""

import shutil
from collections.abc import Iterator
from datetime import datetime

from pipeline.settings import Settings
from pipeline.show.monitoring.samples import Sample, sample


def disk_samples(
    settings: Settings,
    now: datetime,  # noqa: ARG001 (every source is asked the same way)
) -> Iterator[Sample]:
    """Free bytes where the warehouse is, and the size of its file where there is one."""
    folder = settings.warehouse_dir if settings.warehouse_dir.exists() else settings.home
    yield from sample("disk_free_bytes", shutil.disk_usage(folder).free)
    if settings.database_path.exists():
        yield from sample("warehouse_size_bytes", settings.database_path.stat().st_size)
