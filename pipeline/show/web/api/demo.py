"""``/demo``: made-up content in a home of its own, never in the one that is served for real."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from fastapi import APIRouter, Depends, HTTPException
from pydantic import ConfigDict, Field

from pipeline.accounts import AccountConfig, load_account
from pipeline.atomic_files import write_atomically
from pipeline.collect.imports import import_file
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from pipeline.show.cli.demo import MARKER, start_afresh
from pipeline.show.web.api.answers import Answer, Request, is_demo_home
from pipeline.show.web.api.audit import note_change
from pipeline.show.web.api.callers import Caller
from pipeline.show.web.api.errors import responses

DEMO_FOLDER = ".demo"
_POSTS_PER_DAY = 2.1
"""Of an account that nobody planned, on both platforms together."""
_UNTIL_SEEN = timedelta(days=3)
"""From an account's first post to its first scrape."""

_one_at_a_time = threading.Lock()

_PILLARS = {
    "tutorials": ["tutorial", "set up", "walkthrough"],
    "tips": ["quick tip", "tips"],
    "reviews": ["review", "tested"],
    "vlogs": ["my week", "behind the scenes"],
}
_FORMATS = {
    "step_guide": ["step by step", "step 1", "easy steps"],
    "how_to": ["how to", "here's how"],
    "habit_list": ["daily habits", "habit list"],
}


class EnableBody(Request):
    """What kind of account is to be made up."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"profile_type": "auto", "niche": "tech_reviews"}]},
    )

    profile_type: Literal["auto"] = "auto"
    niche: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,40}$")] = "tech_reviews"


class Enabled(Answer):
    """A home for made-up content."""

    enabled: bool
    account: str
    home: str
    """The folder's name, beside the real one; serve it with AFTERPOST_HOME."""
    is_served: bool
    """Whether this server answers from that home."""
    is_simulated: bool = True


class BulkBody(Request):
    """How much is to be made up."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"account": "demo_tech_reviews", "count": 40, "seed": 7, "build": False}]
        },
    )

    account: Annotated[str, Field(pattern=r"^demo_[a-z0-9][a-z0-9_]{0,40}$")]
    """As ``/demo/enable`` named it."""
    count: Annotated[int, Field(ge=10, le=200)] = 40
    """About so many posts: they come by chance, as in life."""
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 7
    """The same seed makes the same posts."""
    build: bool = False
    """Also build and publish the demo's warehouse, which takes half a minute."""


class BulkCreated(Answer):
    """What was made up."""

    account: str
    post_count: int
    file_count: int
    new_file_count: int
    """0 when the same posts were there already."""
    warehouse_version: str | None
    """The copy that has them; null until the next build of the demo's home."""
    is_simulated: bool = True


def demo_routes(settings: Settings, caller_of: Callable[..., Any]) -> APIRouter:
    """The routes under ``/demo``."""
    router = APIRouter(prefix="/demo", tags=["demo"], responses=responses(404, 409))
    Asking = Annotated[Caller, Depends(caller_of)]  # noqa: N806 (a type)

    @router.post("/enable")
    def enable(caller: Asking, body: EnableBody) -> Enabled:
        """Make a home for made-up content, with one account; what a demo left there stays."""
        _all_accounts(caller)
        home = demo_home(settings)
        if not (home / MARKER).is_file():
            start_afresh(home)
        account = f"demo_{body.niche}"
        path = home / "accounts" / account / "account.yaml"
        if not path.exists():
            write_atomically(path, _account_yaml(account, body.niche).encode())
        note_change(settings, caller, "demo.enable", account)
        return Enabled(
            enabled=True, account=account, home=home.name, is_served=home == settings.home
        )

    @router.post("/content/bulk-create", status_code=201)
    def bulk_create(caller: Asking, body: BulkBody) -> BulkCreated:
        """Make up 10 to 200 posts with their numbers, as exports that are then imported."""
        _all_accounts(caller)
        home = demo_home(settings)
        if not (home / MARKER).is_file():
            raise HTTPException(409, "There is no demo yet: POST /api/v1/demo/enable first.")
        own = Settings(home=home, lock_timeout_s=settings.lock_timeout_s)
        account = load_account(own.accounts_dir, body.account)
        if not _one_at_a_time.acquire(blocking=False):
            raise HTTPException(409, "Another demo is being made: try again in a while.")
        try:
            made = _create(own, account, body)
        finally:
            _one_at_a_time.release()
        note_change(settings, caller, "demo.bulk_create", account.name, posts=made.post_count)
        return made

    return router


def demo_home(settings: Settings) -> Path:
    """Where made-up content goes: the served home when a demo made it, else a folder in it."""
    return settings.home if is_demo_home(settings) else settings.home / DEMO_FOLDER


def _all_accounts(caller: Caller) -> None:
    if caller.accounts is not None:
        raise HTTPException(403, "Only a token for all accounts may make a demo.")


def _create(settings: Settings, account: AccountConfig, body: BulkBody) -> BulkCreated:
    # The simulator is a fifth of a second to import, and seldom asked for.
    from pipeline.simulate.exports import write_exports
    from pipeline.simulate.world import build_world

    end = datetime(2026, 11, 15, 13, 0, 5, tzinfo=UTC)
    start = end - _UNTIL_SEEN - timedelta(days=body.count / _POSTS_PER_DAY)
    world = build_world(body.seed, [account], start=start, end=end)
    exports = write_exports(world, settings.home / "exports" / f"{account.name}_{body.seed}")
    reports = [
        import_file(settings, account, export.path, platform=export.platform, scraped_at="auto")
        for export in exports
    ]
    posts = {
        (report.manifest.platform, post_id)
        for report in reports
        for post_id in report.manifest.post_ids
    }
    version = None
    if body.build:
        load_raw(settings)
        build_models(settings)
        build_statistics(settings)
        version = publish_build(settings).warehouse_version
    return BulkCreated(
        account=account.name,
        post_count=len(posts),
        file_count=len(exports),
        new_file_count=sum(report.is_new for report in reports),
        warehouse_version=version,
    )


def _account_yaml(name: str, niche: str) -> str:
    handle = re.sub(r"_", ".", name)
    return yaml.safe_dump(
        {
            "name": name,
            "display_name": f"{niche} (simulated)",
            "niche": niche,
            "timezone": "UTC",
            "platform_profiles": {"tiktok": handle, "instagram": handle},
            "content_pillars": _labelled(_PILLARS),
            "formats": _labelled(_FORMATS),
        },
        sort_keys=False,
        allow_unicode=True,
    )


def _labelled(names: dict[str, list[str]]) -> list[dict[str, Any]]:
    return [{"name": name, "keywords": words} for name, words in names.items()]
