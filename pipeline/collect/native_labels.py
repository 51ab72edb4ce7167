"""What the columns of platforms' own exports are called, and what they mean to us.

English exports; labels are compared in lower case with single spaces. A column that is not here
keeps its own name in a plain form.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from pipeline.accounts import Platform


class Unit(StrEnum):
    """What a native value counts."""

    COUNT = "count"
    SECONDS = "s"
    FRACTION = "fraction"
    USD = "usd"


@dataclass(frozen=True)
class Metric:
    """One column's meaning. Values are multiplied by ``factor`` to come to the unit."""

    name: str
    unit: Unit = Unit.COUNT
    factor: float = 1.0


_COUNTS = {
    "impressions": "impressions; total impressions; media impressions",
    "views": "views; video views; post views; total views; plays; total plays; reel plays",
    "engaged_views": "engaged views",
    "reach": "reach; accounts reached; reached audience; reached accounts; unique viewers; "
    "unique impressions; members reached; instagram reach",
    "likes": "likes; total likes; likes and reactions; reactions",
    "comments": "comments; total comments; comments added; replies",
    "shares": "shares; total shares",
    "reposts": "retweets; reposts",
    "saves": "saves; saved; total saves; total favorites; favorites; bookmarks; added to favorites",
    "engagements": "engagements; interactions; content interactions; post engagements; "
    "instagram content interactions",
    "link_clicks": "link clicks; url clicks; website clicks; website taps; external link taps; "
    "instagram link clicks",
    "clicks": "clicks; total clicks",
    "profile_visits": "profile visits; profile views; user profile clicks; "
    "instagram profile visits",
    "follows": "follows; new follows; new followers; followers gained; subscribers gained; "
    "instagram follows; new subscribers",
    "unfollows": "unfollows; followers lost; subscribers lost; unfollowers",
    "net_follows": "subscribers; net followers; net follows; difference in followers from previous "
    "day",
    "followers": "followers; total followers; follower count; followers count",
    "following": "following; following count",
    "posts": "posts count; posts; create post; tweet count; video count",
    "likes_total": "likes count; like count",
    "listed": "listed count",
    "detail_expands": "detail expands",
    "hashtag_clicks": "hashtag clicks",
    "permalink_clicks": "permalink clicks",
    "app_opens": "app opens",
    "app_installs": "app installs",
    "email_shares": "email tweet",
    "phone_calls": "dial phone",
    "media_views": "media views",
    "media_engagements": "media engagements",
    "dislikes": "dislikes",
    "offsite_views": "offsite views",
}
_OTHERS = {
    "average view duration": Metric("average_view_s", Unit.SECONDS),
    "average watch time": Metric("average_view_s", Unit.SECONDS),
    "average time watched": Metric("average_view_s", Unit.SECONDS),
    "average seconds viewed": Metric("average_view_s", Unit.SECONDS),
    "watch time": Metric("watch_time_s", Unit.SECONDS),
    "total play time": Metric("watch_time_s", Unit.SECONDS),
    "total watch time": Metric("watch_time_s", Unit.SECONDS),
    "seconds viewed": Metric("watch_time_s", Unit.SECONDS),
    "average percentage viewed": Metric("retention_rate", Unit.FRACTION),
    "average % viewed": Metric("retention_rate", Unit.FRACTION),
    "retention rate": Metric("retention_rate", Unit.FRACTION),
    "watched full video": Metric("completion_rate", Unit.FRACTION),
    "impressions click-through rate": Metric("click_through_rate", Unit.FRACTION),
    "click through rate (ctr)": Metric("click_through_rate", Unit.FRACTION),
    "click through rate": Metric("click_through_rate", Unit.FRACTION),
    "ctr": Metric("click_through_rate", Unit.FRACTION),
    "engagement rate": Metric("engagement_rate", Unit.FRACTION),
    "estimated revenue": Metric("revenue_usd", Unit.USD),
    "your estimated revenue": Metric("revenue_usd", Unit.USD),
    "estimated earnings": Metric("revenue_usd", Unit.USD),
    "rpm": Metric("rpm_usd", Unit.USD),
    "cpm": Metric("cpm_usd", Unit.USD),
}
_BY_LABEL = {
    label.strip(): Metric(name) for name, labels in _COUNTS.items() for label in labels.split(";")
} | _OTHERS
_BY_PLATFORM = {("reddit", "subscribers"): Metric("followers")}
"""Labels that mean something else there: YouTube's subscribers are those of the period."""
_PREFIXES = {"promoted ": "promoted_", "sponsored ": "promoted_", "organic ": "organic_"}
_SUFFIXES = {"(organic)": "organic_", "(sponsored)": "promoted_", "(total)": ""}
_SCALES = {
    "(hours)": 3600.0,
    "(minutes)": 60.0,
    "(seconds)": 1.0,
    "(sec)": 1.0,
    "(s)": 1.0,
    "(%)": 0.01,
    "(usd)": 1.0,
}

