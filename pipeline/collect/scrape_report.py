"""What a scrape brought or could not bring, in sentences."""

from dataclasses import dataclass, field

from pipeline.collect.drift import Drift
from pipeline.collect.landing import Manifest, Outcome, SourceKind
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.run_reading import Reading
from pipeline.errors import RepeatPointlessError, ScrapeFailedError


@dataclass(frozen=True)
class ScrapeReport:
    """What one scrape brought."""

    manifest: Manifest
    new_post_count: int
    """Own posts that no earlier answer held; 0 where the run is nothing to rely on."""
    is_new: bool
    follower_count: int | None = None
    """Of the scraped profile, for scrapes of profiles."""
    outcome: RunOutcome = RunOutcome.NO_NEW_POSTS
    drift: Drift = field(default_factory=Drift)
    """How the rows differ from the source's contract."""
    is_drift_new: bool = False
    """No earlier answer differed in the same way: worth a warning, once."""

    @property
    def needs_attention(self) -> bool:
        """Whether what was asked for is not there, although something landed."""
        return self.outcome is RunOutcome.SCHEMA_DRIFT

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
        elif manifest.source_kind is SourceKind.DIRECT:
            text = f"Looked {manifest.items_asked} posts of {where} up, found {_posts(manifest)}"
        else:
            count = len(manifest.post_ids)
            text = (
                f"Scraped {count} {'post' if count == 1 else 'posts'} for {where}, "
                f"{self.new_post_count} new"
            )
        notes = self._notes()
        return f"{text} ({'; '.join(notes)})" if notes else text

    def _notes(self) -> list[str]:
        manifest = self.manifest
        notes = []
        if manifest.foreign_post_count:
            notes.append(f"{manifest.foreign_post_count} of other authors")
        if manifest.rejected_count:
            notes.append(f"{manifest.rejected_count} rejected: {_reasons(manifest)}")
        if self.outcome is RunOutcome.SCHEMA_DRIFT:
            notes.append(f"kept, but not loaded, for the source has changed: {self.drift.sentence}")
        elif self.is_drift_new and self.drift.unknown_keys:
            notes.append(f"new in the source: {', '.join(self.drift.unknown_keys)}")
        if manifest.outcome is Outcome.EMPTY:
            notes.append("the profile has no posts to show")
        elif self.outcome is RunOutcome.PARTIAL:
            notes.append(_why_incomplete(manifest))
        elif self.outcome is RunOutcome.PRIVATE:
            notes.append("the profile is private")
        return notes


def _posts(manifest: Manifest) -> str:
    return f"{len(manifest.post_ids)}" if manifest.post_ids else "none"


def _reasons(manifest: Manifest) -> str:
    return ", ".join(manifest.rejected_reasons)


def _why_incomplete(manifest: Manifest) -> str:
    if manifest.run_status not in (None, "SUCCEEDED"):
        return f"incomplete: the run ended as {manifest.run_status}: {_words(manifest)}"
    if manifest.rejected_count:
        return "incomplete: the platform held rows back"
    return "incomplete: Apify holds more rows than it gave"


def _words(manifest: Manifest) -> str:
    return manifest.status_message or "no message"


def failure_of(manifest: Manifest, reading: Reading) -> ScrapeFailedError | None:
    """The error that a run's answer amounts to; None when it is an answer."""
    error = _failure_of(manifest, reading)
    if error is not None:
        error.outcome = reading.outcome.value
    return error


def _failure_of(manifest: Manifest, reading: Reading) -> ScrapeFailedError | None:
    where = f"{manifest.account_name} on {manifest.platform.value} (handle {manifest.handle})"
    run = f"run {manifest.run_id}"
    if reading.outcome is RunOutcome.RENAMED:
        return RepeatPointlessError(
            f"The profile of {where} goes by {reading.new_handle!r} now, by the owner's id "
            f"({run}). Its history stays; write the new handle into account.yaml."
        )
    if reading.lands:
        return None
    pointless = {
        RunOutcome.PRIVATE: (
            f"The profile of {where} is private or shows nothing: {reading.words} ({run}). Its "
            "history stays; make the profile public, or remove it from account.yaml."
        ),
        RunOutcome.NOT_FOUND: (
            f"There is no profile of {where}: {reading.words} ({run}). Its history stays; check "
            "the handle in account.yaml."
        ),
        RunOutcome.EMPTY: (
            f"The profile of {where} shows no posts: {reading.words} ({run}). Its history stays; "
            "look at the profile in a browser."
        ),
        RunOutcome.BLOCKED_BY_PLAN: (
            f"The plan at Apify does not cover {manifest.actor_id}, which gave no posts of {where} "
            f"but {reading.words} ({run}). Nothing was stored; change the plan, or remove the "
            "profile from account.yaml."
        ),
    }.get(reading.outcome)
    if pointless:
        return RepeatPointlessError(pointless)
    return ScrapeFailedError(_failure(manifest, reading, where))


def _failure(manifest: Manifest, reading: Reading, where: str) -> str:
    run = f"run {manifest.run_id}"
    if manifest.run_status not in (None, "SUCCEEDED"):
        return (
            f"The {run} of {manifest.actor_id} for {where} ended as {manifest.run_status}: "
            f"{reading.words}. Nothing was stored; see the run's log at Apify, then try again."
        )
    if reading.outcome is RunOutcome.THROTTLED:
        return (
            f"The scrape of {where} was blocked: {reading.words} ({run}). Nothing was stored; try "
            "again later."
        )
    return (
        f"The scrape of {where} gave no posts, only rows that cannot be used: {reading.words} "
        f"({run}). Nothing was stored; check that the handle is right and the profile public, "
        "then try again."
    )
