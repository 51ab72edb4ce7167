"""Experiments are started, read, concluded and recommended without a person, each step once."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.accounts import load_account
from pipeline.clients.state import reading_state, writing_state
from pipeline.clients.state_experiments import (
    change_experiment,
    event_rows,
)
from pipeline.clients.warehouse import reading
from pipeline.decide.context import context_path, ensure_context
from pipeline.decide.registrations import judged_finding
from pipeline.decide.review import approve, pending
from pipeline.learn.experiments.managing import manage
from pipeline.learn.experiments.reading_stored import analyze_test_results, read_stored
from pipeline.learn.experiments.registering import ExperimentNotFoundError, decide_experiment
from pipeline.learn.experiments.registration import ArmDesign
from pipeline.learn.recommend.recommendation import Category
from pipeline.settings import Settings
from tests.fakes import recomputed, stored_evidence
from tests.fakes.experiment_copies import (
    earlier_posts,
    experiment_home,
    publish_experiment,
)
from tests.learn.experiments.hand_made import (
    BEGAN,
    after,
    experiment,
    registration,
    views,
)
from tests.learn.experiments.stored import (
    events,
    posted,
    running,
    stored,
    the_recommendation,
    the_row,
)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home with one account, nothing published."""
    return experiment_home(tmp_path)


def test_what_is_registered_starts_once(home: Settings) -> None:
    stored(home, registration(), "registered")

    first = manage(home, BEGAN)
    again = manage(home, BEGAN + timedelta(hours=1))

    assert (first.started, again.started) == (["exp_0123456789ab"], [])
    assert the_row(home)["status"] == "running"
    assert the_row(home)["started_at"] == BEGAN
    assert events(home) == {"started": 1}


def test_what_is_proposed_waits_for_a_person(home: Settings) -> None:
    stored(home, registration(origin="gap"), "proposed")

    assert manage(home, BEGAN).started == []
    assert the_row(home)["status"] == "proposed"


def test_a_winner_is_concluded_and_its_change_proposed(home: Settings) -> None:
    now = running(home)

    done = manage(home, now)

    row = the_row(home)
    recommendation = the_recommendation(home)
    assert done.concluded == ["exp_0123456789ab"]
    assert done.recommended == [recommendation.recommendation_id] == [row["recommendation_id"]]
    assert (row["status"], row["verdict"]) == ("concluded", "winner")
    assert row["result"]["winner"] == "tried"
    assert row["because"] == row["result"]["because"]
    assert recommendation.category is Category.HOOK_STYLE
    assert recommendation.target == "hook_style:question"
    assert [operation.op for operation in recommendation.operations] == ["add_hook_style"]
    assert "In an experiment posts on tiktok with question hooks got" in recommendation.insight
    assert events(home) == {"progress": 1, "concluded": 1, "recommended": 1}


def test_every_figure_of_a_winner_is_what_its_query_gives(home: Settings) -> None:
    manage(home, running(home))
    recommendation = the_recommendation(home)

    with reading(home) as connection:
        assert recomputed.assert_recomputed(connection, recommendation) == 5
        assert stored_evidence.assert_recomputed(connection, recommendation) == 9
    figures = recommendation.figures
    assert 1 < figures["effect_low"] < figures["effect"] < figures["effect_high"]


def test_an_approved_winner_is_judged_later_and_changes_the_context(home: Settings) -> None:
    now = running(home)
    account = load_account(home.accounts_dir, "moonmusic")
    ensure_context(home, account, now)
    manage(home, now)
    recommendation = the_recommendation(home)

    approve(home, recommendation.recommendation_id, by="ann", now=now)

    document = json.loads(context_path(home, "moonmusic").read_bytes())
    assert document["hook_insights"]["best_styles"] == ["question"]
    assert judged_finding(recommendation) == recommendation.findings[0]


def test_a_winner_by_comments_is_recommended_and_not_judged_later(home: Settings) -> None:
    design = registration(metric="comments_72h")
    values = {
        "usual": {"comments_72h": [round(x) for x in views(60, 20, seed=1)]},
        "tried": {"comments_72h": [round(x) for x in views(60, 40, seed=2)]},
    }
    assignments, posts = experiment(design, values)
    stored(home, design, "running", assignments)
    publish_experiment(home, design, [*posts, *earlier_posts(posts)])

    manage(home, after(posts))
    recommendation = the_recommendation(home)

    assert "the comments at 72 hours of the usual ones" in recommendation.insight
    assert judged_finding(recommendation) is None
    with reading(home) as connection:
        assert recomputed.differences(connection, recommendation) == []


def test_managing_again_and_at_once_changes_nothing_more(home: Settings) -> None:
    now = running(home)

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: manage(home, now), range(4)))
    before = the_row(home)
    manage(home, now + timedelta(hours=1))

    assert sum(len(run.concluded) for run in runs) == 1
    assert [problem for run in runs for problem in run.problems] == []
    assert events(home) == {"progress": 1, "concluded": 1, "recommended": 1}
    assert the_row(home) == before
    assert len(pending(home)) == 1


def test_an_experiment_that_goes_on_says_how_far_it_is(home: Settings) -> None:
    design = registration(smallest_useful_ratio=1.01, planned_per_arm=40, longest_per_arm=70)
    now = running(home, design, better=1.0, n=24)

    first, again = manage(home, now), manage(home, now)

    assert (first.running, again.running) == (["exp_0123456789ab"],) * 2
    assert events(home) == {"progress": 2}  # a quarter, and a half
    assert the_row(home)["status"] == "running"


