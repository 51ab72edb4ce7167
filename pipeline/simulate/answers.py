"""How the simulated actors answer a run, for the local server that speaks Apify's API."""

import hashlib
import string
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from pipeline.accounts import Platform
from pipeline.simulate import instagram_rows, tiktok_rows
from pipeline.simulate.apify_server import ActorAnswer
from pipeline.simulate.exports import POST_ACTORS, PROFILE_ACTOR
from pipeline.simulate.world import ScrapeKind, World

_LETTERS = string.ascii_letters + string.digits
_USD_PER_ITEM = {Platform.TIKTOK: 0.0025, Platform.INSTAGRAM: 0.0017}

_ACTORS: Mapping[str, tuple[Platform, ScrapeKind, str, str | None]] = {
    POST_ACTORS[Platform.TIKTOK]: (Platform.TIKTOK, "posts", "profiles", "resultsPerPage"),
    POST_ACTORS[Platform.INSTAGRAM]: (Platform.INSTAGRAM, "posts", "username", "resultsLimit"),
    PROFILE_ACTOR: (Platform.INSTAGRAM, "profiles", "usernames", None),
}
"""Platform, kind, and the keys of the input that hold the handles and the limit."""


_ADDRESS_ACTORS: Mapping[str, tuple[Platform, str]] = {
    "clockworks/tiktok-scraper": (Platform.TIKTOK, "postURLs"),
    "apify/instagram-scraper": (Platform.INSTAGRAM, "directUrls"),
}
"""Actors that look single posts up: platform, and the key of the input that holds addresses."""


def actor_answers(world: World) -> Callable[[str, dict[str, Any]], ActorAnswer]:
    """A function that answers a run of any actor the product uses, at the world's end.

    An actor it does not know, and a handle that the world does not have, are answered as Apify
    does: a failed run, and an ordinary error row.
    """

    def answer(actor_id: str, run_input: dict[str, Any]) -> ActorAnswer:
        name = actor_id.replace("~", "/")
        run_id = _run_id(world.seed, name, run_input)
        started_at = world.end - timedelta(seconds=38)
        if name in _ADDRESS_ACTORS:
            platform, addresses_key = _ADDRESS_ACTORS[name]
            rows = _rows_at(world, platform, [str(one) for one in run_input[addresses_key]])
            return ActorAnswer(
                items=rows,
                started_at=started_at,
                finished_at=world.end,
                usage_total_usd=round(_USD_PER_ITEM[platform] * len(rows), 6),
                run_id=_run_id(world.seed, name, run_input),
            )
        if name not in _ACTORS:
            return ActorAnswer(
                items=[],
                status="FAILED",
                status_message=f"The simulated world has no actor {name}.",
                started_at=started_at,
                finished_at=world.end,
                run_id=run_id,
            )
        platform, kind, handles_key, limit_key = _ACTORS[name]
        limit = int(run_input.get(limit_key, 30)) if limit_key else 1
        items: list[dict[str, Any]] = []
        for handle in run_input.get(handles_key, []):
            items += _rows_of(world, platform, kind, str(handle), limit)
        return ActorAnswer(
            items=items,
            started_at=started_at,
            finished_at=world.end,
            usage_total_usd=round(_USD_PER_ITEM[platform] * len(items), 6),
            run_id=run_id,
        )

    return answer


def _rows_of(
    world: World, platform: Platform, kind: ScrapeKind, handle: str, limit: int
) -> list[dict[str, Any]]:
    plain = handle.rstrip("/").rpartition("/")[2].lstrip("@").lower()
    for account_name, profile_platform in world.profiles:
        profile = world.account(account_name).platform_profiles[profile_platform]
        if profile_platform is platform and profile.lower() == plain:
            return world.scrape_rows(account_name, platform, kind, world.end, limit)
    missing = tiktok_rows if platform is Platform.TIKTOK else instagram_rows
    return [missing.error_row(plain)]


def _rows_at(world: World, platform: Platform, addresses: list[str]) -> list[dict[str, Any]]:
    """One row per address: the post, or an ordinary error row where there is none."""
    rows_by_address = {}
    for account_name, profile_platform in world.profiles:
        if profile_platform is platform:
            every = len(world.profile_posts(account_name, platform))
            for row in world.scrape_rows(account_name, platform, "posts", world.end, every):
                rows_by_address[row.get("webVideoUrl") or row.get("url")] = row
    return [
        rows_by_address.get(address)
        or {"url": address, "error": "Post not found or private", "errorCode": "NOT_FOUND"}
        for address in addresses
    ]


def _run_id(seed: int, actor_id: str, run_input: dict[str, Any]) -> str:
    """Seventeen letters and digits, as Apify's ids, the same for the same run of one world."""
    key = _ACTORS.get(actor_id)
    addresses = _ADDRESS_ACTORS.get(actor_id)
    asked = key[2] if key else addresses[1] if addresses else ""
    handles = ",".join(str(handle) for handle in run_input.get(asked, []))
    digest = hashlib.sha256(f"{seed}\x1f{actor_id}\x1f{handles}".encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:17])
