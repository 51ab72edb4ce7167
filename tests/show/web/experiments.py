"""Experiments in every state for the web server's home, with posts that carry their stamps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiment_tables import experiments
from pipeline.clients.state_experiments import (
    add_assignment,
    add_event,
    change_experiment,
    experiment_row,
)
from pipeline.learn.experiments.reading_stored import read_stored
from pipeline.learn.experiments.registering import store
from pipeline.learn.experiments.registration import (
    METRICS,
    ArmDesign,
    GuardDesign,
    Origin,
    Registration,
    Status,
)
from pipeline.settings import Settings
from tests.fakes.dashboard_copy import HARM, OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT

PROPOSED, RUNNING, CONCLUDED, OTHERS = (f"exp_{number:012x}" for number in (0xA, 0xB, 0xC, 0xD))
HOSTILE_QUESTION = f'Does "><img src=x onerror={HARM}> do better?'
HOSTILE_INSTRUCTIONS = f"</td><script>{HARM}</script> {{{{ 7*7 }}}}"
CAME_OF_IT = "rec_000000000001"
"""The home's recommendation, as if the concluded experiment had brought it."""

_BEGUN = datetime(2026, 8, 20, 8, tzinfo=UTC)

POSTS = f"""
alter table intermediate.int_post_outcomes add column if not exists numerator double;
alter table intermediate.int_post_outcomes add column if not exists denominator double;
alter table intermediate.int_post_outcomes add column if not exists log_value double;
update intermediate.int_post_outcomes set
    numerator = case when outcome like '%rate%' then value * 1000 else value end,
    denominator = case when outcome like '%rate%' then 1000.0 end,
    log_value = ln(1 + value);
update intermediate.int_post_outcomes set
    numerator = numerator * case
        when post_id[-3:]::integer < 138 then 0.5 + post_id[-3:]::integer * 37 % 101 / 101.0
        else 0.6 + post_id[-3:]::integer * 37 % 101 / 126.0
    end
where outcome = 'engagement_rate_7d';
update intermediate.int_post_outcomes set value = numerator / denominator
where outcome = 'engagement_rate_7d';
insert into intermediate.metric_availability by name
select
    'tiktok' as platform, 'video' as media_type, metric, date '2005-01-01' as valid_from,
    date '9999-12-31' as valid_to, metric as definition_id
from (values ('like_count'), ('comment_count'), ('share_count'), ('save_count')) as rows (metric);
alter table stats.build_info add column if not exists build_id varchar;
create temp table stamped as
with by_arm as (
    select
        post_id, posted_at, posted_at < timestamptz '2026-10-10 00:00Z' as is_concluded,
        case when post_id[-3:]::integer % 7 > 3 then 'question' else 'plain' end as arm,
        row_number() over (
            partition by is_concluded, arm order by posted_at, post_id
        ) - 1 as place
    from marts.dim_post
    where
        account_name = '{ACCOUNT}' and platform = 'tiktok'
        and posted_at < timestamptz '2026-11-08 00:00Z'
)
select *, case when is_concluded then '{CONCLUDED}' else '{RUNNING}' end as experiment_id
from by_arm
where place < case when is_concluded then 40 else 12 end;
update marts.dim_post set
    experiment_id = stamped.experiment_id, experiment_arm = stamped.arm,
    assignment_id = 'asg_' || stamped.post_id[-3:] || stamped.experiment_id[-9:],
    local_weekday = 1 + stamped.place % 5, last_seen_at = timestamptz '2026-11-20 08:00Z',
    daypart = ['morning', 'evening'][1 + stamped.place % 2]
from stamped
where dim_post.account_name = '{ACCOUNT}' and dim_post.post_id = stamped.post_id;
"""
"""The older posts belong to the concluded experiment; posts of the tried arm do better."""


