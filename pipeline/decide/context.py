"""The context files: read, kept in step with the state database, reverted.

The state database says what a file should hold, byte for byte, in numbered versions. A version is
committed first and written second, so a process that dies in between leaves a file that is one
version behind and a note that it is; whoever comes next writes it. A file that differs in any
other way was edited by hand: it is taken over as a new version when it is valid and refused,
untouched, when it is not.
"""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from pipeline.accounts import AccountConfig, account_dir
from pipeline.atomic_files import write_atomically
from pipeline.clients.state import StateTransaction, reading_state, state_exists, writing_state
from pipeline.decide.changes import approved_document, edited
from pipeline.decide.context_id import context_id_of
from pipeline.decide.decision import Decision, DecisionKind
from pipeline.decide.schema import (
    PerformanceContext,
    neutral_context,
    parse_context,
    render_context,
)
from pipeline.decide.versions import (
    CONTEXT_FILE,
    HISTORY_FOLDER,
    ContextVersion,
    VersionCause,
    account_lock,
    add_version,
    chosen_version,
    content_of,
    read_file,
    sha256_of,
    versions_of,
    write_out,
)
from pipeline.errors import ContextError, DecisionError
from pipeline.learn.findings import stable_id
from pipeline.learn.operations import parse_operations
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings


class ContextEvent(StrEnum):
    """What was done to bring file and database into step."""

    UNCHANGED = "unchanged"
    CREATED = "created"
    ADOPTED = "adopted"
    RESTORED = "restored"


@dataclass(frozen=True)
class LoadedContext:
    """A context file as it stands."""

    context: PerformanceContext
    raw_bytes: bytes


@dataclass(frozen=True)
class ContextState:
    """An account's context, in step with the state database."""

    account_name: str
    path: Path
    context: PerformanceContext
    document: dict[str, Any]
    """The file's JSON, with keys that the model does not know."""
    raw_bytes: bytes
    context_id: str
    """Hash of the content; a hand-edited file may state an older one."""
    sequence: int
    event: ContextEvent


def context_path(settings: Settings, account_name: str) -> Path:
    """Where an account's context is."""
    return settings.accounts_dir / account_name / CONTEXT_FILE


def read_context(settings: Settings, account_name: str) -> LoadedContext:
    """The context file as it stands, without touching anything.

    Raises:
        ContextError: There is none yet, or it is not valid.
    """
    path = context_path(settings, account_name)
    raw = read_file(path)
    if raw is None:
        raise ContextError(
            f"{path} does not exist yet: `afterpost context check {account_name}` makes it."
        )
    return LoadedContext(parse_context(raw, path)[0], raw)


def ensure_context(settings: Settings, account: AccountConfig, now: datetime) -> ContextState:
    """Make file and state database agree.

    Creates the neutral first file, takes over a valid hand edit without touching its bytes, writes
    what a killed process had committed, and restores a file that was deleted.

    Raises:
        ContextError: The file is not valid, or no plain file; it is left as it is.
    """
    with account_lock(settings, account.name):
        return settle(settings, account, now)


def settle(settings: Settings, account: AccountConfig, now: datetime) -> ContextState:
    """As `ensure_context`, for a caller that holds the account's lock."""
    path = context_path(settings, account.name)
    raw = read_file(path)
    with writing_state(settings) as state:
        if state.latest_context(account.name) is None:
            event = _begin(state, account, raw, path, now)
        else:
            event = _reconcile(state, account.name, raw, path, now)
        latest = state.latest_context(account.name)
        assert latest is not None, "a version was there or was just added"
    if raw is None or sha256_of(raw) != latest["sha256"]:
        write_out(settings, account.name, path)
    if not latest["is_written"]:
        with writing_state(settings) as state:
            state.mark_written(account.name)
    content = bytes(latest["content"])
    context, document = parse_context(content, path)
    return ContextState(
        account_name=account.name,
        path=path,
        context=context,
        document=document,
        raw_bytes=content,
        context_id=latest["context_id"],
        sequence=latest["sequence"],
        event=event,
    )


