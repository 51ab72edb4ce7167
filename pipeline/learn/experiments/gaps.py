"""Experiments that are worth proposing: what an account lists and has hardly tried.

The exploration mart says which listed formats, pillars and calls to action were never, hardly or
not lately used. Each is put against what the account uses most in the same place. A person approves
or rejects.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from filelock import FileLock

from pipeline.accounts import load_account
from pipeline.clients.state import reading_state, state_exists
from pipeline.clients.state_experiments import Row, experiment_rows
from pipeline.clients.warehouse import reading
from pipeline.learn.experiments.designs import PlanRequest
from pipeline.learn.experiments.planning_for_account import Planned, plan_experiment, register
from pipeline.learn.experiments.registering import RefusedDesignError
from pipeline.learn.experiments.registration import (
    ACTIVE,
    ArmDesign,
    ChangedRegistrationError,
    Origin,
    Registration,
    Status,
    load,
)
from pipeline.learn.operations import SEGMENT_PATTERN
from pipeline.learn.recommend.recommendation import Category
from pipeline.learn.recommend.taken import REJECTION_HOLDS_FOR
from pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

MOST_WAITING = 2
"""Proposals of an account that wait at a time: each is to be thought about."""

MOST_WEEKS = 26.0
"""A longer experiment is nothing to propose."""

SMALLEST_USEFUL_RATIO = 1.3
"""What an untried segment has to promise: smaller effects take most accounts half a year."""

RESTS = timedelta(weeks=26)
"""What was tried is not proposed again before."""

METRICS = ("views_72h", "engagement_72h")
"""The first that the platform publishes is compared."""

_GAPS_SQL = """
with usual as (
    select platform, dimension, segment
    from marts.mart_exploration
    where account_name = $account_name and recent_post_count > 0
    qualify row_number() over (
        partition by platform, dimension
        order by recent_post_count desc, post_count desc, segment
    ) = 1
)
select gaps.platform, gaps.dimension, gaps.segment, gaps.status, gaps.post_count,
    gaps.days_since_used, usual.segment as usual_segment
from marts.mart_exploration as gaps
inner join usual
    on gaps.platform = usual.platform and gaps.dimension = usual.dimension
        and gaps.segment <> usual.segment
where gaps.account_name = $account_name and gaps.is_listed
    and gaps.status in ('untested', 'rarely_used', 'long_unused')
    and regexp_full_match(gaps.segment, $pattern)
order by case gaps.dimension when 'format' then 0 when 'pillar' then 1 else 2 end,
    case gaps.status when 'untested' then 0 when 'rarely_used' then 1 else 2 end,
    gaps.labelled_post_count desc, gaps.platform, gaps.segment