POST_LABELS = (
    "permalink",
    "tweet permalink",
    "post link",
    "post url",
    "video link",
    "tweet id",
    "post id",
    "content",
    "video id",
)
"""Columns that say which post a row is about, the most trustworthy first."""
DAY_LABELS = ("date",)
DESCRIPTIVE = frozenset(
    {
        "account id",
        "account name",
        "account username",
        "audience",
        "campaign end date",
        "campaign name",
        "campaign start date",
        "content type",
        "created date",
        "custom labels",
        "data comment",
        "description",
        "duration",
        "duration (sec)",
        "funded content status",
        "is crosspost",
        "is share",
        "languages",
        "layout",
        "page id",
        "page name",
        "post day",
        "post publish date",
        "post text",
        "post time",
        "post title",
        "post type",
        "posted by",
        "publish time",
        "time",
        "title",
        "tweet text",
        "video publish time",
        "video title",
    }
)
"""Columns that tell what a post is, which is known from scrapes: no numbers of ours."""

SIGNS: dict[str, str] = {
    "tiktok": "video views;profile views;video link;total play time;watched full video;"
    "total favorites;reached audience;new followers",
    "instagram": "account username;permalink;data comment;instagram reach;"
    "instagram profile visits;instagram link clicks;instagram content interactions",
    "youtube": "video title;video publish time;watch time (hours);"
    "impressions click-through rate (%);average percentage viewed (%);average view duration;"
    "subscribers;your estimated revenue (usd);estimated revenue (usd)",
    "x": "tweet id;tweet permalink;tweet text;user profile clicks;detail expands;"
    "permalink clicks;hashtag clicks;create post;new follows;post text",
    "linkedin": "impressions (organic);clicks (organic);unique impressions (organic);"
    "engagement rate (organic);offsite views;posted by;campaign name;click through rate (ctr);"
    "post title;post publish date",
}
"""Labels by platform that hardly another one uses."""


def plain_label(text: str) -> str:
    """A label in the form that labels are compared in."""
    return re.sub(r"\s+", " ", text.replace("_", " ").strip().strip('"\ufeff')).casefold()


def metric_of(label: str, platform: Platform) -> tuple[Metric, bool]:
    """What a column means, and whether that is known; an unknown one keeps its name."""
    plain, factor, prefix = plain_label(label), 1.0, ""
    if (platform.value, plain) in _BY_PLATFORM:
        return _BY_PLATFORM[platform.value, plain], True
    if plain in _BY_LABEL:
        return _BY_LABEL[plain], True
    for suffix, scale in _SCALES.items():
        if plain.endswith(suffix):
            plain, factor = plain.removesuffix(suffix).strip(), scale
    for suffix, added in _SUFFIXES.items():
        if plain.endswith(suffix):
            plain, prefix = plain.removesuffix(suffix).strip(), added
    for start, added in _PREFIXES.items():
        if plain.startswith(start):
            plain, prefix = plain.removeprefix(start), added
    known = _BY_LABEL.get(plain)
    if known:
        return Metric(prefix + known.name, known.unit, known.factor * factor), True
    return own_metric(plain, prefix, factor), False


def own_metric(plain: str, prefix: str = "", factor: float = 1.0) -> Metric:
    """A column under its own name, in plain letters."""
    unit = Unit.FRACTION if factor < 1 else Unit.SECONDS if factor > 1 else Unit.COUNT
    name = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:60] or "unnamed"
    return Metric(prefix + name, unit, factor)


def platform_signs() -> dict[Platform, frozenset[str]]:
    """The labels that speak for each platform that there is a file for."""
    known = {platform.value: platform for platform in Platform}
    return {
        known[name]: frozenset(labels.split(";")) for name, labels in SIGNS.items() if name in known
    }
