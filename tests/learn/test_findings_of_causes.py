"""One cause, one finding: across outcomes, dimensions and categories."""

import pytest

from pipeline.clients.warehouse import reading
from pipeline.learn.causes import Found, effect_of, find_causes
from pipeline.learn.concentration import Concentration, find_concentrations
from pipeline.learn.failure_findings import FailurePattern, find_failures
from pipeline.learn.findings import find
from pipeline.learn.operations import neutral_values
from pipeline.learn.recommend.candidates import candidates
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT
from tests.fakes.simulated_copy import Plan, Planted, publish_account

TOPICS = tuple(f"topic_{number:02d}" for number in range(16))


def caused(settings: Settings, plan: Plan) -> list[Found]:
    publish_account(settings, plan)
    with reading(settings) as connection:
        return find_causes(connection, ACCOUNT)


def segments(found: list[Found]) -> set[tuple[str, str]]:
    return {(effect_of(one).dimension, effect_of(one).segment) for one in found}


GOES_ALONG = {"step_guide": "how_to", "habit_list": "number_specific", "scripts": "statement"}


def test_a_hook_style_that_goes_along_with_a_good_format_is_not_found_again(settings: Settings):
    plan = Plan(
        [Planted("format", "step_guide", 2.0)], follows={"hook_style": ("format", GOES_ALONG)}
    )
    found = caused(settings, plan)
    with reading(settings) as connection:
        alone = {finding.dimension for finding in find(connection, ACCOUNT)}
    assert alone == {"format", "hook_style"}
    assert {dimension for dimension, _ in segments(found)} == {"format"}


def test_the_label_that_makes_the_difference_is_kept_whichever_it_is(settings: Settings):
    plan = Plan(
        [Planted("hook_style", "how_to", 2.2)], follows={"hook_style": ("format", GOES_ALONG)}
    )
    assert ("hook_style", "how_to") in segments(caused(settings, plan))


def test_two_causes_that_go_along_are_both_kept(settings: Settings):
    plan = Plan(
        [Planted("format", "step_guide", 2.0), Planted("pillar", "sleep_routines", 2.0)],
        post_count=400,
    )
    assert {("format", "step_guide"), ("pillar", "sleep_routines")} <= segments(
        caused(settings, plan)
    )


def test_labels_that_posts_never_tell_apart_are_one_finding(settings: Settings):
    plan = Plan(
        [Planted("topic", "naps", 2.4)],
        segments={"topic": ("naps", "snacks", "toys"), "pillar": ("a", "b", "c")},
        follows={"pillar": ("topic", {"naps": "a", "snacks": "b", "toys": "c"})},
    )
    better = [one for one in caused(settings, plan) if effect_of(one).direction == "better"]
    assert len(better) == 1


@pytest.mark.parametrize(
    ("dimension", "segment", "kind"),
    [("format", "scripts", "effect"), ("hook_style", "generic_question", "failure_pattern")],
)
def test_a_segment_that_does_worse_and_fails_often_is_told_once(
    settings: Settings, dimension: str, segment: str, kind: str
):
    found = caused(settings, Plan([Planted(dimension, segment, 0.35)]))
    with reading(settings) as connection:
        failing = {failure.effect.segment for failure in find_failures(connection, ACCOUNT)}
        worse = {finding.segment for finding in find(connection, ACCOUNT)}
    assert segment in failing & worse
    (one,) = [one for one in found if effect_of(one).segment == segment]
    assert one.to_json()["kind"] == kind


def test_a_group_with_a_topic_that_is_clear_by_itself_gives_way(settings: Settings):
    planted = [
        Planted("topic", name, 1.55 if place < 6 else 0.9) for place, name in enumerate(TOPICS)
    ]
    plan = Plan(planted, post_count=330, segments={"topic": TOPICS}, seed=4)
    assert [one for one in caused(settings, plan) if isinstance(one, Concentration)]
    with reading(settings) as connection:
        (group,) = find_concentrations(connection, ACCOUNT)
    clear = Planted("topic", group.segments[0], 2.5)
    found = caused(settings, Plan([*planted, clear], 330, 4, {"topic": TOPICS}))
    assert ("topic", clear.segment) in segments(found)
    assert all(clear.segment not in one.segments for one in found if isinstance(one, Concentration))


@pytest.mark.parametrize("seed", [1, 3, 4])
def test_the_topics_of_a_good_pillar_are_no_group_of_their_own(settings: Settings, seed: int):
    topics = tuple(f"topic_{number:02d}" for number in range(30))
    pillars = {name: "sleep" if place < 12 else "food" for place, name in enumerate(topics)}
    plan = Plan(
        [Planted("pillar", "sleep", 1.8)],
        post_count=330,
        seed=seed,
        segments={"topic": topics, "pillar": ("sleep", "food")},
        follows={"pillar": ("topic", pillars)},
    )
    found = caused(settings, plan)
    with reading(settings) as connection:
        (group,) = find_concentrations(connection, ACCOUNT)
    assert set(group.segments) <= set(topics[:12])
    assert {dimension for dimension, _ in segments(found)} == {"pillar"}


def test_of_two_segments_that_are_all_there_are_one_is_found(settings: Settings):
    plan = Plan([Planted("pillar", "sleep", 1.9)], segments={"pillar": ("sleep", "food")})
    found = caused(settings, plan)
    with reading(settings) as connection:
        assert len([one for one in find(connection, ACCOUNT) if one.dimension == "pillar"]) == 2
    assert len([one for one in found if effect_of(one).dimension == "pillar"]) == 1


def test_findings_are_ranked_by_expected_gain_over_all_kinds(settings: Settings):
    plan = Plan(
        [
            Planted("hook_style", "generic_question", 1.0, flop_share=0.6),
            Planted("format", "step_guide", 1.6),
            Planted("pillar", "sleep_routines", 2.0),
        ],
        post_count=400,
    )
    found = caused(settings, plan)
    gains = [one.expected_gain for one in found]
    assert gains == sorted(gains, reverse=True)
    assert any(isinstance(one, FailurePattern) for one in found)
    assert len(found) >= 3


def test_a_format_may_be_saved_more_and_shared_less(settings: Settings):
    plan = Plan(
        [
            Planted("format", "scripts", 1.6, "save_rate_7d"),
            Planted("format", "scripts", 0.6, "share_rate_7d"),
        ]
    )
    document = neutral_values(("step_guide", "habit_list", "scripts"), 5)
    document["save_vs_share"]["high_share_formats"] = ["scripts"]
    targets = {choice.target: choice for choice in candidates(caused(settings, plan), [], document)}
    assert targets["high_save_formats:scripts"].operations[0].op == "add_high_save_format"
    assert targets["high_share_formats:scripts"].operations[0].op == "remove_high_share_format"


@pytest.mark.parametrize("seed", range(12))
def test_noise_gives_nothing_of_any_kind(settings: Settings, seed: int):
    names = {"topic": TOPICS} if seed % 2 else {}
    assert caused(settings, Plan(seed=seed, segments=names)) == []
