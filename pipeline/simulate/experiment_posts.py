"""A generator that obeys its briefs, and posts of its folders with planted effects of the arms.

From a draw to numbers, with nothing but files and HTTP in between::

    briefs = json.loads(<what `afterpost draw NAME -n 4 --at TIME --json` printed>)
    make_posts(settings.accounts_dir, account, briefs, at=moment)
    ...                                            # more draws, on other days
    world = with_drawn_posts(base, settings.accounts_dir, {"tried": Planted(views=1.6)}, end=now)
    for export in write_scrapes(world, home / "exports", account.name, platform, moments):
        import_file(settings, account, export.path, platform=export.platform)
    # or, for one scrape at the world's end: ApifyServer(actor_answers(world))

A folder's post depends on the world's seed and the folder alone: another call with later folders, a
later end or other moments gives the same posts with grown numbers.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipeline.accounts import AccountConfig, Labelled, Platform
from pipeline.simulate.captions import Caption, write_caption
from pipeline.simulate.exports import POST_ACTORS, ExportFile
from pipeline.simulate.growth import USUAL_RATES, Rates, draw_curve
from pipeline.simulate.plans import save_rate_effect, share_rate_effect, view_effect
from pipeline.simulate.posts import (
    DAYPART_HOURS,
    MediaType,
    Post,
    daypart,
    instagram_id,
    tiktok_id,
)
from pipeline.simulate.seeds import pick, stream
from pipeline.simulate.world import VIEWS_SIGMA, World

_COLOURS = ("amber", "copper", "indigo", "ivory", "olive", "scarlet", "silver", "teal")
_THINGS = ("anchor", "button", "candle", "feather", "kettle", "lantern", "pebble", "ribbon",
           "saddle", "teapot", "umbrella", "violin")  # fmt: skip
_PLACES = ("attic", "bakery", "canal", "ferry", "harbour", "library", "meadow", "orchard",
           "platform", "quarry", "stairwell", "terrace")  # fmt: skip
_MOST_LATE_MINUTES = 25


@dataclass(frozen=True)
class Planted:
    """What an arm really does to its posts: ratios, 1.0 where it makes no difference."""

    views: float = 1.0
    engagement: float = 1.0
    """Of likes, comments, shares and saves per view, all alike."""
    saves: float = 1.0
    """Of saves per view, beside ``engagement``."""
    comments: float = 1.0
    """Of comments per view, beside ``engagement``."""


_NOTHING = Planted()


def make_posts(
    accounts_dir: Path,
    account: AccountConfig,
    briefs: Sequence[Mapping[str, Any]],
    at: datetime,
    *,
    platform: Platform | None = None,
    topic: str | None = None,
    seed: int = 0,
) -> list[Path]:
    """Make a post of every brief, as a generator that does what the brief says.

    Args:
        accounts_dir: The home's ``accounts`` folder.
        account: Whose briefs they are.
        briefs: As ``afterpost draw --json`` prints them.
        at: When they are to go out, with its zone: on this day of the account's zone, in the
            brief's part of the day, else at this moment.
        platform: Where; default the brief's, else the account's first.
        topic: What they are about, where the draw was told; each has one of its own else.
        seed: For texts and minutes.

    Returns:
        The output folders. One that is there already is written again, the same.

    Raises:
        OSError: A folder is not writable.
    """
    folders = []
    for brief in briefs:
        rng = stream(seed, "obeying", str(brief["draw_id"]))
        where = platform or Platform(brief.get("platform") or next(iter(account.platform_profiles)))
        local_at = _planned_moment(rng, at.astimezone(account.zone), brief.get("daypart"))
        mark = f"{pick(rng, _COLOURS)} {pick(rng, _THINGS)}, {pick(rng, _PLACES)}"
        number = int(rng.integers(100, 1000))
        slides = int(brief.get("slide_count") or account.default_slide_count or 6)
        caption = write_caption(
            rng,
            post_format=_labelled(account.formats, brief.get("format")),
            pillar=_labelled(account.content_pillars, brief.get("pillar")),
            call=_labelled(account.cta, brief["cta"]) if brief.get("cta") else None,
            slide_count=slides,
            # What no other post has, so that plan and post are told to belong together.
            ending=f"Filed under {mark} {number}.",
        )
        meta = {
            "created_at": (at - timedelta(minutes=1)).astimezone(UTC).isoformat(timespec="seconds"),
            "published_at": local_at.isoformat(timespec="seconds"),
            "platform": where.value,
            "topic": topic or f"{caption.topic}: {mark} {number}",
            "hook_text": caption.hook,
            "slide_count": slides,
            "caption": caption.text,
            **brief["stamp"],
        }
        texts = [caption.hook, *caption.lines][:slides]
        folder = accounts_dir / account.name / "output" / f"{local_at:%Y-%m-%d}_{brief['draw_id']}"
        folder.mkdir(parents=True, exist_ok=True)
        options = orjson.OPT_INDENT_2
        (folder / "carousel_data.json").write_bytes(
            orjson.dumps({"slides": [{"text": text} for text in texts]}, option=options)
        )
        (folder / "meta.json").write_bytes(orjson.dumps(meta, option=options))
        folders.append(folder)
    return folders


def with_drawn_posts(
    world: World,
    accounts_dir: Path,
    planted: Mapping[str, Planted],
    *,
    end: datetime | None = None,
    noise: float = 1.0,
    views_sigma: float = VIEWS_SIGMA,
) -> World:
    """The world with one more post for each output folder that carries the stamp of a draw.

    Args:
        world: What happens besides; it is not changed.
        accounts_dir: The home's ``accounts`` folder.
        planted: What an experiment's arm does, by ``<experiment id>/<arm>`` or by the arm's name
            alone; nothing for an arm that is not named. The account's own plan has its effects too.
        end: Moment of the newest scrape; default the world's. Nothing is posted at or after it.
        noise: Factor on every spread; 0 leaves the planted effects alone.
        views_sigma: Spread of views (standard deviation of their natural logarithm).

    Raises:
        OSError: A folder cannot be read.
        ValueError: A ``meta.json`` is not what :func:`make_posts` writes.
    """
    ends = end or world.end
    posts = {
        profile: {post.post_id: post for post in world.profile_posts(*profile)}
        for profile in world.profiles
    }
    for account in world.accounts:
        for folder, meta in _stamped(accounts_dir / account.name / "output"):
            drawn = _DrawnPost(world, account, planted, noise, views_sigma)
            post = drawn.post(folder, meta)
            if post.posted_at < ends:
                posts[account.name, post.platform][post.post_id] = post
    return World(
        seed=world.seed,
        start=world.start,
        end=ends,
        accounts=world.accounts,
        plans={account.name: world.plan(account.name) for account in world.accounts},
        posts={
            profile: tuple(sorted(theirs.values(), key=lambda one: (one.posted_at, one.post_id)))
            for profile, theirs in posts.items()
        },
    )


def write_scrapes(
    world: World,
    folder: Path,
    account_name: str,
    platform: Platform,
    moments: Sequence[datetime],
    limit: int = 60,
) -> list[ExportFile]:
    """Write what scrapes of one profile at some moments gave, one export each.

    Args:
        world: Whose posts.
        folder: Where to; made when missing.
        account_name: An account of the world.
        platform: One of its platforms.
        moments: When, with zone; the files' names say it, as Apify's console has it.
        limit: Newest posts in each; take enough for posts that are to be seen at several ages.

    Raises:
        OSError: The folder is not writable.
        ValueError: No such profile.
    """
    target = folder / account_name
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for moment in moments:
        at = moment.astimezone(UTC)
        slug = POST_ACTORS[platform].rpartition("/")[2]
        path = target / f"dataset_{slug}_{at:%Y-%m-%d_%H-%M-%S}-{at.microsecond // 1000:03d}.json"
        path.write_bytes(
            orjson.dumps(world.scrape_rows(account_name, platform, "posts", at, limit))
        )
        written.append(ExportFile(path, account_name, platform))
    return written


def _planned_moment(rng: Any, local: datetime, part: str | None) -> datetime:
    if part is None:
        return local
    first, end = DAYPART_HOURS[part]
    clock = time(int(rng.integers(first, end)), int(rng.integers(60 - _MOST_LATE_MINUTES)))
    moment = datetime.combine(local.date(), clock, tzinfo=local.tzinfo)
    # Through UTC, so that an hour that the clocks skip becomes one that exists.
    return moment.astimezone(UTC).astimezone(local.tzinfo)


def _labelled(listed: Sequence[Labelled], name: str | None) -> Labelled:
    known = {item.name: item for item in listed}
    return known.get(name or "") or Labelled(name=name or "post")


def _stamped(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(output.glob("*/meta.json")):
        meta = json.loads(path.read_bytes())
        if isinstance(meta, dict) and isinstance(meta.get("draw"), dict):
            yield path.parent, meta


@dataclass(frozen=True)
class _DrawnPost:
    world: World
    account: AccountConfig
    planted: Mapping[str, Planted]
    noise: float
    views_sigma: float

    def post(self, folder: Path, meta: Mapping[str, Any]) -> Post:
        platform = Platform(meta["platform"])
        rng = stream(self.world.seed, "drawn", self.account.name, platform.value, folder.name)
        late = timedelta(
            minutes=int(rng.integers(_MOST_LATE_MINUTES)), seconds=int(rng.integers(60))
        )
        posted_at = (datetime.fromisoformat(meta["published_at"]) + late).astimezone(UTC)
        local_at = posted_at.astimezone(self.account.zone)
        slides = int(meta["slide_count"])
        segments = {
            "format": meta.get("format"),
            "pillar": meta.get("pillar"),
            "hook_style": meta.get("hook_style"),
            "cta": meta.get("cta"),
            "daypart": daypart(local_at.hour),
            "media_type": MediaType.CAROUSEL.value,
            "slide_count": str(slides),
        }
        effect = self._effect(meta.get("experiment"))
        plan = self.world.plan(self.account.name)
        usual_views = (
            plan.platforms[platform].base_view_count
            * view_effect(plan, platform, segments)
            * effect.views
        )
        usual_rates = _scaled(
            USUAL_RATES[platform],
            shares=share_rate_effect(plan, segments) * effect.engagement,
            saves=save_rate_effect(plan, segments) * effect.engagement * effect.saves,
            comments=effect.engagement * effect.comments,
            likes=effect.engagement,
        )
        is_tiktok = platform is Platform.TIKTOK
        make_id = tiktok_id if is_tiktok else instagram_id
        luck = self.noise * self.views_sigma * float(rng.normal())
        likes, comments, shares, saves = (
            math.exp(self.noise * sigma * float(rng.normal())) for sigma in (0.25, 0.4, 0.35, 0.3)
        )
        return Post(
            account_name=self.account.name,
            platform=platform,
            post_id=make_id(posted_at, int(rng.integers(2**32 if is_tiktok else 2**23))),
            posted_at=posted_at,
            local_at=local_at,
            format=meta.get("format") or "post",
            pillar=meta.get("pillar") or "everything",
            call=meta.get("cta"),
            media_type=MediaType.CAROUSEL,
            slide_count=slides,
            duration_s=0,
            caption=Caption(meta["caption"], meta["topic"], meta["hook_text"], (), ()),
            published_text=meta["caption"],
            is_ad=False,
            is_like_count_hidden=False,
            usual_views=usual_views,
            final_views=usual_views * math.exp(luck),
            usual_rates=usual_rates,
            rates=_scaled(usual_rates, likes=likes, comments=comments, shares=shares, saves=saves),
            curve=draw_curve(rng, self.noise),
            like_drop=None,
        )

    def _effect(self, stamp: Any) -> Planted:
        if not isinstance(stamp, Mapping):
            return _NOTHING
        arm = str(stamp["arm"])
        return self.planted.get(f"{stamp['experiment_id']}/{arm}", self.planted.get(arm, _NOTHING))


def _scaled(rates: Rates, *, likes: float, comments: float, shares: float, saves: float) -> Rates:
    return replace(
        rates,
        likes=rates.likes * likes,
        comments=rates.comments * comments,
        shares=rates.shares * shares,
        saves=rates.saves * saves,
    )
