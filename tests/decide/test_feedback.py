import json
from pathlib import Path

import pytest

from pipeline.clients.state_verdicts import feedback_rows
from pipeline.clients.warehouse import writing
from pipeline.collect.raw import load_raw
from pipeline.decide.feedback import FeedbackKind, give_feedback
from pipeline.errors import DecisionError, UnknownAccountError
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW


@pytest.fixture
def planned(settings: Settings) -> Path:
    folder = settings.accounts_dir / ACCOUNT / "output" / "2026-11-20_naps"
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(json.dumps({"format": "scripts", "hook_style": "question"}))
    return folder


def test_what_is_said_is_kept_in_order(settings: Settings, planned: Path):
    for kind in (FeedbackKind.REJECT, FeedbackKind.APPROVE):
        give_feedback(settings, ACCOUNT, planned.name, kind, by="ann", now=NOW, note="later")
    rows = feedback_rows(settings, ACCOUNT)
    assert [(row["sequence"], row["feedback"]) for row in rows] == [(1, "reject"), (2, "approve")]
    assert {(row["given_by"], row["note"], row["given_at"]) for row in rows} == {
        ("ann", "later", NOW)
    }
    assert feedback_rows(settings, "another") == []


@pytest.mark.parametrize("planned_id", ["never_made", "../sleepy", ""])
def test_only_what_was_planned_can_be_judged(settings: Settings, planned: Path, planned_id: str):
    with pytest.raises(DecisionError, match="no planned post"):
        give_feedback(settings, ACCOUNT, planned_id, FeedbackKind.EDIT, by="ann", now=NOW)
    with pytest.raises(UnknownAccountError):
        give_feedback(settings, "nobody", planned.name, FeedbackKind.EDIT, by="ann", now=NOW)
    assert feedback_rows(settings) == []


def test_the_commands_store_it_and_a_load_copies_it(settings, planned, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    words = ["--account", ACCOUNT, "--by", "ann"]
    assert main(["feedback", "list", "--account", ACCOUNT]) == 0
    assert "Nobody has said anything" in capsys.readouterr().out
    assert main(["feedback", "edit", planned.name, *words, "--note", "too long"]) == 0
    assert main(["feedback", "approve", planned.name, *words]) == 0
    assert main(["feedback", "reject", "never_made", *words]) == 1
    capsys.readouterr()
    assert main(["feedback", "list", "--account", ACCOUNT, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [row["feedback"] for row in listed["feedback"]] == ["edit", "approve"]
    assert main(["feedback", "list", "--account", ACCOUNT]) == 0
    assert "edit too long" in capsys.readouterr().out

    load_raw(settings)
    with writing(settings, "look") as connection:
        copied = connection.execute(
            "select planned_id, sequence, feedback, note from raw.state_feedback order by sequence"
        ).fetchall()
    assert copied == [(planned.name, 1, "edit", "too long"), (planned.name, 2, "approve", None)]
