import json
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import jsonpatch
import jsonschema
import pytest

from pipeline.accounts import AccountConfig, load_account
from pipeline.clients.state import decision_rows, recommendation_rows
from pipeline.decide.context import ContextEvent, context_path, ensure_context, history
from pipeline.decide.review import apply_policy, approve, pending, reject
from pipeline.decide.schema import json_schema
from pipeline.errors import DecisionError
from pipeline.learn.findings import Confidence
from pipeline.learn.operations import AddTopPillar, SetFormatWeight
from pipeline.settings import REPOSITORY, Settings
from tests.decide.test_schema import OLD_FORM
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW, add_pending

FIRST = "rec_000000000001"
SECOND = "rec_000000000002"

BOOKKEEPING = {
    "last_updated",
    "sample_size",
    "warehouse_version",
    "context_id",
    "approved_recommendations",
    "evidence",
    "exploration",
    "valid_until",
}


@pytest.fixture
def account(settings: Settings) -> AccountConfig:
    return load_account(settings.accounts_dir, ACCOUNT)


@pytest.fixture
def path(settings: Settings, account: AccountConfig) -> Path:
    ensure_context(settings, account, NOW)
    return context_path(settings, ACCOUNT)


def document(path: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(path.read_bytes())
    return parsed


def status_of(settings: Settings, recommendation_id: str) -> str:
    rows = {row["recommendation_id"]: row["status"] for row in recommendation_rows(settings)}
    return str(rows[recommendation_id])


def test_approving_changes_exactly_what_was_proposed(settings, path):
    before = document(path)
    recommendation = add_pending(settings)
    decision = approve(settings, FIRST, by="ann", now=NOW, note="yes")
    after = document(path)
    jsonschema.validate(after, json_schema())
    proposed = jsonpatch.apply_patch(before, recommendation.patch)
    assert {key: after[key] for key in after if key not in BOOKKEEPING} == {
        key: proposed[key] for key in proposed if key not in BOOKKEEPING
    }
    assert list(after) == list(before)
    assert after["last_updated"] == "2026-11-20"
    assert after["valid_until"] == "2027-01-15"
    assert after["sample_size"] == 120
    assert after["warehouse_version"] == recommendation.warehouse_version
    assert after["exploration"] == {
        **before["exploration"],
        "previous_context_id": before["context_id"],
    }
    assert after["approved_recommendations"] == [
        {"id": FIRST, "insight": recommendation.insight, "approved_at": "2026-11-20T09:00:00Z"}
    ]
    assert after["evidence"][FIRST]["n"] == 47
    assert (decision.context_id_before, decision.context_id_after) == (
        before["context_id"],
        after["context_id"],
    )
    assert decision.patch == recommendation.patch
    assert path.read_bytes().endswith(b"}\n")


def test_approving_twice_is_one_decision(settings, path):
    add_pending(settings)
    first = approve(settings, FIRST, by="ann", now=NOW)
    written = path.read_bytes()
    assert approve(settings, FIRST, by="bob", now=NOW) == first
    assert path.read_bytes() == written
    assert len(decision_rows(settings)) == 1


def test_rejecting_leaves_the_context_alone_and_is_remembered(settings, path):
    before = path.read_bytes()
    add_pending(settings)
    decision = reject(settings, FIRST, by="ann", now=NOW, note="not us")
    assert reject(settings, FIRST, by="bob", now=NOW) == decision
    assert path.read_bytes() == before
    assert status_of(settings, FIRST) == "rejected"
    assert pending(settings, ACCOUNT) == []
    with pytest.raises(DecisionError, match="reject by ann"):
        approve(settings, FIRST, by="bob", now=NOW)


def test_what_was_approved_cannot_be_rejected(settings, path):
    add_pending(settings)
    approve(settings, FIRST, by="ann", now=NOW)
    with pytest.raises(DecisionError, match="afterpost context revert"):
        reject(settings, FIRST, by="bob", now=NOW)


def test_an_unknown_id_is_one_sentence(settings, path):
    for decide in (approve, reject):
        with pytest.raises(DecisionError, match="There is no recommendation 'rec_x'"):
            decide(settings, "rec_x", by="ann", now=NOW)
    with pytest.raises(DecisionError, match="no recommendation"):
        approve(Settings(home=settings.home / "empty"), "rec_x", by="ann", now=NOW)


def test_a_recommendation_that_no_longer_fits_is_set_aside_and_nothing_changes(settings, path):
    add_pending(settings)
    edited = {**document(path), "format_weights": {"step_guide": 2.0}}
    path.write_text(json.dumps(edited))
    with pytest.raises(DecisionError, match="afterpost recommend"):
        approve(settings, FIRST, by="ann", now=NOW)
    assert status_of(settings, FIRST) == "superseded"
    assert document(path) == edited
    assert decision_rows(settings) == []
    for decide in (approve, reject):
        with pytest.raises(DecisionError, match="set aside"):
            decide(settings, FIRST, by="ann", now=NOW)


def test_keys_that_a_person_added_survive_an_approval(settings, account):
    path = context_path(settings, ACCOUNT)
    raw = OLD_FORM.replace("{", '{"mine": {"deep": [1, null, "é"]},', 1)
    raw = raw.replace('"best_styles"', '"our_hooks": ["x"], "best_styles"')
    path.write_text(raw)
    add_pending(settings, SetFormatWeight(format="step_guide", weight=1.5))
    approve(settings, FIRST, by="ann", now=NOW)
    after, before = document(path), json.loads(raw)
    assert after["mine"] == {"deep": [1, None, "é"]}
    assert after["hook_insights"] == before["hook_insights"]
    assert after["format_weights"] == {"step_guide": 1.5, "habit_list": 0.8}
    assert [item["id"] for item in after["approved_recommendations"]] == ["rec_001", FIRST]
    assert set(after) - set(before) <= BOOKKEEPING


@pytest.mark.parametrize(
    ("policy", "approved"),
    [("manual", []), ("auto_high", [FIRST]), ("auto", [FIRST, SECOND])],
)
def test_the_policy_approves_what_it_may(settings, path, account, policy, approved):
    add_pending(settings)
    add_pending(
        settings,
        AddTopPillar(pillar="sleep_routines"),
        recommendation_id=SECOND,
        confidence=Confidence.MEDIUM,
    )
    config = AccountConfig.model_validate({**account.model_dump(), "approval": {"policy": policy}})
    made = apply_policy(settings, config, now=NOW)
    assert [decision.recommendation_id for decision in made] == approved
    assert all(decision.decided_by == f"policy:{policy}" for decision in made)
    assert len(pending(settings)) == 2 - len(approved)


def test_a_policy_goes_on_after_one_that_does_not_fit(settings, path, account):
    add_pending(settings)
    add_pending(settings, AddTopPillar(pillar="sleep_routines"), recommendation_id=SECOND)
    path.write_text(json.dumps({**document(path), "format_weights": {"step_guide": 3.0}}))
    config = AccountConfig.model_validate({**account.model_dump(), "approval": {"policy": "auto"}})
    made = apply_policy(settings, config, now=NOW)
    assert [decision.recommendation_id for decision in made] == [SECOND]
    assert status_of(settings, FIRST) == "superseded"


KILLED = """
import os, signal, sys
from pathlib import Path
from pipeline.decide import review, versions
from pipeline.settings import Settings
from tests.fakes.recommendations import NOW

real = versions.write_atomically
def write(path, content):
    if {when!r} in str(path):
        os.kill(os.getpid(), signal.SIGKILL)
    real(path, content)
versions.write_atomically = write
review.approve(Settings(home=Path({home!r})), "rec_000000000001", by="ann", now=NOW)
"""


@pytest.mark.parametrize("when", ["context_history", "performance_context.json"])
def test_an_approval_killed_before_its_file_was_written_is_rolled_forward(
    settings, path, account, when: str
):
    before = path.read_bytes()
    add_pending(settings)
    script = textwrap.dedent(KILLED).format(when=when, home=str(settings.home))
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == before
    assert status_of(settings, FIRST) == "approved"
    state = ensure_context(settings, account, NOW)
    assert state.event is ContextEvent.RESTORED
    assert document(path)["format_weights"]["step_guide"] == 1.4
    assert [version.cause.value for version in history(settings, ACCOUNT)] == [
        "initial",
        "decision",
    ]
    kept = [file.read_bytes() for file in (path.parent / "context_history").glob("0*.json")]
    assert kept == [before]
    assert approve(settings, FIRST, by="bob", now=NOW).decided_by == "ann"
    assert len(decision_rows(settings)) == 1


def test_a_revert_killed_before_its_file_was_written_is_rolled_forward(settings, path, account):
    before = path.read_bytes()
    add_pending(settings)
    approve(settings, FIRST, by="ann", now=NOW)
    script = textwrap.dedent(KILLED).format(when=path.name, home=str(settings.home))
    start = script.index("review.approve(")
    script = script[:start] + (
        "from pipeline.decide.context import revert\n"
        f"revert(Settings(home=Path({str(settings.home)!r})), {ACCOUNT!r}, by='bob', now=NOW)"
    )
    killed = subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert ensure_context(settings, account, NOW).event is ContextEvent.RESTORED
    assert path.read_bytes() == before
    assert [row["decision"] for row in decision_rows(settings)] == ["approve", "revert"]