"""

_WORDS = {"format": "format", "pillar": "pillar", "cta": "call to action"}


@dataclass(frozen=True)
class Gap:
    """A listed segment that an account hardly knows, and what it uses most instead."""

    platform: str
    dimension: str
    segment: str
    usual_segment: str
    status: str
    post_count: int
    days_since_used: int | None

    @property
    def question(self) -> str:
        """What an experiment would answer, and why it is asked."""
        posts = f"{self.post_count} post" + "s" * (self.post_count != 1)
        why = {
            "untested": "it is listed and was never used",
            "rarely_used": f"it has {posts} so far",
            "long_unused": f"it was last used {self.days_since_used} days before the newest post",
        }[self.status]
        return (
            f"Does the {_WORDS[self.dimension]} {self.segment} do better than "
            f"{self.usual_segment}? ({why})"
        )


def propose(settings: Settings, account_name: str, now: datetime) -> list[tuple[Registration, str]]:
    """Propose experiments of an account, as many as there is room for.

    What waits, runs, was tried within half a year or refused within eight weeks is left alone. Two
    processes at once propose each of them once.

    Args:
        settings: Where everything is.
        account_name: The account.
        now: The moment, with its zone.

    Returns:
        What was proposed, each with the plan in a sentence.

    Raises:
        UnknownAccountError: There is no such account.
        NothingPublishedError: Nothing has been built yet.
    """
    folder = settings.warehouse_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "experiment_proposals.lock", timeout=settings.lock_timeout_s):
        former = experiment_rows(settings, accounts=[account_name])
        waiting = [row for row in former if row["status"] == Status.PROPOSED]
        room = MOST_WAITING - len(waiting)
        if room <= 0:
            return []
        load_account(settings.accounts_dir, account_name)
        with reading(settings) as connection:
            found = find_gaps(connection, account_name)
        held = _held(settings, account_name, former, now)
        busy = {(row["platform"], dimension) for row in former for dimension in _fixed(row)}
        made: list[tuple[Registration, str]] = []
        for gap in found:
            if len(made) == room:
                break
            place = (gap.platform, gap.dimension)
            if place in busy or held & {(*place, gap.segment), ("*", gap.dimension, gap.segment)}:
                continue
            planned = _plan(settings, account_name, gap, now)
            if planned is None:
                continue
            registration = register(settings, planned, by="afterpost", now=now)
            made.append((registration, " ".join((gap.question, *planned.sentences))))
            busy.add(place)  # one at a time of a kind: two would have to wait for each other
        return made


def find_gaps(connection: "duckdb.DuckDBPyConnection", account_name: str) -> list[Gap]:
    """What an account lists and hardly uses, the most worth a try first.

    Args:
        connection: A published copy, or any database with ``marts.mart_exploration``.
        account_name: The account.
    """
    cursor = connection.execute(
        _GAPS_SQL, {"account_name": account_name, "pattern": SEGMENT_PATTERN}
    )
    names = [column[0] for column in cursor.description]
    return [Gap(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def _plan(settings: Settings, account_name: str, gap: Gap, now: datetime) -> Planned | None:
    """A plan that is short enough; None where there is none."""
    for metric in METRICS:
        request = PlanRequest(
            account_name=account_name,
            question=gap.question,
            arms=(
                ArmDesign(gap.usual_segment, {gap.dimension: gap.usual_segment}),
                ArmDesign(gap.segment, {gap.dimension: gap.segment}),
            ),
            metric=metric,
            smallest_useful_ratio=SMALLEST_USEFUL_RATIO,
            platform=gap.platform,
            origin=Origin.GAP,
        )
        try:
            planned = plan_experiment(settings, request, now=now)
        except RefusedDesignError:
            continue
        if planned.plan.weeks is not None and planned.plan.weeks <= MOST_WEEKS:
            return planned
        return None
    return None


def _held(
    settings: Settings, account_name: str, former: Sequence[Row], now: datetime
) -> set[tuple[str, str, str]]:
    """Platform, dimension and segment of what is not proposed now; "*" for every platform."""
    held = {("*", "format", name) for name in _refused_formats(settings, account_name, now)}
    for row in former:
        is_refused = row["status"] == Status.REJECTED
        since = (row["decided_at"] if is_refused else row["concluded_at"]) or now
        if now - since < (REJECTION_HOLDS_FOR if is_refused else RESTS):
            held |= {(row["platform"], *pair) for pair in _segments(row)}
    return held


def _refused_formats(settings: Settings, account_name: str, now: datetime) -> Iterator[str]:
    """Formats whose suggestion for a try was refused lately."""
    if not state_exists(settings):
        return
    with reading_state(settings) as state:
        rows = state.recommendations(account_name, status="rejected")
    for row in rows:
        kind, _, segment = row["target"].partition(":")
        is_try = row["category"] == Category.FORMAT_EXPERIMENT and kind == "format"
        if is_try and now - (row["decided_at"] or now) < REJECTION_HOLDS_FOR:
            yield segment


def _segments(row: Row) -> Iterator[tuple[str, str]]:
    """What the tried arms of an experiment fix; nothing of one that was changed."""
    try:
        _, *tried = load(row).arms
    except ChangedRegistrationError:
        return
    for arm in tried:
        yield from arm.choices.items()


def _fixed(row: Row) -> frozenset[str]:
    """Dimensions that an experiment holds: one that waits, or that draws belong to."""
    if row["status"] not in (Status.PROPOSED, *ACTIVE):
        return frozenset()
    return frozenset(dimension for dimension, _ in _segments(row))
