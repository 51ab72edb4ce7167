"""Experiments in a state database, with their posts in a published copy."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiments import (
    add_assignment,
    add_experiment,
    event_rows,
    experiment_row,
)
from pipeline.decide.review import pending
from pipeline.learn.experiments.registration import Registration
from pipeline.learn.experiments.units import Post
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from tests.fakes.experiment_copies import (
    earlier_posts,
    publish_experiment,
)
from tests.learn.experiments.hand_made import (
    Row,
    after,
    experiment,
    registration,
    views,
)


def stored(
    settings: Settings, design: Registration, status: str, assignments: Sequence[Row] = ()
) -> None:
    """An experiment in the state database."""
    with writing_state(settings) as state:
        add_experiment(
            state,
            {
                "experiment_id": design.experiment_id,
                "account_name": design.account_name,
                "platform": design.platform,
                "status": status,
                "origin": design.origin,
                "registration": design.to_json(),
                "registration_sha256": design.sha256(),
                "created_by": design.created_by,
                "created_at": design.created_at,
            },
        )
        for row in assignments:
            add_assignment(state, dict(row))


def posted(design: Registration, better: float = 1.7, n: int = 60) -> tuple[list[Row], list[Post]]:
    """Assignments and posts; the tried arm has so many times the views."""
    usual, tried = (arm.name for arm in design.arms)
    values = {
        usual: {"views_72h": views(n, 400, seed=1)},
        tried: {"views_72h": views(n, 400 * better, seed=2)},
    }
    return experiment(design, values)


def running(
    settings: Settings, design: Registration | None = None, better: float = 1.7, n: int = 60
) -> datetime:
    """A running experiment whose posts are published; the moment when all are old enough."""
    design = design or registration()
    assignments, posts = posted(design, better, n)
    stored(settings, design, "running", assignments)
    publish_experiment(settings, design, [*posts, *earlier_posts(posts)])
    return after(posts)


def events(settings: Settings, experiment_id: str = "exp_0123456789ab") -> Counter[str]:
    """How often each event was written down."""
    return Counter(row["event"] for row in event_rows(settings, experiment_id))


def the_row(settings: Settings, experiment_id: str = "exp_0123456789ab") -> dict[str, Any]:
    """The experiment's row."""
    row = experiment_row(settings, experiment_id)
    assert row is not None
    return row


def the_recommendation(settings: Settings) -> Recommendation:
    """The one that waits."""
    (found,) = pending(settings, "moonmusic")
    return found
