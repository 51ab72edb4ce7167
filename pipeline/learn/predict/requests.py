"""What somebody wants to know about a post that is not out yet, checked and made into facts."""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.accounts import AccountConfig, Labelled
from pipeline.clock import utc_text
from pipeline.collect.hook_styles import HookStyle, hook_style
from pipeline.errors import UsageError
from pipeline.learn.predict.post_features import PostFacts

MEDIA_TYPES = ("carousel", "image", "text", "video")
MOST_SLIDES = 35


@dataclass(frozen=True)
class PredictionRequest:
    """A post that is to go out; all that is not known is None."""

    account: str
    platform: str | None = None
    """Where; the platform that the account posts on most when left out."""
    format: str | None = None
    pillar: str | None = None
    topic: str | None = None
    hook: str | None = None
    hook_style: str | None = None
    """Told from the hook, or from the caption's first line, when left out."""
    cta: str | None = None
    caption: str | None = None
    planned_at: datetime | None = None
    """With its zone; now when left out."""
    media_type: str | None = None
    slide_count: int | None = None
    duration_s: float | None = None
    hashtags: tuple[str, ...] = ()
    """Without their signs; those that the caption lacks are put behind it."""
    audio_id: str | None = None
    planned_id: str | None = None
    """The folder under ``output/``, where the post has one."""
    post_id: str | None = None
    """The post, where it is out already and young."""

    @property
    def is_asked(self) -> bool:
        """Whether a person asks, rather than a plan or a post of the warehouse."""
        return self.planned_id is None and self.post_id is None

    @property
    def subject(self) -> str:
        """What tells the post from others: its plan, itself, or all that was asked."""
        if self.planned_id is not None:
            return f"plan:{self.planned_id}"
        if self.post_id is not None:
            return f"post:{self.post_id}"
        asked = dataclasses.asdict(self)
        asked["planned_at"] = None if self.planned_at is None else utc_text(self.planned_at)
        text = json.dumps(asked, sort_keys=True, ensure_ascii=False)
        return f"asked:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def check_request(request: PredictionRequest, account: AccountConfig, now: datetime) -> None:
    """Refuse names that the account does not have, and times that are over.

    Raises:
        UsageError: One sentence about the first thing that does not fit.
    """
    profiles = [platform.value for platform in account.platform_profiles]
    if not profiles:
        raise UsageError(f"{account.name} posts on no platform: its account.yaml names no profile.")
    if request.platform is not None and request.platform not in profiles:
        raise UsageError(
            f"{account.name} does not post on {request.platform!r}: choose from "
            f"{', '.join(sorted(profiles))}."
        )
    for name, value, listed in (
        ("format", request.format, account.formats),
        ("pillar", request.pillar, account.content_pillars),
        ("topic", request.topic, account.topics),
        ("cta", request.cta, account.cta),
    ):
        _check_name(account, name, value, listed)
    _check_word("hook style", request.hook_style, [style.value for style in HookStyle])
    _check_word("media type", request.media_type, MEDIA_TYPES)
    if request.slide_count is not None and not 1 <= request.slide_count <= MOST_SLIDES:
        raise UsageError(f"{request.slide_count} slides are not possible: from 1 to {MOST_SLIDES}.")
    if request.planned_at is not None:
        if request.planned_at.tzinfo is None:
            raise UsageError("The time of the post has no zone.")
        if request.planned_at < now:
            raise UsageError(
                f"{utc_text(request.planned_at)} is over: a prediction is made before the post."
            )


def facts_of(
    request: PredictionRequest,
    account: AccountConfig,
    platform: str,
    posted_at: datetime,
    follower_count: int | None,
) -> PostFacts:
    """The request as models see it."""
    caption = _with_hashtags(request.caption, request.hashtags)
    style = request.hook_style or hook_style(request.hook or caption)
    return PostFacts(
        account_name=account.name,
        platform=platform,
        posted_at=posted_at,
        local_at=posted_at.astimezone(account.zone),
        format=request.format,
        pillar=request.pillar,
        topic=request.topic,
        hook_style=None if style is None else str(style),
        cta=request.cta,
        media_type=request.media_type or _media_type(request),
        hook=request.hook,
        caption=caption,
        slide_count=request.slide_count,
        duration_s=request.duration_s,
        follower_count=follower_count,
    )


def _media_type(request: PredictionRequest) -> str | None:
    if request.slide_count is not None and request.slide_count > 1:
        return "carousel"
    return "video" if request.duration_s else None


def _with_hashtags(caption: str | None, hashtags: Iterable[str]) -> str | None:
    if caption is None:
        return None
    written = caption.casefold()
    tags = [f"#{tag.lstrip('#＃')}" for tag in hashtags]
    return " ".join([caption, *(tag for tag in tags if tag.casefold() not in written)])


def _check_name(
    account: AccountConfig, kind: str, value: str | None, listed: Iterable[Labelled]
) -> None:
    names = [one.name for one in listed]
    if value is None or value in names:
        return
    choice = f"choose from {', '.join(names)}" if names else "it lists none"
    raise UsageError(f"{account.name} has no {kind} {value!r} in its account.yaml: {choice}.")


def _check_word(kind: str, value: str | None, words: Iterable[str]) -> None:
    known = list(words)
    if value is not None and value not in known:
        raise UsageError(f"There is no {kind} {value!r}: choose from {', '.join(known)}.")
