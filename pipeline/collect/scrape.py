"""One scrape: run an actor for one profile of one account and land what it answered."""

import re
from dataclasses import dataclass

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.apify import ActorRun, ApifyService
from pipeline.collect.landing import (
    Answer,
    Manifest,
    Outcome,
    ScrapedAtSource,
    Source,
    SourceKind,
    classify_row,
    land,
    manifests,
    weigh,
)
from pipeline.collect.platform_interface import Actor, ActorKind, ItemKind
from pipeline.collect.platform_registry import SOURCES
from pipeline.errors import ConfigurationError, ScrapeFailedError
from pipeline.settings import Settings

_BLOCKED = re.compile(r"\b0 succeeded\b.*\b[1-9][0-9]* failed\b", re.IGNORECASE)


@dataclass(frozen=True)
class ScrapeReport:
    """What one scrape brought."""

    manifest: Manifest
    new_post_count: int
    """Own posts that no earlier answer held."""
    is_new: bool
    follower_count: int | None = None
    """Of the scraped profile, for scrapes of profiles."""

    @property
    def line(self) -> str:
        """One sentence for the command line and the run's log."""
        manifest = self.manifest
        where = f"{manifest.account_name} on {manifest.platform.value}"
        if manifest.source_kind is SourceKind.PROFILES:
            followers = (
                "followers unknown"
                if self.follower_count is None
                else f"{self.follower_count:,} followers"
            )
            text = f"Scraped the profile of {where}, {followers}"
        else:
            count = len(manifest.post_ids)
            text = (
                f"Scraped {count} {'post' if count == 1 else 'posts'} for {where}, "
                f"{self.new_post_count} new"
            )
        notes = []
        if manifest.foreign_post_count:
            notes.append(f"{manifest.foreign_post_count} of other authors")
        if manifest.rejected_count:
            notes.append(f"{manifest.rejected_count} rejected: {_reasons(manifest)}")
        if manifest.outcome is Outcome.EMPTY:
            notes.append("the profile has no posts to show")
        if manifest.outcome is Outcome.PARTIAL:
            notes.append("incomplete: Apify holds more rows than it gave")
        return f"{text} ({'; '.join(notes)})" if notes else text


def _reasons(manifest: Manifest) -> str:
    return ", ".join(manifest.rejected_reasons)


def scrape(
    settings: Settings, account: AccountConfig, platform: Platform, actor: Actor
) -> ScrapeReport:
    """Run one actor for the account's profile and land its answer.

    Args:
        settings: Where to land and how to reach Apify.
        account: Whose profile.
        platform: Which of its profiles.
        actor: One of the platform's actors.

    Raises:
        ConfigurationError: No token, or the account has no profile on the platform.
        ScrapeRejectedError: Apify refused the request.
        ScrapeUnavailableError: Apify did not answer in time.
        ScrapeFailedError: The run failed, was blocked, or answered only error rows. Nothing
            landed in any of these cases.
    """
    handle = account.platform_profiles.get(platform)
    if handle is None:
        raise ConfigurationError(
            f"Account {account.name!r} has no {platform.value} profile: add its handle under "
            f"platform_profiles in {settings.accounts_dir / account.name / 'account.yaml'}."
        )
    is_profile = actor.kind is ActorKind.PROFILES
    limit = 1 if is_profile else account.scrape.limit
    run_input = actor.build_input(handle, limit)
    run = ApifyService(settings).run_actor(
        actor.actor_id,
        run_input,
        max_items=limit,
        deadline_s=settings.apify_deadline_s,
        max_charge_usd=settings.apify_max_charge_usd,
    )
    answer = Answer(
        platform=platform,
        account_name=account.name,
        handle=handle,
        source=Source.APIFY,
        source_kind=SourceKind.PROFILES if is_profile else SourceKind.POSTS,
        rows=run.items,
        scraped_at=run.finished_at or run.started_at,
        scraped_at_source=ScrapedAtSource.RUN,
        is_complete=run.is_complete,
        items_asked=limit,
        actor_id=actor.actor_id,
        run_id=run.run_id,
        run_status=run.status,
        run_input=run_input,
        started_at=run.started_at,
        finished_at=run.finished_at,
        cost_usd=run.cost_usd,
    )
    weighed = weigh(answer)
    _check_answer(weighed.manifest, run)
    known = {
        post_id
        for former in manifests(settings, platform, account.name)
        for post_id in former.post_ids
    }
    landed = land(settings, weighed)
    return ScrapeReport(
        manifest=landed.manifest,
        new_post_count=len(set(landed.manifest.post_ids) - known),
        is_new=landed.is_new,
        follower_count=_followers(answer) if is_profile else None,
    )


def _check_answer(manifest: Manifest, run: ActorRun) -> None:
    where = f"{manifest.account_name} on {manifest.platform.value} (handle {manifest.handle})"
    blocked = not run.items and run.status_message and _BLOCKED.search(run.status_message)
    if blocked:
        raise ScrapeFailedError(
            f"The scrape of {where} was blocked: {run.status_message!r} (run {run.run_id}). "
            "Nothing was stored; try again later."
        )
    if run.items and manifest.rejected_count == len(run.items):
        raise ScrapeFailedError(
            f"The scrape of {where} gave no posts, only rows that cannot be used: "
            f"{_reasons(manifest)} (run {run.run_id}). Nothing was stored; check that the handle "
            "is right and the profile public, then try again."
        )


def _followers(answer: Answer) -> int | None:
    source = SOURCES[answer.platform]
    for row in answer.rows:
        what = classify_row(row, answer.platform, answer.handle, answer.is_any_author)
        if what.kind is ItemKind.PROFILE and isinstance(row, dict):
            return source.follower_count(row)
    return None
