"""Which posts of an experiment count, and what is wrong with it, a sentence each.

Two kinds of trouble. What touches single posts is set aside and told: the experiment goes on with
the others, unless more than :data:`MOST_SET_ASIDE` of the posts are touched. What makes the arms
differ in something else than what was drawn cannot be repaired afterwards, and the experiment is
invalid: more posts in one arm, other times of day or weekdays, drafts of one arm that were not
posted, values that are missing in one arm.

The second kind is looked at every hour, so its tests are always valid: where chance alone decides
which arm a post is of, the likelihood ratio of "some other split" (a Dirichlet distribution)
against the declared one is a non-negative martingale, in every stratum and so is their product; it
exceeds 1/p with a chance of at most p, however often one looks (Ville, 1939; Lindon and Malek,
2022, "Anytime-valid inference for multinomial count data"). Drawing in blocks makes arms more alike
than that, so the tests are careful. Once the planned number is posted, the split is tested by
chi-square too, that one time.
"""

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pipeline.learn.experiments.checks import MISMATCH, sample_ratio_p
from pipeline.learn.experiments.registration import METRICS, Metric, Registration
from pipeline.learn.experiments.units import Post, metrics_of

MOST_SET_ASIDE = 0.05
"""Share of the posts that one kind of trouble may set aside; a single post always may be."""

NEVER_POSTED_AFTER = timedelta(days=14)
"""A draft that is not posted so long after it was drawn is taken to be dropped."""

NEVER_MEASURED_AFTER = timedelta(days=7)
"""A value that is not there so long after its age was reached is taken to be missing."""

_FEWEST_MEASURED = 5
"""Posts that must be old enough before a metric without any value is said to be unpublished."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_Row = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """A post that counts, and the arm that was drawn for it."""

    post: Post
    arm: str


@dataclass(frozen=True)
class Aside:
    """Posts that one kind of trouble sets aside."""

    post_ids: tuple[str, ...]
    what: str
    """What is wrong with them, after their number."""


@dataclass(frozen=True)
class Counted:
    """What there is to read."""

    units: tuple[Unit, ...]
    """The oldest first."""
    aside: tuple[Aside, ...]
    post_count: int
    """All posts with the experiment's stamp."""
    posted: frozenset[str]
    """Assignments that were posted, whether or not their posts count."""
    seen_until: datetime | None
    """Newest snapshot of any of the posts, and no later than the moment of the reading: what is not
    there after a pause of the scrapes or builds is not missing yet. None without posts."""


def count(
    registration: Registration,
    assignments: Sequence[_Row],
    posts: Sequence[Post],
    until: datetime,
) -> Counted:
    """Each assignment once and each subject once, the first post of it.

    Args:
        registration: The experiment.
        assignments: Its rows of ``experiment_assignments``.
        posts: All that carry its stamp, the oldest first.
        until: Later posts do not exist yet.
    """
    arms = {arm.name for arm in registration.arms}
    drawn = {row["assignment_id"]: row for row in assignments if row["arm"] in arms}
    drawn_twice = _drawn_twice(assignments)
    units: list[Unit] = []
    aside: dict[str, list[str]] = {}
    seen: set[str] = set()
    subjects: set[str] = set()
    came = [post for post in posts if post.posted_at <= until]
    for post in came:
        row = drawn.get(post.assignment_id or "")
        subject = _plain(row["subject"]) if row is not None else None
        trouble = _trouble(post, row)
        if row is not None and trouble is None:
            if row["assignment_id"] in seen:
                trouble = "an assignment that another post has already (a unit counts once)"
            elif row["assignment_id"] in drawn_twice:
                trouble = "a draft that stands for two assignments (a unit counts once)"
            elif subject is not None and subject in subjects:
                trouble = "a subject that the audience had seen already"
        if row is not None:
            seen.add(row["assignment_id"])
        if subject is not None:
            subjects.add(subject)
        if trouble is not None:
            aside.setdefault(trouble, []).append(post.post_id)
        elif row is not None:
            units.append(Unit(post, row["arm"]))
    told = tuple(Aside(tuple(ids), what) for what, ids in aside.items())
    newest = max((post.last_seen_at for post in came), default=None)
    seen_until = None if newest is None else min(newest, until)
    return Counted(tuple(units), told, len(came), frozenset(seen), seen_until)


def _trouble(post: Post, row: _Row | None) -> str | None:
    """Why a post does not count, whatever other posts there are."""
    if row is None:
        return "an assignment that was never made"
    if post.arm != row["arm"]:
        return "another arm than was drawn"
    return "reach that was paid for" if post.is_paid else None


