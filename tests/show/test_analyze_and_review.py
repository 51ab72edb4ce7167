"""``afterpost analyze``, ``review`` and ``context`` on a real copy and a real state database."""

import io
import json
import sys
from datetime import UTC, datetime

import pytest

from pipeline.decide.context import context_path, ensure_context
from pipeline.learn.recommend import recommend
from pipeline.show.cli.main import main
from pipeline.show.reports.segments import Focus
from tests.show.published_copies import ACCOUNT, publish_night_owls

NOW = datetime(2026, 5, 22, 9, 0, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return publish_night_owls(tmp_path)


@pytest.fixture
def waiting(settings):
    from pipeline.accounts import load_account

    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    return recommend(settings, ACCOUNT, now=NOW).recommendations


@pytest.fixture
def answers(monkeypatch):
    def type_in(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return type_in


def _weights(settings) -> dict[str, float]:
    return json.loads(context_path(settings, ACCOUNT).read_bytes())["format_weights"]


def test_every_figure_of_the_report_has_its_n_and_interval(waiting, capsys):
    assert main(["analyze", "--account", ACCOUNT, "--focus", "formats"]) == 0

    shown = capsys.readouterr().out
    assert "views at 7 days" in shown
    assert "1.62×" in shown
    assert "1.31–2.05" in shown
    assert "not enough data" in shown
    assert "By chance alone the best would show 1.22×" in shown
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("focus", list(Focus))
@pytest.mark.parametrize("whose", [["--account", ACCOUNT], ["--all"]], ids=["one", "all"])
def test_every_focus_answers(settings, capsys, focus, whose):
    assert main(["analyze", *whose, "--focus", focus.value]) == 0
    assert main(["analyze", *whose, "--focus", focus.value, "--json"]) == 0

    assert capsys.readouterr().err == ""


def test_analyze_shows_findings_and_what_waits_and_how_to_decide(waiting, capsys):
    assert main(["analyze", "--account", ACCOUNT]) == 0

    shown = capsys.readouterr().out
    assert "step_guide posts on tiktok get 1.62× the account's usual" in shown
    assert "1. [HIGH] format_weight: step_guide" in shown
    assert "   Proposed: set the weight of step_guide from 1.0 to 1.5" in shown
    assert f"afterpost review --account {ACCOUNT} --approve ID" in shown
    assert waiting[0].recommendation_id in shown


def test_analyze_without_a_terminal_asks_nothing_and_reads_nothing(
    settings, waiting, answers, capsys
):
    answers("y\ny\ny\n")

    assert main(["analyze", "--account", ACCOUNT]) == 0

    assert "[y] approve" not in capsys.readouterr().out
    assert sys.stdin.read() == "y\ny\ny\n"
    assert _weights(settings)["step_guide"] == 1.0


def test_json_of_analyze_holds_what_the_report_shows(waiting, capsys):
    assert main(["analyze", "--account", ACCOUNT, "--json"]) == 0

    report = json.loads(capsys.readouterr().out)
    assert report["as_of"] == "2026-05-21T21:05:34Z"
    assert [profile["platform"] for profile in report["profiles"]] == ["instagram", "tiktok"]
    assert report["findings"][0]["n"] == 30
    assert report["pending"][0]["proposed"] == "set the weight of step_guide from 1.0 to 1.5"


def test_an_account_without_posts_is_told_what_to_do(settings, capsys):
    main(["accounts", "add", "newcomer", "--tiktok", "newcomer"])
    capsys.readouterr()

    assert main(["analyze", "--account", "newcomer"]) == 0

    shown = capsys.readouterr().out
    assert "No posts yet" in shown
    assert "What to try next" not in shown


def test_approving_by_answer_changes_the_context_and_the_end_of_input_skips_the_rest(
    settings, waiting, answers, capsys
):
    assert len(waiting) > 1
    answers("maybe\ny\n")

    assert main(["review", "--account", ACCOUNT]) == 0

    shown = capsys.readouterr().out
    assert "'maybe' is no answer" in shown
    assert f"approved {waiting[0].recommendation_id}" in shown
    assert "The rest was skipped" in shown
    assert _weights(settings)["step_guide"] == 1.5


def test_an_edit_by_answer_asks_for_the_value_until_it_is_within_bounds(
    settings, waiting, answers, capsys
):
    answers("e\n50\ne\n1.2\n")

    assert main(["review", "--account", ACCOUNT]) == 0

    shown = capsys.readouterr().out
    assert "[e] edit" in shown
    assert "write a weight from 1 to 1.5" in shown
    assert f"edited and approved {waiting[0].recommendation_id}" in shown
    assert _weights(settings)["step_guide"] == 1.2


def test_the_review_says_how_likely_a_verdict_is(settings, waiting, answers, capsys):
    answers("")

    assert main(["review", "--account", ACCOUNT]) == 0

    assert "chance of one within 8 weeks at this pace" in capsys.readouterr().out


def test_verdicts_answer_before_there_are_any(settings, waiting, capsys):
    assert main(["verdicts", "--account", ACCOUNT]) == 0

    shown = capsys.readouterr().out
    assert "No approved change is being judged yet" in shown
    assert "target 90" in shown
    assert main(["verdicts", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["verdicts"] == []


def test_no_input_at_all_skips_everything(settings, waiting, answers):
    before = context_path(settings, ACCOUNT).read_bytes()
    answers("")

    assert main(["review", "--account", ACCOUNT]) == 0

    assert context_path(settings, ACCOUNT).read_bytes() == before


def test_decisions_by_id_are_stored_with_who_and_why(settings, waiting, capsys):
    first, second = (item.recommendation_id for item in waiting[:2])

    decided = ["--approve", first, "--reject", second, "--by", "sam", "--note", "worth a try"]
    code = main(["review", "--account", ACCOUNT, *decided, "--json"])

    assert code == 0
    decisions = json.loads(capsys.readouterr().out)
    assert [(item["recommendation_id"], item["decision"]) for item in decisions] == [
        (first, "approve"),
        (second, "reject"),
    ]
    assert {(item["decided_by"], item["note"]) for item in decisions} == {("sam", "worth a try")}


def test_approving_twice_is_no_error(settings, waiting, capsys):
    words = ["review", "--account", ACCOUNT, "--approve", waiting[0].recommendation_id]

    assert [main(words), main(words)] == [0, 0]

    assert _weights(settings)["step_guide"] == 1.5


def test_one_id_cannot_be_approved_and_rejected(settings, waiting, capsys):
    one = waiting[0].recommendation_id

    assert main(["review", "--account", ACCOUNT, "--approve", one, "--reject", one]) == 2

    assert _weights(settings)["step_guide"] == 1.0


def test_another_accounts_recommendation_is_not_decided_here(settings, waiting, capsys):
    main(["accounts", "add", "newcomer", "--tiktok", "newcomer"])

    code = main(["review", "--account", "newcomer", "--approve", waiting[0].recommendation_id])

    assert code == 2
    assert f"--account {ACCOUNT}" in capsys.readouterr().err
    assert _weights(settings)["step_guide"] == 1.0


def test_an_unknown_recommendation_is_one_sentence(settings, waiting, capsys):
    assert main(["review", "--account", ACCOUNT, "--approve", "rec_nothing"]) == 1

    assert capsys.readouterr().err.count("\n") == 1


def test_reverting_restores_the_former_bytes(settings, waiting, capsys):
    path = context_path(settings, ACCOUNT)
    before = path.read_bytes()
    main(["review", "--account", ACCOUNT, "--approve", waiting[0].recommendation_id])
    assert path.read_bytes() != before

    assert main(["context", "revert", ACCOUNT]) == 0

    assert path.read_bytes() == before


def test_the_history_names_every_version_and_who_made_it(settings, waiting, capsys):
    chosen = waiting[0].recommendation_id
    main(["review", "--account", ACCOUNT, "--approve", chosen, "--by", "sam"])
    capsys.readouterr()

    assert main(["context", "history", "--account", ACCOUNT, "--json"]) == 0

    versions = json.loads(capsys.readouterr().out)
    assert [version["sequence"] for version in versions] == [1, 2]
    assert (versions[1]["recommendation_id"], versions[1]["decided_by"]) == (chosen, "sam")
    assert main(["context", "history", ACCOUNT]) == 0
    assert chosen in capsys.readouterr().out


def test_show_prints_the_file_as_it_stands(settings, waiting, capsysbinary):
    assert main(["context", "show", ACCOUNT]) == 0

    assert capsysbinary.readouterr().out == context_path(settings, ACCOUNT).read_bytes()


def test_the_diff_shows_what_was_approved(settings, waiting, capsys):
    main(["review", "--account", ACCOUNT, "--approve", waiting[0].recommendation_id])
    capsys.readouterr()

    assert main(["context", "diff", ACCOUNT]) == 0

    shown = capsys.readouterr().out
    assert '-    "step_guide": 1.0,' in shown
    assert '+    "step_guide": 1.5,' in shown


def test_a_broken_context_file_is_named_and_left_alone(settings, waiting, capsys):
    path = context_path(settings, ACCOUNT)
    path.write_text("{ not json", encoding="utf-8")

    codes = [
        main(["context", "check"]),
        main(["context", "show", ACCOUNT]),
        main(["review", "--account", ACCOUNT, "--approve", waiting[0].recommendation_id]),
    ]

    assert codes == [1, 1, 1]
    assert str(path) in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "{ not json"
