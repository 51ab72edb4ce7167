"""A world of accounts whose listings are scraped every day, written straight into landing.

Growth, captions and ids are made up; the rows have the keys of the TikTok actor that the staging
models read, and no others. A post is in a day's answer while it is among the account's newest.
"""

import hashlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import yaml
import zstandard

from pipeline.accounts import Platform
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Answer,
    Manifest,
    Outcome,
    ScrapedAtSource,
    Source,
    SourceKind,
    rows_path,
    weigh,
)
from pipeline.collect.outcomes import RunOutcome
from pipeline.settings import Settings

SEED = 20260901
FORMATS = ("checklist", "myth", "routine", "story", "versus")
PILLARS = ("sleep", "focus", "food", "travel")
HOOKS = (
    "Would you try this {}?",
    "7 {} habits that hold",
    "Stop doing this to your {}",
    "How to fix your {}",
    "My {} changed after this",
    "The quiet side of {}",
)
_NEWEST_DAY = datetime(2026, 9, 1, 8, tzinfo=UTC)
_ROW = (
    b'%b"authorMeta":{"id":"%d","name":"%b","verified":false,"privateAccount":false,"fans":%d,'
    b'"following":10,"video":%d,"heart":%d},"diggCount":%d,"shareCount":%d,"playCount":%d,'
    b'"collectCount":%d,"commentCount":%d,"repostCount":%d}\n'
)


@dataclass(frozen=True)
class Listings:
    """How much there is to scrape.

    ``days`` of listings end on a fixed day. ``posts_before`` posts are up when they begin,
    ``posts_per_day`` come each day, and ``listed`` of the newest are in a listing.
    """

    account_count: int = 100
    days: int = 90
    posts_before: int = 275
    posts_per_day: float = 2.5
    listed: int = 400
    seed: int = SEED

    @property
    def account_names(self) -> list[str]:
        """Names of the accounts, which are their handles too."""
        return [f"account{number:03d}" for number in range(self.account_count)]

    @property
    def first_day(self) -> datetime:
        """Moment of the first listings (UTC)."""
        return _NEWEST_DAY - timedelta(days=self.days - 1)


class _Posts:
    """One account's posts, oldest first, and their numbers at any moment."""

    def __init__(self, world: Listings, number: int, extra_days: int) -> None:
        self._chance = chance = np.random.default_rng([world.seed, number])
        self.name = world.account_names[number]
        self.number = number
        count = int(world.posts_before + world.posts_per_day * (world.days + extra_days))
        step_s = 86_400 / world.posts_per_day
        first = world.first_day.timestamp() - world.posts_before * step_s
        self.posted_s = (first + step_s * (np.arange(count) + chance.random(count))).astype(int)
        self.format = chance.integers(len(FORMATS), size=count)
        self.pillar = chance.integers(len(PILLARS), size=count)
        self.hook = chance.integers(len(HOOKS), size=count)
        usual = np.log(2_000) + chance.normal(0, 1)
        raised = np.where(self.format == number % len(FORMATS), np.log(1.5), 0)
        self.final_views = np.exp(usual + raised + chance.normal(0, 1.1, count))
        self.slowness_h = np.exp(np.log(30) + chance.normal(0, 0.5, count))
        shares = np.array([0.06, 0.004, 1.0, 0.008, 0.005, 0.001])
        self.rates = shares * np.exp(chance.normal(0, 0.4, (count, 6)))
        self.rates[:, 2] = 1

    @cached_property
    def heads(self) -> list[bytes]:
        """Each post's row up to what changes from day to day."""
        chance = random.Random(int(self._chance.integers(1 << 30)))
        words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(3, 9)))
                 for _ in range(500)]  # fmt: skip
        return [
            self._head(chance, words, index, int(second))
            for index, second in enumerate(self.posted_s)
        ]

    def _head(self, chance: random.Random, words: list[str], index: int, second: int) -> bytes:
        pillar, form = PILLARS[self.pillar[index]], FORMATS[self.format[index]]
        rest = " ".join(chance.choices(words, k=12))
        text = f"{HOOKS[self.hook[index]].format(pillar)} {rest} #{form}"
        moment = datetime.fromtimestamp(second, UTC)
        post_id = (second << 32) + self.number * 100_000 + index
        slides = chance.randint(3, 10) if chance.random() < 0.4 else 0
        links = ",".join(f'{{"tiktokLink":"https://p16.example.com/{one}.jpeg"}}'
                         for one in range(slides))  # fmt: skip
        kept = f'"slideshowImageLinks":[{links}],' if slides else ""
        return (
            f'{{"id":"{post_id}","text":"{text}","createTime":{second},'
            f'"createTimeISO":"{moment:%Y-%m-%dT%H:%M:%S}.000Z","isAd":false,"isPinned":false,'
            f'"isSlideshow":{str(bool(slides)).lower()},{kept}"musicMeta":{{"musicId":'
            f'"74{index:017d}"}},"videoMeta":{{"duration":{0 if slides else 10 + index % 50}}},'
            f'"webVideoUrl":"https://www.tiktok.com/@{self.name}/video/{post_id}",'
            '"fromProfileSection":"videos",'
        ).encode()

    def lines(self, moment: datetime, listed: int) -> tuple[bytes, tuple[str, ...]]:
        """Rows of the listing at a moment, newest post first; also the posts' ids, sorted."""
        now = int(moment.timestamp())
        until = int(np.searchsorted(self.posted_s, now))
        chosen = slice(max(0, until - listed), until)
        age_h = (now - self.posted_s[chosen]) / 3_600
        seen = self.final_views[chosen] * -np.expm1(-((age_h / self.slowness_h[chosen]) ** 0.7))
        counts = (seen[:, None] * self.rates[chosen]).astype(int).tolist()
        fans = 1_000 + 10 * int((moment - _NEWEST_DAY).days) + 5_000
        author = (self.number, self.name.encode(), fans, until, 50 * fans)
        heads = self.heads[chosen]
        rows = [_ROW % (head, *author, *row) for head, row in zip(heads, counts, strict=True)]
        first = self.number * 100_000 + chosen.start
        ids = tuple(
            str((int(second) << 32) + first + place)
            for place, second in enumerate(self.posted_s[chosen])
        )
        return b"".join(reversed(rows)), tuple(sorted(ids))