def faults(registration: Registration, assignments: Sequence[_Row], counted: Counted) -> list[str]:
    """What makes the experiment invalid.

    Args:
        registration: The experiment.
        assignments: Its rows of ``experiment_assignments``, no later ones than :func:`count` had.
        counted: What :func:`count` gives.
    """
    tolerated = max(1.0, MOST_SET_ASIDE * counted.post_count)
    told = [
        f"{_posts(len(group.post_ids))} of {counted.post_count} {_have(group.post_ids)} "
        f"{group.what}; more than {MOST_SET_ASIDE:.0%} cannot be left out."
        for group in counted.aside
        if len(group.post_ids) > tolerated
    ]
    told += _wrong_split(registration, counted.units)
    if not told:  # unequal arms are at unequal times, which is no second fault
        told += _wrong_times(registration, counted.units)
    told += _dropped_drafts(registration, assignments, counted)
    told += _missing_values(registration, counted)
    return told


def notes(
    registration: Registration, assignments: Sequence[_Row], counted: Counted, now: datetime
) -> list[str]:
    """What a reader should know and what does not make it invalid; ``now`` as for `count`."""
    told = [
        f"{_posts(len(group.post_ids))} {_have(group.post_ids)} {group.what} and "
        f"{_do(group.post_ids)} not count."
        for group in counted.aside
    ]
    metric = METRICS[registration.metric]
    young = [unit for unit in counted.units if unit.post.known_at(metric) > now]
    if young:
        told.append(f"{_posts(len(young))} {_are(young)} not yet {metric.age_hours:.0f} hours old.")
    for one in metrics_of(registration):
        without = [unit for unit in counted.units if _has_no_value(unit, one.name, now)]
        gone = [unit for unit in without if _is_over(unit, one, counted)]
        waiting = len(without) - len(gone)
        if waiting:
            told.append(
                f"{_posts(waiting)} {'is' if waiting == 1 else 'are'} old enough and not measured "
                f"yet ({one.label})."
            )
        if gone:
            told.append(f"{_posts(len(gone))} will never have {one.label}: not seen in time.")
    dropped = _dropped(assignments, counted)
    if dropped:
        told.append(
            f"{_drafts(len(dropped))} drawn more than {NEVER_POSTED_AFTER.days} days ago "
            f"{'was' if len(dropped) == 1 else 'were'} never posted."
        )
    told += _small_arms(registration, counted, now)
    told += _made_otherwise(registration, counted)
    return told


def _drawn_twice(assignments: Sequence[_Row]) -> set[str]:
    """Assignments whose draft stands for an earlier one too."""
    seen: set[str] = set()
    twice = set()
    for row in assignments:
        draw = row.get("draw_id")
        if draw is None:
            continue
        if draw in seen:
            twice.add(row["assignment_id"])
        seen.add(draw)
    return twice


def _plain(subject: str | None) -> str | None:
    return " ".join(subject.casefold().split()) or None if subject is not None else None


def _wrong_split(registration: Registration, units: Sequence[Unit]) -> list[str]:
    names = [arm.name for arm in registration.arms]
    arms = [unit.arm for unit in units]
    p_value = split_p(arms, [""] * len(arms), names)
    planned = registration.planned_per_arm * len(names)
    if len(arms) >= planned:
        first = Counter(arms[:planned])
        p_value = min(p_value, sample_ratio_p([first[name] for name in names]))
    if p_value >= MISMATCH:
        return []
    sizes = Counter(arms)
    shown = ", ".join(f"{sizes[name]} of {name}" for name in names)
    told = f"The arms were drawn equally often and not posted so: {shown} "
    told += f"(sample-ratio p = {p_value:.2g}). Something decides which posts appear, "
    return [f"{told}so their means do not compare."]


def _wrong_times(registration: Registration, units: Sequence[Unit]) -> list[str]:
    names = [arm.name for arm in registration.arms]
    arms = [unit.arm for unit in units]
    told = []
    is_about_time = any("daypart" in arm.choices for arm in registration.arms)
    if not is_about_time:
        dayparts = [unit.post.daypart for unit in units]
        p_value = split_p(arms, dayparts, names)
        if p_value < MISMATCH:
            told.append(
                f"The arms were posted at different times of day ({_mostly(arms, dayparts, names)};"
                f" p = {p_value:.2g}), so an effect of the hour looks like one of the arm."
            )
    weekdays = [_WEEKDAYS[unit.post.weekday - 1] for unit in units]
    p_value = split_p(arms, weekdays, names)
    if p_value < MISMATCH:
        told.append(
            f"The arms were posted on different weekdays ({_mostly(arms, weekdays, names)}; p = "
            f"{p_value:.2g}), so an effect of the day looks like one of the arm."
        )
    return told


def _is_over(unit: Unit, metric: Metric, counted: Counted) -> bool:
    """Whether a value that is not there will never be."""
    seen = counted.seen_until
    return seen is not None and seen - unit.post.known_at(metric) > NEVER_MEASURED_AFTER


