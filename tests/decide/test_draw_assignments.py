"""Draws that join a running experiment are assigned once, whoever draws at the same time."""

import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.accounts import AccountConfig, Platform, load_account
from pipeline.clients.state import writing_state
from pipeline.clients.state_experiment_tables import experiments
from pipeline.clients.state_experiments import (
    AssignmentTakenError,
    add_assignment,
    assignment_rows,
    change_experiment,
)
from pipeline.decide import experiment_draws
from pipeline.decide.briefs import Brief
from pipeline.decide.context import ensure_context
from pipeline.decide.experiment_draws import DrawRequest, draw_for_account
from pipeline.errors import UsageError
from pipeline.learn.experiments.registration import ArmDesign, Status
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW
from tests.fakes.running_experiments import add_running, registered

EXPERIMENT = "exp_000000000001"
OTHER = "exp_000000000002"
PROCESSES, DRAWS_EACH = 8, 15


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    account = load_account(settings.accounts_dir, ACCOUNT)
    ensure_context(settings, account, NOW)
    return account


def briefs(settings: Settings, account: AccountConfig, **asked: Any) -> tuple[Brief, ...]:
    return draw_for_account(settings, account, DrawRequest(**asked), NOW).briefs


def joined(settings: Settings, account: AccountConfig, **asked: Any) -> Brief:
    """One brief of an experiment: with the first seed whose draw joins."""
    for seed in range(100):
        (brief,) = briefs(settings, account, **{"seed": seed, **asked})
        if brief.assignment:
            return brief
    raise AssertionError("no draw joined")


def test_an_assignment_is_kept_before_the_brief_is_given(settings: Settings, account):
    registration = add_running(settings, registered())
    drawn = briefs(settings, account, number=60, seed=4)

    rows = {row["draw_id"]: row for row in assignment_rows(settings, EXPERIMENT)}
    assert {brief.draw_id for brief in drawn if brief.assignment} == set(rows)
    assert 15 < len(rows) < 45
    by_arm = {arm.name: arm.choices["hook_style"] for arm in registration.arms}
    for brief in drawn:
        if brief.assignment:
            row = rows[brief.draw_id]
            assert brief.assignment.assignment_id == row["assignment_id"]
            assert brief.assignment.arm == row["arm"]
            assert brief.hook_style == by_arm[row["arm"]]
            assert (brief.platform, row["assigned_at"]) == ("tiktok", NOW)
    counts = Counter(row["arm"] for row in rows.values())
    assert abs(counts["usual"] - counts["tried"]) <= 2


def test_a_repeated_draw_gets_the_same_assignment_again(settings: Settings, account):
    add_running(settings, registered())
    first = briefs(settings, account, number=20, seed=4)
    kept = assignment_rows(settings, EXPERIMENT)
    assert briefs(settings, account, number=20, seed=4) == first
    assert briefs(settings, account, number=8, seed=4) == first[:8]
    assert assignment_rows(settings, EXPERIMENT) == kept


def test_a_draw_keeps_its_arm_when_the_experiment_has_ended(settings: Settings, account):
    add_running(settings, registered())
    first = briefs(settings, account, number=20, seed=4)
    with writing_state(settings) as state:
        change_experiment(
            state, EXPERIMENT, expected=[Status.RUNNING], values={"status": Status.STOPPED.value}
        )
    again = briefs(settings, account, number=40, seed=4)
    assert again[:20] == first
    assert not any(brief.assignment for brief in again[20:])
    assert len(assignment_rows(settings, EXPERIMENT)) == sum(
        b.assignment is not None for b in first
    )


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.RUNNING])
def test_only_a_running_experiment_is_joined(settings: Settings, account, status: Status):
    plain = briefs(settings, account, number=20, seed=4)
    add_running(settings, registered(draw_share=1.0), status)
    assert briefs(settings, account, number=20, seed=4) == plain
    assert assignment_rows(settings, EXPERIMENT) == []


def _experiment_id(brief: Brief) -> str:
    assert brief.assignment is not None
    return brief.assignment.experiment_id


def test_experiments_of_others_are_not_joined(settings: Settings, account):
    add_running(settings, registered(account_name="other", draw_share=1.0))
    add_running(settings, registered(OTHER, platform="instagram", draw_share=1.0))
    tiktok = briefs(settings, account, number=10, seed=4, platform=Platform.TIKTOK)
    assert not any(brief.assignment for brief in tiktok)
    everywhere = briefs(settings, account, number=10, seed=4)
    assert {_experiment_id(brief) for brief in everywhere} == {OTHER}