def _begin(
    state: StateTransaction,
    account: AccountConfig,
    raw: bytes | None,
    path: Path,
    now: datetime,
) -> ContextEvent:
    """The first version: what the file says, or else the neutral context."""
    if raw is not None:
        _adopt(state, account.name, raw, path, now)
        return ContextEvent.ADOPTED
    document = neutral_context(account, now.astimezone(UTC).date())
    add_version(
        state,
        account.name,
        render_context(document),
        context_id=document["context_id"],
        cause=VersionCause.INITIAL,
        now=now,
    )
    return ContextEvent.CREATED


def _reconcile(
    state: StateTransaction, account_name: str, raw: bytes | None, path: Path, now: datetime
) -> ContextEvent:
    """Tell a file that is behind from one that was edited, and take over the edit."""
    latest = state.latest_context(account_name)
    assert latest is not None, "the caller has looked"
    if raw is None:
        return ContextEvent.RESTORED
    if sha256_of(raw) == latest["sha256"]:
        return ContextEvent.UNCHANGED
    if latest["is_written"]:
        _adopt(state, account_name, raw, path, now)
        return ContextEvent.ADOPTED
    before = state.context_version(account_name, latest["sequence"] - 1)
    if before is not None and sha256_of(raw) == before["sha256"]:
        return ContextEvent.RESTORED
    _merge_edit(state, latest, raw, path, now)
    return ContextEvent.ADOPTED


def _adopt(
    state: StateTransaction, account_name: str, raw: bytes, path: Path, now: datetime
) -> dict[str, Any]:
    _, document = parse_context(raw, path)
    add_version(
        state,
        account_name,
        raw,
        context_id=context_id_of(document),
        cause=VersionCause.ADOPTED,
        now=now,
        is_written=True,
    )
    return document


def _merge_edit(
    state: StateTransaction, waiting: dict[str, Any], raw: bytes, path: Path, now: datetime
) -> None:
    """A file was edited between the commit of a version and its write: keep both changes.

    Raises:
        ContextError: The edit is not valid, or the two do not go together.
    """
    account_name = waiting["account_name"]
    hand_edit = _adopt(state, account_name, raw, path, now)
    if waiting["cause"] == VersionCause.INITIAL:
        return
    decision = state.decision(waiting["decision_id"])
    assert decision is not None, "a version that waits to be written came from a decision"
    content, context_id = bytes(waiting["content"]), waiting["context_id"]
    if waiting["cause"] == VersionCause.DECISION:
        row = state.recommendation(decision["recommendation_id"])
        assert row is not None, "the database refers to it"
        try:
            document, _ = approved_document(
                _as_decided(Recommendation.from_row(row), decision),
                hand_edit,
                now=decision["decided_at"],
            )
        except DecisionError as error:
            raise ContextError(
                f"{path} was edited while {decision['recommendation_id']} was being approved, and "
                f"the two do not go together ({error}). Undo the edit, or choose a version with "
                "`afterpost context revert`."
            ) from error
        content, context_id = render_context(document), document["context_id"]
    add_version(
        state,
        account_name,
        content,
        context_id=context_id,
        cause=VersionCause(waiting["cause"]),
        now=now,
        decision_id=waiting["decision_id"],
    )


def _as_decided(recommendation: Recommendation, decision: dict[str, Any]) -> Recommendation:
    stored = decision["operations"]
    return edited(recommendation, None if stored is None else parse_operations(stored))


def history(settings: Settings, account_name: str) -> list[ContextVersion]:
    """All versions of an account's context, oldest first."""
    if not state_exists(settings):
        return []
    with reading_state(settings) as state:
        return versions_of(state, account_name)