def _dropped(assignments: Sequence[_Row], counted: Counted) -> list[_Row]:
    return [
        row
        for row in assignments
        if counted.seen_until is not None
        and counted.seen_until - row["assigned_at"] > NEVER_POSTED_AFTER
        and row["assignment_id"] not in counted.posted
    ]


def _dropped_drafts(
    registration: Registration, assignments: Sequence[_Row], counted: Counted
) -> list[str]:
    dropped = [row["arm"] for row in _dropped(assignments, counted)]
    return _uneven(
        registration, dropped, "Drafts of one arm were dropped more often than of another"
    )


def _missing_values(registration: Registration, counted: Counted) -> list[str]:
    told = []
    for metric in metrics_of(registration):
        old = [unit for unit in counted.units if _is_over(unit, metric, counted)]
        without = [unit.arm for unit in old if metric.name not in unit.post.outcomes]
        if len(without) == len(old) >= _FEWEST_MEASURED:
            told.append(
                f"None of {len(old)} posts that are old enough has {metric.label}: "
                f"{registration.platform} does not publish it for them."
            )
        else:
            told += _uneven(
                registration, without, f"Values of {metric.label} are missing in one arm more often"
            )
    return told


def _uneven(registration: Registration, arms: Sequence[str], what: str) -> list[str]:
    names = [arm.name for arm in registration.arms]
    p_value = split_p(arms, [""] * len(arms), names)
    if p_value >= MISMATCH:
        return []
    sizes = Counter(arms)
    shown = ", ".join(f"{sizes[name]} of {name}" for name in names)
    return [f"{what}: {shown} (p = {p_value:.2g}). What is left of the arms does not compare."]


def _has_no_value(unit: Unit, metric: str, now: datetime) -> bool:
    return unit.post.known_at(METRICS[metric]) <= now and metric not in unit.post.outcomes


def _small_arms(registration: Registration, counted: Counted, now: datetime) -> list[str]:
    metric = METRICS[registration.metric]
    known = Counter(
        unit.arm
        for unit in counted.units
        if unit.post.known_at(metric) <= now and metric.name in unit.post.outcomes
    )
    told = []
    for arm in registration.arms:
        if counted.units and known[arm.name] == 0:
            told.append(f"{arm.name} has no post that counts yet.")
        elif known[arm.name] == 1:
            told.append(f"{arm.name} has one post that counts: one post concludes nothing.")
    return told


def _made_otherwise(registration: Registration, counted: Counted) -> list[str]:
    """Posts whose labels are not what the arm chose; they count as drawn."""
    told = []
    for arm in registration.arms:
        for dimension, segment in arm.choices.items():
            other = [
                unit
                for unit in counted.units
                if unit.arm == arm.name
                and unit.post.labels.get(dimension, segment).casefold() != segment.casefold()
            ]
            if other:
                told.append(
                    f"{_posts(len(other))} of {arm.name} {_are(other)} not {segment} ({dimension})"
                    " as was drawn. They count as drawn, which makes an effect look smaller."
                )
    return told


def split_p(arms: Sequence[str], strata: Sequence[Hashable], names: Sequence[str]) -> float:
    """How well arms that come one by one fit equal shares in every stratum; always valid.

    Args:
        arms: The arm of each, in the order they came.
        strata: The stratum of each.
        names: All arms.

    Returns:
        The smallest p-value of all looks so far.
    """
    came: dict[Hashable, Counter[str]] = {}
    evidence = most = 0.0
    for arm, stratum in zip(arms, strata, strict=True):
        so_far = came.setdefault(stratum, Counter())
        # Predicted by a uniform Dirichlet, against an equal share.
        predicted = (1 + so_far[arm]) / (len(names) + so_far.total())
        evidence += math.log(predicted * len(names))
        so_far[arm] += 1
        most = max(most, evidence)
    return math.exp(-most)


def _mostly(arms: Iterable[str], strata: Iterable[str], names: Sequence[str]) -> str:
    pairs = Counter(zip(arms, strata, strict=True))
    told = []
    for name in names:
        own = Counter({stratum: n for (arm, stratum), n in pairs.items() if arm == name})
        if own:
            stratum, n = own.most_common(1)[0]
            told.append(f"{name}: {n} of {own.total()} {stratum}")
    return ", ".join(told)


def _posts(n: int) -> str:
    return f"{n} post" if n == 1 else f"{n} posts"


def _drafts(n: int) -> str:
    return f"{n} draft" if n == 1 else f"{n} drafts"


def _have(group: Sequence[object]) -> str:
    return "has" if len(group) == 1 else "have"


def _are(group: Sequence[object]) -> str:
    return "is" if len(group) == 1 else "are"


def _do(group: Sequence[object]) -> str:
    return "does" if len(group) == 1 else "do"
