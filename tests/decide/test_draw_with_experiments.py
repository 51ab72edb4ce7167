"""What a draw makes of running experiments, from data alone: choices, shares and probabilities."""

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from pipeline.decide.briefs import Arm, Assignment, Brief, Experiment
from pipeline.decide.draw import draw, joining
from pipeline.decide.draw_sources import Sources
from pipeline.decide.experiment_arms import next_arm
from pipeline.decide.experiment_mixture import shares_of
from pipeline.errors import UsageError
from tests.decide.test_draw import CONTEXT, FORMATS, KNOWN, PREVIOUS

FORMAT = Experiment(
    "exp_format",
    "tiktok",
    (
        Arm("usual"),
        Arm("tried", {"format": "habit_list", "daypart": "late"}, "Say <b>it</b> twice"),
    ),
    0.4,
)
SLIDES = Experiment(
    "exp_slides",
    "instagram",
    tuple(
        Arm(f"{count} slides", {"slide_count": str(count), "cta": "comment"}) for count in (4, 6, 9)
    ),
    0.3,
)
BOTH = (FORMAT, SLIDES)
SOURCES = Sources(CONTEXT, KNOWN, PREVIOUS)


def assigned(n: int, seed: int, experiments: tuple[Experiment, ...] = BOTH) -> list[Brief]:
    """Briefs of draws whose arms come in blocks, as the state database would keep them."""
    dealt: dict[str, list[tuple[str, str]]] = defaultdict(list)
    assignments = {}
    for number, one in enumerate(joining(SOURCES, n=n, seed=seed, experiments=experiments)):
        (experiment,) = (e for e in experiments if e.experiment_id == one.experiment_id)
        earlier = dealt[one.experiment_id]
        stratum = f"{number % 7}/{one.daypart}"
        position = sum(their == stratum for their, _ in earlier)
        names = [arm.name for arm in experiment.arms]
        arm = next_arm(names, seed, stratum, position, earlier)
        earlier.append((stratum, arm))
        assignments[one.draw_id] = Assignment(f"asg_{number}", one.experiment_id, arm)
    return draw(
        CONTEXT, KNOWN, previous=PREVIOUS, n=n, seed=seed,
        experiments=experiments, assignments=assignments,
    )  # fmt: skip


@pytest.fixture(scope="module")
def briefs() -> list[Brief]:
    """Many series of draws, so that every arm's luck evens out."""
    return [brief for seed in range(200) for brief in assigned(100, seed)]


def test_draws_join_as_often_as_the_experiments_shares_say(briefs: list[Brief]):
    joined = Counter(b.assignment.experiment_id for b in briefs if b.assignment)
    # Four standard errors of a share of 20,000 draws at most.
    assert joined["exp_format"] / len(briefs) == pytest.approx(0.4, abs=0.0142)
    assert joined["exp_slides"] / len(briefs) == pytest.approx(0.3, abs=0.0142)


def test_a_brief_has_its_arms_choices_and_else_what_it_would_have_had(briefs: list[Brief]):
    plain = {
        brief.draw_id: brief
        for seed in range(200)
        for brief in draw(CONTEXT, KNOWN, previous=PREVIOUS, n=100, seed=seed)
    }
    arms = {(e.experiment_id, arm.name): (e, arm) for e in BOTH for arm in e.arms}
    seen: Counter[str | None] = Counter()
    for brief in briefs:
        without = plain[brief.draw_id]
        if brief.assignment is None:
            same = replace(
                brief,
                pick_probability=without.pick_probability,
                probabilities=without.probabilities,
            )
            assert same == without
            continue
        experiment, arm = arms[brief.assignment.experiment_id, brief.assignment.arm]
        seen[arm.name] += 1
        for name in ("format", "pillar", "hook_style", "slide_count", "daypart", "cta", "arm"):
            value = getattr(brief, name)
            fixed = arm.choices.get(name)
            assert str(value) == (fixed or str(getattr(without, name)))
        assert (brief.platform, brief.instructions) == (experiment.platform, arm.instructions)
        assert brief.experiment is None  # no second thing to try beside the arm's own
    assert set(seen) == {"usual", "tried", "4 slides", "6 slides", "9 slides"}