def diff(
    settings: Settings, account_name: str, *, old: str | None = None, new: str | None = None
) -> str:
    """What changed between two versions, as a unified diff; empty when nothing did.

    Args:
        settings: Where things are.
        account_name: The account.
        old: Number or id of a version; the one before ``new`` when left out.
        new: Number or id of a version; the newest when left out.

    Raises:
        ContextError: There is no such version.
    """
    versions = history(settings, account_name)
    if not versions:
        return ""
    later = chosen_version(versions, new, account_name) if new else versions[-1]
    earlier = (
        chosen_version(versions, old, account_name) if old else versions[max(0, later.sequence - 2)]
    )
    with reading_state(settings) as state:
        before, after = (
            content_of(state, account_name, version.sequence).decode().splitlines(keepends=True)
            for version in (earlier, later)
        )
    return "".join(
        difflib.unified_diff(
            before,
            after,
            fromfile=f"{earlier.sequence} {earlier.context_id}",
            tofile=f"{later.sequence} {later.context_id}",
        )
    )


def revert(
    settings: Settings,
    account_name: str,
    *,
    by: str,
    now: datetime,
    to: str | None = None,
    note: str | None = None,
) -> Decision:
    """Put an earlier version back, byte for byte, as a new version.

    Without ``to`` that is the version before the present one, so reverting twice brings the change
    back. A file that was broken by hand is set aside in the history and the last good version
    takes its place.

    Args:
        settings: Where things are.
        account_name: The account.
        by: Who decides.
        now: The moment of the decision.
        to: Number or id of the version to go back to.
        note: Why.

    Raises:
        ContextError: There is no such version, or it is the present one.
        UnknownAccountError: No such account.
    """
    account_dir(settings.accounts_dir, account_name)
    path = context_path(settings, account_name)
    with account_lock(settings, account_name):
        raw = read_file(path)
        broken = raw if raw is not None and not _is_valid(raw, path) else None
        with writing_state(settings) as state:
            if broken is None and state.latest_context(account_name) is not None:
                _reconcile(state, account_name, raw, path, now)
            versions = versions_of(state, account_name)
            target = _target(versions, to, account_name, is_broken=broken is not None)
            decision = Decision(
                decision_id=stable_id("dec", account_name, "revert", str(len(versions))),
                recommendation_id=None,
                account_name=account_name,
                decision=DecisionKind.REVERT,
                decided_by=by,
                decided_at=now,
                note=note,
                patch=[],
                context_id_before=versions[-1].context_id,
                context_id_after=target.context_id,
            )
            state.add_decision(decision.to_row())
            add_version(
                state,
                account_name,
                content_of(state, account_name, target.sequence),
                context_id=target.context_id,
                cause=VersionCause.REVERT,
                now=now,
                decision_id=decision.decision_id,
            )
        if broken is not None:
            aside = path.parent / HISTORY_FOLDER / f"broken_{sha256_of(broken)[:12]}.json"
            write_atomically(aside, broken)
        write_out(settings, account_name, path)
        with writing_state(settings) as state:
            state.mark_written(account_name)
    return decision


def _is_valid(raw: bytes, path: Path) -> bool:
    try:
        parse_context(raw, path)
    except ContextError:
        return False
    return True


def _target(
    versions: list[ContextVersion], to: str | None, account_name: str, *, is_broken: bool
) -> ContextVersion:
    """The version to go back to.

    Raises:
        ContextError: There is none, or the file holds it already.
    """
    if to is not None:
        target = chosen_version(versions, to, account_name)
    elif is_broken and versions:
        target = versions[-1]
    elif len(versions) > 1:
        target = versions[-2]
    else:
        raise ContextError(
            f"The context of {account_name} has no former version to go back to: nothing was "
            "changed."
        )
    if target.sha256 == versions[-1].sha256 and not is_broken:
        raise ContextError(
            f"The context of {account_name} is {target.context_id} already: nothing was changed."
        )
    return target
