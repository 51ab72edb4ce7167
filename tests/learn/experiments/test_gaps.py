"""Experiments that are proposed because a listed segment was hardly tried."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.clients.state_experiments import (
    experiment_rows,
)
from pipeline.clients.warehouse import reading
from pipeline.learn.experiments.gaps import find_gaps
from pipeline.learn.experiments.managing import manage
from pipeline.learn.experiments.registering import decide_experiment
from pipeline.settings import Settings
from tests.fakes.experiment_copies import (
    earlier_posts,
    experiment_home,
    publish_experiment,
)
from tests.learn.experiments.hand_made import (
    BEGAN,
    registration,
)
from tests.learn.experiments.stored import (
    posted,
)


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    """A home with one account, nothing published."""
    return experiment_home(tmp_path)


def gap(segment: str, **changes: Any) -> dict[str, Any]:
    """A row of the exploration mart."""
    return {
        "account_name": "moonmusic",
        "platform": "tiktok",
        "dimension": "format",
        "segment": segment,
        "is_listed": True,
        "post_count": 0,
        "labelled_post_count": 60,
        "days_since_used": None,
        "recent_post_count": 0,
        "status": "untested",
        **changes,
    }


GAPS = [
    gap("step_guide", post_count=50, recent_post_count=20, status="in_use"),
    gap("scripts"),
    gap("habit_list", post_count=2, days_since_used=9, status="rarely_used"),
    gap("sleep_routines", dimension="pillar", post_count=40, recent_post_count=9, status="in_use"),
    gap("picky_eating", dimension="pillar", post_count=9, days_since_used=80, status="long_unused"),
    gap("old format", is_listed=False),
]


def with_gaps(settings: Settings) -> datetime:
    """A published copy of an account that has hardly tried some of what it lists."""
    design = registration()
    _, posts = posted(design, better=1.0)
    publish_experiment(settings, design, earlier_posts(posts, count=100), exploration=GAPS)
    return BEGAN


def test_gaps_are_listed_segments_against_what_is_used_most(home: Settings) -> None:
    with_gaps(home)
    with reading(home) as connection:
        found = find_gaps(connection, "moonmusic")

    assert [(one.segment, one.usual_segment) for one in found] == [
        ("scripts", "step_guide"),
        ("habit_list", "step_guide"),
        ("picky_eating", "sleep_routines"),
    ]
    assert found[0].question.startswith("Does the format scripts do better than step_guide?")


def test_at_most_two_gaps_are_proposed_each_with_its_plan(home: Settings) -> None:
    now = with_gaps(home)

    first, again = manage(home, now), manage(home, now)

    rows = experiment_rows(home)
    assert (len(first.proposed), again.proposed) == (2, [])
    assert {row["status"] for row in rows} == {"proposed"}
    tried = {tuple(row["registration"]["arms"][1]["choices"].items()) for row in rows}
    assert tried == {(("format", "scripts"),), (("pillar", "picky_eating"),)}
    assert all("posts per arm" in line and "weeks" in line for line in first.lines)


def test_an_approved_gap_starts_and_a_refused_one_rests(home: Settings) -> None:
    now = with_gaps(home)
    manage(home, now)
    by_segment = {
        row["registration"]["arms"][1]["name"]: row["experiment_id"]
        for row in experiment_rows(home)
    }

    decide_experiment(home, by_segment["scripts"], "approve", by="ann", now=now)
    decide_experiment(home, by_segment["picky_eating"], "reject", by="ann", now=now)
    done = manage(home, now + timedelta(days=1))

    assert done.started == [by_segment["scripts"]]
    assert done.proposed == []  # the other format would be tried beside one that runs
    later = manage(home, now + timedelta(weeks=9))
    (row,) = experiment_rows(home, statuses=["proposed"])
    assert later.proposed == [row["experiment_id"]]
    assert row["registration"]["arms"][1]["name"] == "picky_eating"


def test_two_processes_propose_each_gap_once(home: Settings) -> None:
    now = with_gaps(home)

    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: manage(home, now), range(4)))

    assert sum(len(run.proposed) for run in runs) == 2
    assert len(experiment_rows(home)) == 2