def registration(experiment_id: str, **changes: Any) -> Registration:
    """An experiment on hooks."""
    metric = METRICS["engagement_rate_7d"]
    fields: dict[str, Any] = {
        "experiment_id": experiment_id,
        "account_name": ACCOUNT,
        "platform": "tiktok",
        "question": "Does a question as the hook make more people engage?",
        "arms": (
            ArmDesign("plain", {"hook_style": "statement"}),
            ArmDesign("question", {"hook_style": "question"}),
        ),
        "contrasts": (("plain", "question"),),
        "metric": metric.name,
        "metric_kind": metric.kind,
        "age_hours": metric.age_hours,
        "smallest_useful_ratio": 1.2,
        "guards": (GuardDesign("views_7d", 0.8),),
        "alpha": 0.05,
        "power": 0.8,
        "planned_per_arm": 25,
        "longest_per_arm": 44,
        "usual_mean": 0.11,
        "unit_variance": 0.0025,
        "adjustment": None,
        "draw_share": 1.0,
        "seed": 7,
        "origin": Origin.PERSON.value,
        "created_by": "ann",
        "created_at": _BEGUN,
        "warehouse_version": "v1",
    }
    return Registration(**{**fields, **changes})


def seed_experiments(settings: Settings, now: datetime) -> None:
    """One that waits, one that runs, one with a winner, and one of the other account."""
    store(settings, registration(CONCLUDED))
    begin(settings, CONCLUDED, _BEGUN)
    reading = read_stored(settings, CONCLUDED, now).reading
    assert reading is not None
    with writing_state(settings) as state:
        change_experiment(
            state,
            CONCLUDED,
            expected=[Status.RUNNING],
            values={
                "status": Status.CONCLUDED.value,
                "concluded_at": now,
                "verdict": str(reading.verdict),
                "because": reading.because,
                "result": reading.to_json(),
                "recommendation_id": CAME_OF_IT,
            },
        )
        add_event(state, CONCLUDED, "concluded", happened_at=now,
                  details={"verdict": str(reading.verdict)})  # fmt: skip
    later = now - timedelta(days=30)
    store(settings, registration(RUNNING, planned_per_arm=60, longest_per_arm=105,
                                 created_at=later))  # fmt: skip
    begin(settings, RUNNING, later)
    hostile = (
        ArmDesign("usual", {}),
        ArmDesign("<b>tried</b>", {"format": "scripts"}, HOSTILE_INSTRUCTIONS),
    )
    asked = now - timedelta(days=1)
    store(settings, registration(PROPOSED, question=HOSTILE_QUESTION, arms=hostile,
                                 contrasts=(("usual", "<b>tried</b>"),), guards=(),
                                 origin=Origin.GAP.value, created_by="afterpost",
                                 created_at=asked))  # fmt: skip
    store(settings, registration(OTHERS, account_name=OTHER_ACCOUNT, created_at=asked))


def begin(settings: Settings, experiment_id: str, created_at: datetime) -> None:
    """Let an experiment run, with an assignment for each of its posts."""
    now = created_at + timedelta(hours=1)
    begun = {"status": Status.RUNNING.value, "started_at": now}
    with writing_state(settings) as state:
        change_experiment(state, experiment_id, expected=[Status.REGISTERED], values=begun)
        add_event(state, experiment_id, "started", happened_at=now)
        for place, (assignment_id, arm, stratum, posted_at) in enumerate(
            _stamps(settings, experiment_id)
        ):
            add_assignment(
                state,
                {
                    "assignment_id": assignment_id,
                    "experiment_id": experiment_id,
                    "arm": arm,
                    "stratum": stratum,
                    "position": place,
                    "subject": None,
                    "draw_id": None,
                    "assigned_at": posted_at - timedelta(days=1),
                },
            )


def _stamps(settings: Settings, experiment_id: str) -> Iterator[tuple[str, str, str, datetime]]:
    from pipeline.clients.warehouse import reading

    with reading(settings) as connection:
        yield from connection.execute(
            "select assignment_id, experiment_arm, local_weekday || '/' || daypart, "
            "posted_at from marts.dim_post where experiment_id = ? order by posted_at",
            [experiment_id],
        ).fetchall()


def change_registration(settings: Settings, experiment_id: str, **changes: Any) -> None:
    """Change what is stored of a registration behind its hash's back."""
    row = experiment_row(settings, experiment_id)
    assert row is not None
    change_row(settings, experiment_id, registration={**row["registration"], **changes})


def change_row(settings: Settings, experiment_id: str, **values: Any) -> None:
    """Store something else in the columns of an experiment."""
    with writing_state(settings) as state:
        state.execute(
            sa.update(experiments)
            .where(experiments.c.experiment_id == experiment_id)
            .values(values)
        )
