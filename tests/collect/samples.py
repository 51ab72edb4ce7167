"""Small rows in the actors' own shape, and homes with accounts to put them in."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from pipeline.accounts import AccountConfig, load_account
from pipeline.settings import Settings

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"

TIKTOK_ID = 7412345678901234567
INSTAGRAM_ID = 3674286260684429785
INSTAGRAM_CODE = "DL9r-MLMZnZ"


def tiktok_row(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One video of @quietnights, full schema; ``None`` as a change removes a key."""
    post_id = str(TIKTOK_ID + number)
    row: dict[str, Any] = {
        "id": post_id,
        "text": f"Bedtime number {number} #sleep",
        "createTime": 1_725_840_000 + number,
        "createTimeISO": datetime.fromtimestamp(1_725_840_000 + number, tz=UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z"),
        "isAd": False,
        "isPinned": False,
        "isSlideshow": False,
        "authorMeta": {"id": "71", "name": "quietnights", "fans": 1200, "verified": False},
        "musicMeta": {"musicName": "original sound", "musicId": "7400000000000000001"},
        "videoMeta": {"height": 1024, "width": 576, "duration": 31},
        "webVideoUrl": f"https://www.tiktok.com/@quietnights/video/{post_id}",
        "diggCount": 40 + number,
        "shareCount": 3,
        "playCount": 900,
        "collectCount": 12,
        "commentCount": 5,
        "hashtags": [{"id": "1", "name": "sleep"}],
        "mentions": [],
    }
    row.update(changes)
    return {key: value for key, value in row.items() if value is not None}


def instagram_row(number: int = 0, **changes: Any) -> dict[str, Any]:
    """One post of quietnights, full schema; ``None`` as a change removes a key."""
    row: dict[str, Any] = {
        "id": str(INSTAGRAM_ID + number),
        "type": "Image",
        "caption": f"Bedtime number {number} #sleep",
        "hashtags": ["sleep"],
        "url": None,
        "commentsCount": 4,
        "likesCount": 60 + number,
        "timestamp": "2025-07-11T10:00:00.000Z",
        "ownerUsername": "quietnights",
        "ownerId": "55",
        "childPosts": [],
        "images": [],
        "inputUrl": "https://www.instagram.com/quietnights",
    }
    row.update(changes)
    return {key: value for key, value in row.items() if value is not None}


def instagram_profile(**changes: Any) -> dict[str, Any]:
    """The profile row of quietnights."""
    return {
        "id": "55",
        "username": "quietnights",
        "url": "https://www.instagram.com/quietnights",
        "biography": "We sleep.",
        "followersCount": 12345,
        "followsCount": 10,
        "postsCount": 80,
        "private": False,
        "latestPosts": [instagram_row(7)],
        **changes,
    }


def make_account(settings: Settings, name: str = "lullabies", **changes: Any) -> AccountConfig:
    """An account with a profile on both platforms, written to disk and read back."""
    document: dict[str, Any] = {
        "name": name,
        "timezone": "America/New_York",
        "platform_profiles": {"tiktok": "quietnights", "instagram": "quietnights"},
        **changes,
    }
    folder = settings.accounts_dir / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "account.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return load_account(settings.accounts_dir, name)


def write_json(path: Path, document: object) -> Path:
    """A JSON file as the console exports it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False), encoding="utf-8")
    return path