def test_a_draw_joins_at_most_one_of_several(settings: Settings, account):
    add_running(settings, registered(draw_share=0.8))
    slides = tuple(ArmDesign(name, {"slide_count": name}) for name in ("4", "7"))
    add_running(settings, registered(OTHER, arms=slides, draw_share=0.8))
    drawn = briefs(settings, account, number=100, seed=4)
    counts = Counter(_experiment_id(brief) for brief in drawn)
    assert set(counts) == {EXPERIMENT, OTHER}
    assert abs(counts[EXPERIMENT] - 50) < 20


def test_the_planned_posting_and_the_brief_decide_the_stratum(settings: Settings, account):
    add_running(settings, registered())
    # Sunday evening in New York is Monday in UTC.
    sunday = datetime.fromisoformat("2026-11-23T01:30:00+00:00")
    brief = joined(settings, account, planned_at=sunday)
    (row,) = assignment_rows(settings, EXPERIMENT)
    assert row["draw_id"] == brief.draw_id
    assert row["stratum"] == f"7/{brief.daypart or 'evening'}"
    assert row["position"] == 0


def test_where_the_arms_fix_the_daypart_the_stratum_is_the_weekday(settings: Settings, account):
    arms = (ArmDesign("usual", {}), ArmDesign("tried", {"daypart": "late"}))
    add_running(settings, registered(arms=arms, draw_share=1.0))
    drawn = briefs(settings, account, number=10, seed=1, planned_at=NOW)
    rows = assignment_rows(settings, EXPERIMENT)
    assert {row["stratum"] for row in rows} == {str(NOW.astimezone(account.zone).isoweekday())}
    assert sorted(row["position"] for row in rows) == list(range(10))
    assert {b.daypart for b in drawn if b.assignment and b.assignment.arm == "tried"} == {"late"}


def test_a_used_subject_is_refused_for_every_draw(settings: Settings, account):
    add_running(settings, registered())
    brief = joined(settings, account, subject="Nap  Time")
    for seed in range(1000, 1010):  # some of these would join, and some would not
        with pytest.raises(UsageError, match="'nap time' was already used in exp_000000000001"):
            briefs(settings, account, seed=seed, subject="nap time")
    (row,) = assignment_rows(settings, EXPERIMENT)
    assert row["subject"] == "nap time"
    # The draw that used it may be repeated, with that subject or without a word about it.
    assert briefs(settings, account, seed=brief.seed, subject="NAP TIME") == (brief,)
    assert briefs(settings, account, seed=brief.seed) == (brief,)
    with pytest.raises(UsageError, match="was made for 'nap time'"):
        briefs(settings, account, seed=brief.seed, subject="bath time")
    assert briefs(settings, account, seed=brief.seed + 1000, subject="bath time")


def test_one_subject_is_for_one_brief(settings: Settings, account):
    with pytest.raises(UsageError, match="draw one brief per subject"):
        briefs(settings, account, number=2, subject="naps")
    with pytest.raises(UsageError, match="subject is empty"):
        briefs(settings, account, subject="  ")


def test_the_longest_subject_fits_into_a_key_and_a_longer_one_is_refused(
    settings: Settings, account
):
    add_running(settings, registered())
    longest = "".join(chr(0x1F300 + number) for number in range(500))  # four bytes each
    with pytest.raises(UsageError, match="501 characters"):
        briefs(settings, account, subject=longest + "!")
    joined(settings, account, subject=longest)
    (row,) = assignment_rows(settings, EXPERIMENT)
    assert row["subject"] == longest


def test_an_experiment_whose_registration_was_changed_is_told_and_not_joined(
    settings: Settings, account
):
    registration = add_running(settings, registered(draw_share=1.0))
    changed = {**registration.to_json(), "draw_share": 0.9}
    with writing_state(settings) as state:
        state.execute(sa.update(experiments).values(registration=changed))
    drawn = draw_for_account(settings, account, DrawRequest(seed=1), NOW)
    assert drawn.briefs[0].assignment is None
    (note,) = drawn.notes
    assert "was changed" in note
    assert "No draw joins it." in note


def test_the_database_refuses_a_place_and_a_subject_twice(settings: Settings, account):
    add_running(settings, registered())
    row = {
        "assignment_id": "asg_1", "experiment_id": EXPERIMENT, "arm": "usual", "stratum": "1",
        "position": 0, "subject": "naps", "draw_id": "drw_1", "assigned_at": NOW,
    }  # fmt: skip
    with writing_state(settings) as state:
        add_assignment(state, row)
    for other in ({"subject": "baths"}, {"position": 1}):
        with pytest.raises(AssignmentTakenError), writing_state(settings) as state:
            add_assignment(state, {**row, "assignment_id": "asg_2", "draw_id": "drw_2", **other})


