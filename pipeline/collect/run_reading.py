"""Reading what a run said: told apart by its status, its rows, and what was known before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.collect.landing import Manifest, SourceKind
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import PlatformSource
from pipeline.collect.platform_rows import (
    dig,
    error_reason,
    handle_of,
    is_yes,
    one_line,
    outcome_in,
    outcome_of_errors,
)

_MESSAGE_SIGNS = (
    (r"\b0 succeeded\b.*\b[1-9][0-9]* failed\b", RunOutcome.THROTTLED),
    (r"\b(?:blocked|rate.?limit(?:ed)?|too many requests|captcha)\b", RunOutcome.THROTTLED),
)
_ROW_SIGNS = (
    (r"no results", RunOutcome.BLOCKED_BY_PLAN),
    (r"rate.?limit|throttl|too many|blocked|captcha|login required|\b429\b", RunOutcome.THROTTLED),
    (r"private", RunOutcome.PRIVATE),
    (r"not.?found|(?:does|do) ?n[o']t exist|not exist|no such|\b404\b", RunOutcome.NOT_FOUND),
    (r"profile.?empty|no (?:posts|videos|tweets|items)", RunOutcome.EMPTY),
)
"""For platforms whose own signs say nothing; the first that fits counts."""
_OWNERS = (
    (("authorMeta", "id"), ("authorMeta", "name")),
    (("ownerId",), ("ownerUsername",)),
    (("author", "id"), ("author", "userName")),
    (("author", "id"), ("author", "publicIdentifier")),
    (("channelId",), ("channelUsername",)),
    (("userId",), ("username",)),
    (("id",), ("username",)),
)
"""Where the sources' rows keep the owner's id and handle."""


@dataclass(frozen=True)
class History:
    """What earlier answers told about the profile."""

    post_ids: frozenset[str]
    """Own posts of answers that baselines may rely on, and of imports."""
    owner_ids: frozenset[str]


@dataclass(frozen=True)
class Reading:
    """What a run said, and what is to be done with its rows."""

    outcome: RunOutcome
    words: str
    """The platform's words, or ours where it had none."""
    lands: bool
    """Whether the rows are an observation that is kept."""
    new_handle: str | None = None
    """Where the profile has gone, for `RunOutcome.RENAMED`."""


def history_of(manifests: Iterable[Manifest]) -> History:
    """What landed answers of one profile are to the next."""
    post_ids: set[str] = set()
    owner_ids: set[str] = set()
    for manifest in manifests:
        owner_ids.update(manifest.owner_ids)
        if manifest.run_outcome is None or manifest.run_outcome.moves_baselines:
            post_ids.update(manifest.post_ids)
    return History(frozenset(post_ids), frozenset(owner_ids))


def read_run(
    source: PlatformSource,
    manifest: Manifest,
    rows: Sequence[object],
    history: History,
    *,
    is_drifted: bool,
) -> Reading:
    """Tell what a finished run said.

    Args:
        source: The platform's own reading of its signs.
        manifest: The weighed answer, with the run's status and words.
        rows: The answer's rows.
        history: What is known from earlier answers.
        is_drifted: The rows do not keep the source's contract.
    """
    told = manifest.status_message
    succeeded = manifest.run_status in (None, "SUCCEEDED")
    sign = source.outcome_of(rows, manifest.handle, told) or _generic_sign(rows, told)
    words = told or ", ".join(manifest.rejected_reasons) or "no message"
    if not rows:
        outcome = (sign or RunOutcome.EMPTY) if succeeded else RunOutcome.FAILED
        is_empty = outcome is RunOutcome.EMPTY
        return Reading(outcome, "no rows" if is_empty else words, lands=is_empty)
    if is_drifted:
        return Reading(RunOutcome.SCHEMA_DRIFT, words, lands=True)
    if not (manifest.post_count or manifest.profile_count):
        return _read_without_own(manifest, rows, history, sign, is_success=succeeded)
    reasons = ", ".join(manifest.rejected_reasons)
    if manifest.outcome == "partial" or outcome_in(reasons, _ROW_SIGNS) is RunOutcome.THROTTLED:
        return Reading(RunOutcome.PARTIAL, words, lands=True)
    if manifest.profile_count and sign is RunOutcome.PRIVATE:
        return Reading(RunOutcome.PRIVATE, "the profile says that it is private", lands=True)
    is_new = bool(new_posts(manifest, rows, history))
    return Reading(
        RunOutcome.NEW_POSTS if is_new else RunOutcome.NO_NEW_POSTS, told or "", lands=True
    )


def _read_without_own(
    manifest: Manifest,
    rows: Sequence[object],
    history: History,
    sign: RunOutcome | None,
    *,
    is_success: bool,
) -> Reading:
    """Rows, but none of the profile's own: errors, or other people's posts."""
    reasons = ", ".join(manifest.rejected_reasons)
    for owner_id, handle in _owners(rows):
        is_moved = owner_id in history.owner_ids and handle != handle_of(manifest.handle)
        if handle and is_moved:
            is_kept = manifest.foreign_post_count > 0
            words = f"its owner goes by {handle} now"
            return Reading(RunOutcome.RENAMED, words, lands=is_kept, new_handle=handle)
    if manifest.rejected_count == len(rows):
        words = reasons if is_success else f"{manifest.status_message or 'no message'}; {reasons}"
        # Looking for a post by its address and not finding it is what such a look is for.
        is_a_find = manifest.source_kind is SourceKind.DIRECT and sign in (
            RunOutcome.NOT_FOUND,
            RunOutcome.PRIVATE,
            RunOutcome.EMPTY,
        )
        return Reading(sign or RunOutcome.FAILED, words, lands=is_a_find and is_success)
    outcome = RunOutcome.PARTIAL if manifest.outcome == "partial" else RunOutcome.EMPTY
    return Reading(outcome, "only posts of other authors", lands=True)


def _generic_sign(rows: Sequence[object], message: str | None) -> RunOutcome | None:
    if not rows:
        return outcome_in(message, _MESSAGE_SIGNS)
    return outcome_of_errors(rows, _ROW_SIGNS)


def new_posts(manifest: Manifest, rows: Sequence[object], history: History) -> frozenset[str]:
    """Own posts that no earlier answer held.

    Pinned posts are not new: they stand first in the listing whatever their age.
    """
    unknown = set(manifest.post_ids) - history.post_ids
    if not unknown:
        return frozenset()
    pinned = {
        str(row.get("id")) for row in rows if isinstance(row, dict) and is_yes(row.get("isPinned"))
    }
    return frozenset(unknown - pinned)


def owner_ids(rows: Sequence[object], handle: str | None) -> tuple[str, ...]:
    """Ids of the owner who goes by ``handle`` in the rows, sorted."""
    own = handle_of(handle)
    return tuple(sorted({found for found, name in _owners(rows) if own and name == own}))


def _owners(rows: Sequence[object]) -> Iterator[tuple[str, str | None]]:
    """Owner id and handle of each row that has both and is no error row."""
    for row in rows:
        if not isinstance(row, dict) or error_reason(row):
            continue
        for id_path, handle_path in _OWNERS:
            owner_id, handle = dig(row, *id_path), handle_of(dig(row, *handle_path))
            if handle and isinstance(owner_id, str) and owner_id.strip():
                yield one_line(owner_id), handle
                break