@pytest.mark.parametrize(
    "dimension", ["format", "pillar", "hook_style", "slide_count", "daypart", "cta"]
)
def test_picks_are_as_frequent_as_their_stated_probability(briefs: list[Brief], dimension: str):
    counts = Counter(getattr(brief, dimension) for brief in briefs)
    del counts[None]
    stated: dict[object, set[float]] = defaultdict(set)
    for brief in briefs:
        if getattr(brief, dimension) is not None:
            stated[getattr(brief, dimension)].add(brief.probabilities[dimension])
    assert len(counts) > 1
    for value, count in counts.items():
        (probability,) = stated[value]
        assert count / len(briefs) == pytest.approx(probability, abs=0.0142)


def test_the_stated_probability_is_that_of_shares_and_arms_together():
    usual = draw(CONTEXT, KNOWN, previous=PREVIOUS, n=300, seed=1)
    base = {brief.format: brief.pick_probability or 0.0 for brief in usual}
    found = {brief.format: brief.pick_probability or 0.0 for brief in assigned(300, 1)}
    for name in FORMATS:
        tried = 1.0 if name == "habit_list" else 0.0
        # 0.3 join nothing, 0.3 an experiment that leaves the format alone, 0.2 each format arm.
        assert found[name] == pytest.approx(0.8 * base[name] + 0.2 * tried)
    assert sum(found.values()) == pytest.approx(1)


def test_an_estimate_by_inverse_probabilities_finds_what_each_format_does(briefs: list[Brief]):
    """Outcomes depend on the format alone; weighting undoes how often each was dealt."""
    worth = dict(zip(FORMATS, (2.0, 5.0, 3.0), strict=True))
    for name, true in worth.items():
        estimates = [
            true / (brief.pick_probability or 0.0) if brief.format == name else 0.0
            for brief in briefs
        ]
        average = sum(estimates) / len(briefs)
        spread = sum((one - average) ** 2 for one in estimates) / len(briefs)
        assert average == pytest.approx(true, abs=4 * (spread / len(briefs)) ** 0.5)


def test_shares_of_more_than_all_draws_are_scaled_down_alike():
    greedy = (replace(FORMAT, draw_share=0.9), replace(SLIDES, draw_share=0.6))
    assert shares_of(greedy) == pytest.approx({"exp_format": 0.6, "exp_slides": 0.4})
    briefs = assigned(400, 5, greedy)
    assert all(brief.assignment for brief in briefs)


def test_the_order_of_experiments_and_the_number_of_briefs_change_no_draw():
    first = joining(SOURCES, n=50, seed=2, experiments=BOTH)
    assert joining(SOURCES, n=50, seed=2, experiments=BOTH[::-1]) == first
    assert joining(SOURCES, n=80, seed=2, experiments=BOTH)[: len(first)] == first


def test_a_joining_draw_without_an_arm_is_refused():
    with pytest.raises(UsageError, match="assigned to no arm"):
        draw(CONTEXT, KNOWN, n=20, seed=1, experiments=BOTH)


def test_the_stamp_names_the_assignment_and_nothing_where_there_is_none(briefs: list[Brief]):
    joined = next(brief for brief in briefs if brief.assignment and brief.instructions)
    assert joined.assignment is not None
    assert joined.stamp()["experiment"] == {
        "experiment_id": "exp_format",
        "arm": "tried",
        "assignment_id": joined.assignment.assignment_id,
    }
    assert joined.stamp()["format"] == "habit_list"
    assert joined.to_json()["instructions"] == "Say <b>it</b> twice"
    (plain,) = draw(CONTEXT, KNOWN, seed=1)
    assert "experiment" not in plain.stamp()
    assert list(plain.to_json()) == [
        "draw_id", "account", "context_id", "arm", "format", "pillar", "hook_style",
        "reference_hooks", "slide_count", "daypart", "cta", "topics", "experiment",
        "pick_probability", "probabilities", "seed", "number",
    ]  # fmt: skip
    assert "cta" not in plain.probabilities