def test_the_analysis_at_the_planned_end_is_written_down_once(home: Settings) -> None:
    design = registration(smallest_useful_ratio=1.01, planned_per_arm=40, longest_per_arm=70)
    now = running(home, design, better=1.0, n=45)

    manage(home, now)
    manage(home, now)

    (event,) = [
        row for row in event_rows(home, design.experiment_id) if row["event"] == "planned_end"
    ]
    assert 0.05 < event["details"]["p_value_fixed"] <= 1


def test_a_changed_registration_is_invalid(home: Settings) -> None:
    design = registration()
    now = running(home, design)
    with writing_state(home) as state:
        content = {**design.to_json(), "smallest_useful_ratio": 1.01}
        change_experiment(
            state, design.experiment_id, expected=["running"], values={"registration": content}
        )

    done = manage(home, now)

    assert done.invalid == [design.experiment_id]
    assert the_row(home)["verdict"] == "invalid"
    assert "was changed" in the_row(home)["because"]
    assert pending(home) == []
    assert read_stored(home, design.experiment_id, now).problem is not None
    assert analyze_test_results(home, design.experiment_id, now)["verdict"] == "invalid"


def test_posts_that_make_it_invalid_end_it_without_a_recommendation(home: Settings) -> None:
    design = registration()
    assignments, posts = posted(design)
    posts = [
        replace(post, daypart="evening" if post.arm == "tried" else "morning") for post in posts
    ]
    stored(home, design, "running", assignments)
    publish_experiment(home, design, [*posts, *earlier_posts(posts)])

    done = manage(home, after(posts))

    assert done.invalid == [design.experiment_id]
    assert "different times of day" in the_row(home)["because"]
    assert pending(home) == []
    assert events(home)["concluded"] == 1
    assert events(home)["recommended"] == 0


def test_what_a_person_stopped_stays_stopped(home: Settings) -> None:
    now = running(home)
    decide_experiment(home, "exp_0123456789ab", "stop", by="ann", now=BEGAN + timedelta(days=9))

    done = manage(home, now)

    assert done.concluded == []
    assert the_row(home)["status"] == "stopped"
    told = analyze_test_results(home, "exp_0123456789ab", now)
    assert told["verdict"] is None
    assert told["because"] == "Stopped by ann."
    assert sum(arm["n"] for arm in told["result"]["arms"]) > 0


def test_a_winner_that_a_context_cannot_prefer_is_told_so(home: Settings) -> None:
    arms = (ArmDesign("usual", {}), ArmDesign("tried", {"daypart": "evening"}, "Post at dusk."))
    done = manage(home, running(home, registration(arms=arms)))

    assert done.concluded == ["exp_0123456789ab"]
    assert done.recommended == []
    told = {row["event"]: row["details"] for row in event_rows(home, "exp_0123456789ab")}
    assert "nothing that a context can prefer" in told["not_recommended"]["because"]


def test_the_usual_arm_changes_nothing_by_winning(home: Settings) -> None:
    design = registration(smallest_useful_ratio=1.6)
    manage(home, running(home, design, better=0.72))

    assert the_row(home)["verdict"] == "winner"
    assert the_row(home)["result"]["winner"] == "usual"
    assert pending(home) == []
    assert events(home)["not_recommended"] == 1


def test_arms_of_two_choices_propose_both_changes(home: Settings) -> None:
    arms = (
        ArmDesign("usual", {"format": "habit_list"}),
        ArmDesign("tried", {"format": "step_guide", "hook_style": "question"}),
    )
    manage(home, running(home, registration(arms=arms)))
    recommendation = the_recommendation(home)

    assert recommendation.category is Category.FORMAT_WEIGHT
    assert [operation.op for operation in recommendation.operations] == [
        "set_format_weight",
        "add_hook_style",
    ]
    with reading(home) as connection:
        assert recomputed.differences(connection, recommendation) == []


def test_the_experiments_recommendation_takes_the_place_of_one_from_other_posts(
    home: Settings, tmp_path: Path
) -> None:
    now = running(home)
    other = experiment_home(tmp_path / "other")
    manage(other, running(other))
    former = the_recommendation(other).model_copy(update={"recommendation_id": "rec_000000000000"})
    with writing_state(home) as state:
        state.add_recommendations([former.to_row()])

    manage(home, now)

    assert the_recommendation(home).recommendation_id != former.recommendation_id
    with reading_state(home) as state:
        row = state.recommendation(former.recommendation_id)
    assert row is not None
    assert row["status"] == "superseded"


def test_a_copy_that_cannot_be_read_is_a_problem_and_no_end(home: Settings) -> None:
    now = running(home)
    (copy,) = home.published_dir.glob("*/*.duckdb")
    copy.chmod(0o644)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("drop table marts.dim_post")

    outdated = manage(home, now, with_proposals=False)
    copy.write_bytes(b"no database")
    broken = manage(home, now, with_proposals=False)

    assert [problem[:16] for problem in outdated.problems] == ["exp_0123456789ab"]
    assert ["not a valid DuckDB" in problem for problem in broken.problems] == [True]
    assert the_row(home)["status"] == "running"


def test_an_unknown_experiment_is_told(home: Settings) -> None:
    with pytest.raises(ExperimentNotFoundError, match="experiment list"):
        read_stored(home, "exp_ffffffffffff", BEGAN)
