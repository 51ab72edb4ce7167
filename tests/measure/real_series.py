"""The files of two real accounts, read with the standard library alone.

The rules of ages and engagement are written here a second time, on purpose.
"""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SERIES = Path(__file__).parents[2].parent / "shared" / "data" / "snapshots"
FOLDERS = {
    platform: found
    for platform in ("instagram", "tiktok")
    for found in sorted(SERIES.glob(f"{platform}_*/"))
}
METRICS = ("view", "like", "comment", "share", "save")
AGES = {"24h": (24, 30), "72h": (72, 60), "7d": (168, 120), "28d": (672, 336)}
"""Hours, and the widest bracket in hours."""

Number = float | None


@dataclass
class Post:
    """One post's counts by age in hours, newest last."""

    platform: str
    series: list[tuple[float, dict[str, Number]]] = field(default_factory=list)

    def at(self, metric: str, age: str) -> Number:
        hours, widest = AGES[age]
        points = [(a, c[metric]) for a, c in self.series if a > 0 and c[metric] is not None]
        before = max((p for p in points if p[0] <= hours), default=None)
        after = min((p for p in points if p[0] >= hours), default=None)
        if before is None or after is None or after[0] - before[0] > widest:
            return None
        (a, x), (b, y) = before, after
        assert x is not None
        assert y is not None
        if a == b:
            return float(x)
        part = (math.log(hours) - math.log(a)) / (math.log(b) - math.log(a))
        low, high = math.log(1 + x), math.log(1 + y)
        return round(math.exp(low + (high - low) * part) - 1, 6)

    @property
    def latest(self) -> dict[str, Number]:
        return self.series[-1][1]

    def engagement(self, counts: Mapping[str, Number]) -> Number:
        """Likes and comments, and those of shares and saves that the newest scrape knows."""
        if self.latest["like"] is None or self.latest["comment"] is None:
            return None
        terms = ["like", "comment"]
        terms += [term for term in ("share", "save") if self.latest[term] is not None]
        known = [counts[term] for term in terms]
        return None if None in known else sum(number for number in known if number is not None)


def age_hours(earlier: str, later: datetime) -> float:
    return (later - datetime.fromisoformat(earlier)).total_seconds() / 3600


def _of_instagram(row: dict[str, Any]) -> tuple[str, str, dict[str, Number]]:
    likes = row["likesCount"]
    is_video = row["type"] == "Video"
    return (
        row["id"],
        row["timestamp"],
        {
            "view": row.get("videoPlayCount") if is_video else None,
            "like": None if likes < 0 else likes,
            "comment": row["commentsCount"],
            "share": None,
            "save": None,
        },
    )


def _of_tiktok(row: dict[str, Any]) -> tuple[str, str, dict[str, Number]]:
    return row["id"], row["created_at"], {metric: row.get(f"{metric}s") for metric in METRICS}


def scrapes() -> Iterable[tuple[str, datetime, list[tuple[str, str, dict[str, Number]]]]]:
    for file in sorted(FOLDERS["instagram"].glob("*.json")):
        moment = datetime.strptime(file.name.split("_")[0], "%Y-%m-%dT%H%M%SZ").replace(tzinfo=UTC)
        rows = json.loads(file.read_text(encoding="utf-8"))
        yield "instagram", moment, [_of_instagram(row) for row in rows]
    for file in sorted(FOLDERS["tiktok"].glob("*.json")):
        bundle = json.loads(file.read_text(encoding="utf-8"))
        moment = datetime.fromisoformat(bundle["fetched_at"]).replace(microsecond=0)
        yield "tiktok", moment, [_of_tiktok(row) for row in bundle["owned"]["recent_posts"] or []]
