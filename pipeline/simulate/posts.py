"""The posts of a profile: when, what, and how many people will see it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

import numpy as np

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.simulate.captions import FOREIGN_LINES, HOSTILE_CAPTION_ENDS, Caption, write_caption
from pipeline.simulate.growth import (
    USUAL_RATES,
    Curve,
    LikeDrop,
    Rates,
    draw_curve,
    shown_count,
)
from pipeline.simulate.plans import (
    AccountPlan,
    save_rate_effect,
    share_rate_effect,
    view_effect,
)
from pipeline.simulate.seeds import pick, stream, weighted_pick

DAYPART_HOURS: Mapping[str, tuple[int, int]] = {
    "night": (0, 6),
    "morning": (6, 10),
    "midday": (10, 14),
    "afternoon": (14, 18),
    "evening": (18, 21),
    "late": (21, 24),
}
"""First hour and the hour after the last one, on the account's own clock."""

_POSTING_WEIGHTS = {
    "night": 0.05,
    "morning": 0.22,
    "midday": 0.2,
    "afternoon": 0.2,
    "evening": 0.23,
    "late": 0.1,
}
_SLIDE_OFFSETS = {"-3": 0.1, "-2": 0.15, "-1": 0.18, "0": 0.24, "1": 0.15, "2": 0.1, "3": 0.08}
_INSTAGRAM_EPOCH_MS = 1_314_220_021_721
_SHORT_CODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_HOSTILE_DAYS = {5: 0, 61: 1}
"""Which hostile caption appears on which day of every 97."""
_DROPPED_FORMAT_REST = timedelta(days=35)


class MediaType(StrEnum):
    """What a post is made of, in the words of the warehouse."""

    VIDEO = "video"
    CAROUSEL = "carousel"
    IMAGE = "image"


@dataclass(frozen=True)
class Counts:
    """A post's numbers as its platform shows them at one moment; None: not public."""

    views: int | None
    likes: int | None
    """None: the author hides them."""
    comments: int
    shares: int | None
    saves: int | None


@dataclass(frozen=True)
class Post:
    """One published post with everything that is true about it."""

    account_name: str
    platform: Platform
    post_id: str
    posted_at: datetime
    local_at: datetime
    format: str
    pillar: str
    call: str | None
    media_type: MediaType
    slide_count: int | None
    duration_s: int
    caption: Caption
    published_text: str
    is_ad: bool
    is_like_count_hidden: bool
    usual_views: float
    """Final views without noise: the platform's base times the planted effects."""
    final_views: float
    """Final views with noise, drift and paid reach."""
    usual_rates: Rates
    rates: Rates
    curve: Curve
    like_drop: LikeDrop | None
    pinned_from: datetime | None = None

    @property
    def has_view_count(self) -> bool:
        """Whether the platform publishes views for this kind of post."""
        return self.platform is Platform.TIKTOK or self.media_type is MediaType.VIDEO

    @property
    def segments(self) -> dict[str, str | None]:
        """The post's segment by dimension, as the warehouse names them."""
        return {
            "format": self.format,
            "pillar": self.pillar,
            "weekday": str(self.local_at.isoweekday()),
            "daypart": daypart(self.local_at.hour),
            "media_type": self.media_type.value,
            "slide_count": None if self.slide_count is None else str(self.slide_count),
        }

    def age_hours(self, at: datetime) -> float:
        """Hours between posting and ``at``."""
        return (at - self.posted_at).total_seconds() / 3600.0

    def is_pinned(self, at: datetime) -> bool:
        """Whether the post stands on top of the profile at ``at``."""
        return self.pinned_from is not None and at >= self.pinned_from

    def counts(self, at: datetime) -> Counts:
        """The numbers shown at ``at``."""
        age = self.age_hours(at)
        views = self.final_views * self.curve.reached(age)
        drop = self.like_drop
        kept = 1.0 - drop.lost_share if drop and age >= drop.from_age_hours else 1.0
        shares_are_public = self.platform is Platform.TIKTOK

        def shown(count: float) -> int:
            return shown_count(self.platform, count)

        return Counts(
            views=shown(views) if self.has_view_count else None,
            likes=None if self.is_like_count_hidden else shown(views * self.rates.likes * kept),
            comments=shown(views * self.rates.comments),
            shares=shown(views * self.rates.shares) if shares_are_public else None,
            saves=shown(views * self.rates.saves) if shares_are_public else None,
        )