def write_accounts(settings: Settings, world: Listings) -> None:
    """One folder per account, with formats and pillars whose keywords the captions have."""
    zones = ("America/New_York", "Europe/Berlin", "UTC", "Asia/Tokyo")
    for number, name in enumerate(world.account_names):
        document: dict[str, Any] = {
            "name": name,
            "display_name": name,
            "timezone": zones[number % len(zones)],
            "platform_profiles": {"tiktok": name},
            "formats": [{"name": form, "keywords": [form]} for form in FORMATS],
            "content_pillars": [{"name": one, "keywords": [one]} for one in PILLARS],
        }
        path = settings.accounts_dir / name / "account.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def land_days(settings: Settings, world: Listings, days: Iterable[int]) -> int:
    """Write the answers of some days of every account, as landing has them; the rows written.

    Args:
        settings: Whose landing folder.
        world: The accounts; the same world gives the same bytes for a day each time.
        days: Days from 0; those from ``world.days`` on come after the world's last.
    """
    wanted = list(days)
    extra_days = max(0, max(wanted, default=0) + 1 - world.days)
    packer = zstandard.ZstdCompressor(level=3)
    written = 0
    for number in range(world.account_count):
        posts = _Posts(world, number, extra_days)
        for manifest, lines in _answers(world, posts, wanted):
            path = rows_path(settings, manifest)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packer.compress(lines))
            document = manifest.model_dump_json(indent=1).encode() + b"\n"
            path.with_name(manifest.scrape_id + MANIFEST_SUFFIX).write_bytes(document)
            written += manifest.items_got
    return written


def _answers(world: Listings, posts: _Posts, days: list[int]) -> Iterator[tuple[Manifest, bytes]]:
    empty = weigh(
        Answer(
            platform=Platform.TIKTOK,
            account_name=posts.name,
            handle=posts.name,
            source=Source.APIFY,
            source_kind=SourceKind.POSTS,
            rows=[],
            scraped_at=_NEWEST_DAY,
            scraped_at_source=ScrapedAtSource.RUN,
            actor_id="clockworks/tiktok-profile-scraper",
            run_status="SUCCEEDED",
        )
    ).manifest
    for day in days:
        moment = world.first_day + timedelta(days=day, seconds=7 * posts.number)
        lines, ids = posts.lines(moment, world.listed)
        digest = hashlib.sha256(lines).hexdigest()
        manifest = empty.model_copy(
            update={
                "scrape_id": f"{moment:%Y%m%dT%H%M%SZ}_{digest[:12]}",
                "outcome": Outcome.ITEMS,
                "scraped_at": moment,
                "started_at": moment - timedelta(seconds=40),
                "finished_at": moment,
                "run_id": f"run-{digest[:12]}",
                "run_outcome": RunOutcome.NEW_POSTS,
                "items_asked": world.listed,
                "items_got": len(ids),
                "post_count": len(ids),
                "post_ids": ids,
                "items_sha256": digest,
            }
        )
        yield manifest, lines
