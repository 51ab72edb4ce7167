"""What models learn from, as a file that other programs read."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from pipeline.atomic_files import sync_folder
from pipeline.learn.predict.post_features import DIMENSIONS, NUMBERS
from pipeline.learn.predict.warehouse_features import EPOCH, Knowledge, Target
from pipeline.settings import Settings


@dataclass(frozen=True)
class WrittenFeatures:
    """A file of features."""

    path: Path
    post_count: int
    known_counts: Mapping[str, int]
    """Posts with a known outcome, by target."""
    known_shares: Mapping[str, float]
    """Of the posts, by feature; 0 for what is not known of any post yet."""


def write_features(settings: Settings, knowledge: Knowledge) -> WrittenFeatures:
    """Replace ``warehouse/models/prediction_features.parquet``.

    One row per post: its account, platform and id, ``posted_at``, its segments and numbers as they
    were known then, and each target with the ``…_known_at`` from which it was known. Times are UTC;
    unknown is null.

    Raises:
        OSError: The folder is not writable.
    """
    folder = settings.warehouse_dir / "models"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "prediction_features.parquet"
    posts = {
        "account_name": knowledge.account,
        "platform": knowledge.platform,
        "post_id": knowledge.post_id,
        "posted_at": _moments(knowledge.posted_at_hours),
        **dict(zip(DIMENSIONS, knowledge.segments.T, strict=True)),
        **dict(zip(NUMBERS, knowledge.numbers.T, strict=True)),
    }
    for target in Target:
        posts[target.value] = knowledge.outcomes[target]
        posts[f"{target.value}_known_at"] = _moments(knowledge.known_at_hours[target])
    columns = [
        f"nullif({name}, '') as {name}"
        if name in DIMENSIONS
        else f"case when not isnan({name}) then {name} end as {name}"
        if values.dtype.kind == "f"
        else name
        for name, values in posts.items()
    ]
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    quoted = str(temporary).replace("'", "''")
    try:
        with duckdb.connect() as connection:
            connection.execute("set threads = 1")
            connection.execute(
                f"copy (select {', '.join(columns)} from posts) to '{quoted}' (format parquet)"  # noqa: S608 (our names)
            )
        descriptor = os.open(temporary, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(folder)
    count = len(knowledge.account)
    known = {
        **dict(zip(DIMENSIONS, (knowledge.segments != "").sum(axis=0), strict=True)),
        **dict(zip(NUMBERS, np.isfinite(knowledge.numbers).sum(axis=0), strict=True)),
    }
    return WrittenFeatures(
        path=path,
        post_count=count,
        known_counts={
            target.value: int(np.isfinite(knowledge.known_at_hours[target]).sum())
            for target in Target
        },
        known_shares={name: float(number) / max(count, 1) for name, number in known.items()},
    )


def _moments(hours: np.ndarray) -> np.ndarray:
    """Moments in UTC, to the second; not a time where hours are infinite."""
    seconds = np.full(len(hours), np.datetime64("NaT", "s"))
    is_known = np.isfinite(hours)
    start = np.datetime64(EPOCH.replace(tzinfo=None), "s")
    seconds[is_known] = start + np.round(hours[is_known] * 3600).astype("timedelta64[s]")
    return seconds.astype("datetime64[us]")