def daypart(local_hour: int) -> str:
    """The part of the day of an hour from 0 to 23."""
    return next(name for name, (first, end) in DAYPART_HOURS.items() if first <= local_hour < end)


def tiktok_id(posted_at: datetime, low_bits: int) -> str:
    """A TikTok id: seconds since 1970 in the high 32 bits, ``low_bits`` (0 to 2**32 - 1) below."""
    return str((int(posted_at.timestamp()) << 32) | low_bits)


def instagram_id(posted_at: datetime, low_bits: int) -> str:
    """An Instagram media id: milliseconds since its epoch above 23 ``low_bits``."""
    return str(((int(posted_at.timestamp() * 1000) - _INSTAGRAM_EPOCH_MS) << 23) | low_bits)


def short_code(post_id: str) -> str:
    """The code in an Instagram post's address: its id in base64url digits, 11 of them."""
    number = int(post_id)
    return "".join(_SHORT_CODE_LETTERS[number >> (6 * place) & 63] for place in range(10, -1, -1))


def draw_posts(
    account: AccountConfig,
    platform: Platform,
    plan: AccountPlan,
    *,
    seed: int,
    start: datetime,
    end: datetime,
    noise: float,
    views_sigma: float,
) -> list[Post]:
    """All posts of one profile from ``start`` up to ``end``, oldest first.

    Args:
        account: Whose profile; its formats, pillars and calls to action are what it posts.
        platform: Which profile.
        plan: Habits and planted effects.
        seed: The world's seed.
        start: UTC; the day of the first posts.
        end: UTC; nothing is posted at or after it.
        noise: Factor on every spread; 0 leaves the planted effects alone.
        views_sigma: Standard deviation of the natural logarithm of a post's views.
    """
    first = start
    if plan.history_days is not None:
        first = max(start, end - timedelta(days=plan.history_days))
    posts: list[Post] = []
    for day in _days(first.astimezone(account.zone).date(), end.astimezone(account.zone).date()):
        rng = stream(seed, account.name, platform.value, day.isoformat())
        rate = plan.platforms[platform].posts_per_day
        number = int(rate) + int(rng.random() < rate % 1)
        for index in range(number):
            draw = _PostDraw(account, platform, plan, seed, noise, views_sigma, end, first)
            post = draw.post(day, index)
            if first <= post.posted_at < end:
                posts.append(post)
    posts.sort(key=lambda post: (post.posted_at, post.post_id))
    return _with_pinned(posts)


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _with_pinned(posts: list[Post]) -> list[Post]:
    """Pin the early post with the most views, from three weeks after it was posted."""
    early = [post for post in posts[: len(posts) // 3] if not post.is_ad]
    if not early:
        return posts
    best = max(early, key=lambda post: (post.final_views, post.post_id))
    pinned_from = best.posted_at + timedelta(days=21)
    return [replace(post, pinned_from=pinned_from) if post is best else post for post in posts]


@dataclass(frozen=True)
class _PostDraw:
    account: AccountConfig
    platform: Platform
    plan: AccountPlan
    seed: int
    noise: float
    views_sigma: float
    end: datetime
    first: datetime

    def post(self, day: date, index: int) -> Post:
        name, platform = self.account.name, self.platform
        rng = stream(self.seed, name, platform.value, day.isoformat(), str(index))
        local_at = self._moment(rng, day)
        posted_at = local_at.astimezone(UTC)
        format_ = self._format(rng, posted_at)
        pillar = pick(rng, self.account.content_pillars or (Labelled(name="everything"),))
        call = pick(rng, (*self.account.cta, None))
        media_type = self._media_type(rng)
        slides = self._slide_count(rng, media_type)
        is_ad = float(rng.random()) < 0.015
        ending = self._ending(rng, day, index)
        caption = write_caption(
            rng,
            post_format=format_,
            pillar=pillar,
            call=call,
            slide_count=slides or 5,
            ending=ending,
        )
        segments = {
            "format": format_.name,
            "pillar": pillar.name,
            "daypart": daypart(local_at.hour),
            "media_type": media_type.value,
            "slide_count": None if slides is None else str(slides),
        }
        base = self.plan.platforms[platform].base_view_count
        usual_views = base * view_effect(self.plan, platform, segments)
        usual_rates = self._usual_rates(segments)
        nuisance = self.views_sigma * float(rng.normal()) + self._drift(posted_at)
        paid = 3.0 if is_ad else 1.0
        is_hidden = platform is Platform.INSTAGRAM and float(rng.random()) < 0.03
        low_bits = int(rng.integers(2**32 if platform is Platform.TIKTOK else 2**23))
        make_id = tiktok_id if platform is Platform.TIKTOK else instagram_id
        is_wordless = float(rng.random()) < 0.01
        return Post(
            account_name=name,
            platform=platform,
            post_id=make_id(posted_at, low_bits),
            posted_at=posted_at,
            local_at=local_at,
            format=format_.name,
            pillar=pillar.name,
            call=call.name if call else None,
            media_type=media_type,
            slide_count=slides,
            duration_s=int(rng.integers(9, 75)) if media_type is MediaType.VIDEO else 0,
            caption=caption,
            published_text="" if is_wordless else caption.text,
            is_ad=is_ad,
            is_like_count_hidden=is_hidden,
            usual_views=usual_views,
            final_views=usual_views * paid * math.exp(self.noise * nuisance),
            usual_rates=usual_rates,
            rates=self._noisy_rates(rng, usual_rates),
            curve=draw_curve(rng, self.noise),
            like_drop=self._like_drop(rng),
        )

    def _moment(self, rng: np.random.Generator, day: date) -> datetime:
        first, end = DAYPART_HOURS[weighted_pick(rng, _POSTING_WEIGHTS)]
        hour, minute, second = (int(rng.integers(*span)) for span in ((first, end), (60,), (60,)))
        local = datetime.combine(day, time(hour, minute, second), tzinfo=self.account.zone)
        # Through UTC, so that an hour that the clocks skip becomes one that exists.
        return local.astimezone(UTC).astimezone(self.account.zone)

    def _format(self, rng: np.random.Generator, posted_at: datetime) -> Labelled:
        formats = {item.name: item for item in self.account.formats} or {
            "post": Labelled(name="post")
        }
        weights = {name: self.plan.format_weights.get(name, 1.0) for name in formats}
        if len(weights) > 1 and posted_at >= self.end - _DROPPED_FORMAT_REST:
            weights.pop(self.plan.dropped_format or "", None)
        return formats[weighted_pick(rng, weights)]

    def _media_type(self, rng: np.random.Generator) -> MediaType:
        mark, habits = float(rng.random()), self.plan.platforms[self.platform]
        if mark < habits.video_share:
            return MediaType.VIDEO
        is_image = mark < habits.video_share + habits.image_share
        return MediaType.IMAGE if is_image else MediaType.CAROUSEL

    def _slide_count(self, rng: np.random.Generator, media_type: MediaType) -> int | None:
        offset = int(weighted_pick(rng, _SLIDE_OFFSETS))
        if media_type is MediaType.CAROUSEL:
            return max(2, (self.account.default_slide_count or 7) + offset)
        return 1 if media_type is MediaType.IMAGE else None

    def _ending(self, rng: np.random.Generator, day: date, index: int) -> str | None:
        is_foreign, line = float(rng.random()) < 0.03, pick(rng, FOREIGN_LINES)
        if self.platform is Platform.TIKTOK and index == 0:
            hostile = _HOSTILE_DAYS.get(day.toordinal() % 97)
            if hostile is not None:
                return HOSTILE_CAPTION_ENDS[hostile]
        return line if is_foreign else None

    def _drift(self, posted_at: datetime) -> float:
        """Slow growth of the account's reach, in natural logarithms: nobody's effect."""
        span = max((self.end - self.first).total_seconds(), 1.0)
        return 0.15 * ((posted_at - self.first).total_seconds() / span - 0.5)

    def _usual_rates(self, segments: Mapping[str, str | None]) -> Rates:
        usual = USUAL_RATES[self.platform]
        return replace(
            usual,
            shares=usual.shares * share_rate_effect(self.plan, segments),
            saves=usual.saves * save_rate_effect(self.plan, segments),
        )

    def _noisy_rates(self, rng: np.random.Generator, usual: Rates) -> Rates:
        likes, comments, shares, saves = (
            math.exp(self.noise * sigma * float(rng.normal())) for sigma in (0.25, 0.4, 0.35, 0.3)
        )
        return Rates(
            likes=usual.likes * likes,
            comments=usual.comments * comments,
            shares=usual.shares * shares,
            saves=usual.saves * saves,
        )

    def _like_drop(self, rng: np.random.Generator) -> LikeDrop | None:
        mark, age, lost = (float(value) for value in rng.random(3))
        if self.noise <= 0 or mark >= 0.03:
            return None
        return LikeDrop(from_age_hours=60.0 + 300.0 * age, lost_share=0.01 + 0.03 * lost)