def test_when_another_process_was_faster_the_draw_goes_on_from_there(
    settings: Settings, account, monkeypatch: pytest.MonkeyPatch
):
    """The schema refuses what is taken, should two ever have read the same state."""
    add_running(settings, registered(draw_share=1.0))
    lost: list[dict[str, Any]] = []

    def late(state, row) -> None:
        if len(lost) < 3:
            lost.append(row)
            raise AssignmentTakenError("Another process was faster.")
        add_assignment(state, row)

    monkeypatch.setattr(experiment_draws, "add_assignment", late)
    (brief,) = briefs(settings, account, seed=1)
    assert len(lost) == 3
    (row,) = assignment_rows(settings, EXPERIMENT)
    assert brief.assignment is not None
    assert row["assignment_id"] == brief.assignment.assignment_id


def _draw_many(home: str, worker: int, path: str) -> None:
    """Draw one brief after the other and write down what came, as a generator would."""
    settings = Settings(home=Path(home), lock_timeout_s=120)
    account = load_account(settings.accounts_dir, ACCOUNT)
    with Path(path).open("a", encoding="utf-8") as file:
        for number in range(DRAWS_EACH):
            at = NOW + timedelta(hours=7 * (number % 20))
            request = DrawRequest(seed=worker * 1000 + number, planned_at=at)
            (brief,) = draw_for_account(settings, account, request, NOW).briefs
            told = brief.assignment and [brief.assignment.assignment_id, brief.assignment.arm]
            file.write(json.dumps([brief.draw_id, told]) + "\n")
            file.flush()


def test_processes_that_race_and_die_take_no_place_twice(
    settings: Settings, account, tmp_path: Path
):
    add_running(settings, registered())
    spawn = multiprocessing.get_context("spawn")
    paths = [tmp_path / f"{worker}.jsonl" for worker in range(PROCESSES)]

    def start(worker: int) -> multiprocessing.process.BaseProcess:
        arguments = (str(settings.home), worker, str(paths[worker]))
        process = spawn.Process(target=_draw_many, args=arguments)
        process.start()
        return process

    running = [start(worker) for worker in range(PROCESSES)]
    deadline = time.monotonic() + 60
    while not (paths[0].exists() and paths[0].read_text()) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert running[0].pid is not None
    os.kill(running[0].pid, signal.SIGKILL)
    running[0].join()
    running[0] = start(0)  # and draws everything again, with the same seeds
    for process in running:
        process.join(120)
        assert process.exitcode == 0

    rows = assignment_rows(settings, EXPERIMENT)
    by_stratum: dict[str, list[int]] = {}
    for row in rows:
        by_stratum.setdefault(row["stratum"], []).append(row["position"])
    assert len(by_stratum) > 3
    for positions in by_stratum.values():
        assert sorted(positions) == list(range(len(positions)))
    counts = Counter(row["arm"] for row in rows)
    assert abs(counts["usual"] - counts["tried"]) <= 2
    assert len({row["draw_id"] for row in rows}) == len(rows) > 0.3 * PROCESSES * DRAWS_EACH
    kept = {row["draw_id"]: [row["assignment_id"], row["arm"]] for row in rows}
    said = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    assert len(said) > PROCESSES * DRAWS_EACH  # what was drawn again is there twice
    for draw_id, told in said:
        assert told == kept.get(draw_id)


def test_the_command_shows_the_experiment_and_asks_for_another_subject(
    settings: Settings, account, monkeypatch, capsys
):
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    arms = (ArmDesign("usual", {}, "\x1b[31mAsk them"), ArmDesign("tried", {"cta": "comment"}))
    add_running(settings, registered(arms=arms, draw_share=1.0))
    call = ["draw", ACCOUNT, "--platform", "tiktok", "--topic", "Naps", "--seed", "5"]
    timed = [*call, "--at", "2026-11-21T19:30"]

    assert main([*timed, "--json"]) == 0
    (brief,) = json.loads(capsys.readouterr().out)
    assert brief["stamp"]["experiment"]["experiment_id"] == EXPERIMENT
    (row,) = assignment_rows(settings, EXPERIMENT)
    assert row["assignment_id"] == brief["stamp"]["experiment"]["assignment_id"]
    assert row["stratum"].startswith("6/")
    assert main(timed) == 0
    shown = capsys.readouterr().out
    assert f"experiment {EXPERIMENT}, arm {row['arm']}, for tiktok" in shown
    assert ("somebody asks:  [31mAsk them" in shown) == (row["arm"] == "usual")
    assert "\x1b" not in shown

    assert main([*call[:-1], "6"]) == 2
    assert "give another one with --topic" in capsys.readouterr().err
    assert main([*call, "--at", "soon"]) == 2
    assert "'soon' is no time" in capsys.readouterr().err
    assert main(["draw", ACCOUNT, "--platform", "myspace"]) == 2
