"""Tables of posts that people coded by hand, as exports of a scraper that read them over time.

Such a table has one line per post: its id, when it was published, and its counts. Its lines are
brought into the shape of the TikTok actor's export and imported as scrapes of some days apart, each
of which lists the posts of its time, so that every post has a count on both sides of seven days.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.accounts import add_account, load_account
from pipeline.clock import utc_text
from pipeline.collect.imports import import_file
from pipeline.settings import Settings

ID, TIME = "M1_video_id", "M3_create_time"
COUNTS = {
    "M4_like_count": "diggCount",
    "M5_view_count": "playCount",
    "M6_comment_count": "commentCount",
    "M7_share_count": "shareCount",
}
_BETWEEN_SCRAPES = timedelta(days=4)
_SEVEN_DAYS = timedelta(days=7)

Line = Mapping[str, str]


def read_lines(path: Path) -> list[Line]:
    """The lines of a table."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_lines(path: Path, lines: Sequence[Line]) -> None:
    """Write a table with the columns that are read here."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [ID, TIME, *COUNTS])
        writer.writeheader()
        writer.writerows(lines)


def posted_at(line: Line) -> datetime:
    """When the post of a line was published."""
    return datetime.fromisoformat(line[TIME]).replace(tzinfo=UTC)


def import_lines(settings: Settings, name: str, lines: Sequence[Line]) -> None:
    """Land the lines as scrapes of one account.

    Args:
        settings: Where.
        name: Of the account, which is added; all posts become its own.
        lines: In any order.
    """
    add_account(
        settings.accounts_dir,
        name,
        timezone="Europe/Zurich",
        platform_profiles={"tiktok": name},
    )
    account = load_account(settings.accounts_dir, name)
    folder = settings.home / "exports" / name
    folder.mkdir(parents=True)
    moments = [posted_at(line) for line in lines]
    scraped_at = min(moments)
    while scraped_at < max(moments) + _SEVEN_DAYS + _BETWEEN_SCRAPES:
        listed = [
            line
            for line, moment in zip(lines, moments, strict=True)
            if abs(scraped_at - moment - _SEVEN_DAYS) < _BETWEEN_SCRAPES
        ]
        if listed:
            path = folder / f"{scraped_at:%Y%m%d%H%M%S}.json"
            path.write_text(json.dumps(list(_items(name, listed))), encoding="utf-8")
            import_file(settings, account, path, scraped_at=utc_text(scraped_at))
        scraped_at += _BETWEEN_SCRAPES


def _items(handle: str, lines: Iterable[Line]) -> Iterable[dict[str, Any]]:
    for line in lines:
        yield {
            "id": line[ID],
            "webVideoUrl": f"https://www.tiktok.com/@{handle}/video/{line[ID]}",
            "createTimeISO": f"{posted_at(line):%Y-%m-%dT%H:%M:%S}.000Z",
            "authorMeta": {"name": handle},
            "isSlideshow": False,
            **{key: int(float(line[name])) for name, key in COUNTS.items() if line[name]},
        }
