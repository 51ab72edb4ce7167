"""``afterpost experiment``: planned by options or by answers, listed, decided, read."""

import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.clients.state import writing_state
from pipeline.clients.state_experiment_tables import experiments
from pipeline.clients.state_experiments import experiment_rows
from pipeline.learn.experiments.registration import load
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.planned_experiments import Posts, publish_posts
from tests.fakes.published import ACCOUNT
from tests.fakes.running_experiments import add_running, registered

PLAN = [
    "experiment", "plan", "--account", ACCOUNT, "--platform", "tiktok",
    "--question", "Do questions work better?", "--arm", "usual=hook_style:statement",
    "--arm", "question=hook_style:question", "--metric", "engagement_rate",
]  # fmt: skip
ID = re.compile(r"exp_[0-9a-f]{12}")


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published home, read from and never written to."""
    home = tmp_path_factory.mktemp("posted")
    publish_posts(home, [Posts(), Posts(count=6, platform="youtube")])
    return home


@pytest.fixture
def settings(template, tmp_path, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(template, home)
    monkeypatch.setenv("AFTERPOST_HOME", str(home))
    return Settings(home=home, lock_timeout_s=20)


@pytest.fixture
def run(settings, capsys, monkeypatch) -> Callable[..., Ran]:
    def command(words: Sequence[str], answers: str = "") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answers))
        code = main(list(words))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command


def sentence(ran: Ran) -> str:
    """The one sentence of a command that failed."""
    assert ran.code != 0
    assert re.fullmatch(r"error: [^\n]+\n", ran.err)
    return ran.err.removeprefix("error: ").rstrip("\n")


def test_a_plan_by_options_says_weeks_and_stores_nothing(run, settings):
    ran = run(PLAN)

    assert ran.code == 0
    assert re.search(
        r"Needs \d+ posts per arm, \d+ in all: about \d+ weeks at \d+\.\d posts a week; at the "
        r"latest after \d+ weeks\.",
        ran.out,
    )
    assert "usual: usual – hook_style statement" in ran.out
    assert "Nothing was stored." in ran.out
    assert experiment_rows(settings) == []
    assert "\x1b" not in ran.out


def test_a_plan_in_json_has_the_figures_and_the_sentences(run, settings):
    told = run([*PLAN, "--json", "--smallest-useful", "30%", "--guard", "save_rate:0.8"]).json

    assert told["experiment_id"] is None
    assert told["smallest_useful_ratio"] == 1.3
    assert told["guards"] == [{"metric": "save_rate_7d", "smallest_allowed_ratio": 0.8}]
    assert told["posts_in_all"] == 2 * told["posts_per_arm"]
    assert told["weeks"] < told["longest_weeks"]
    assert told["sentences"][0].startswith(f"Needs {told['posts_per_arm']} posts per arm")
    assert experiment_rows(settings) == []


def test_with_register_it_is_stored_as_it_was_planned(run, settings):
    told = run(
        [*PLAN, "--json", "--register", "--by", "ann", "--instructions", "question=Ask  first."]
    ).json

    (row,) = experiment_rows(settings)
    registration = load(row)
    assert row["experiment_id"] == told["experiment_id"]
    assert row["registration_sha256"] == told["registration_sha256"]
    assert registration.planned_per_arm == told["posts_per_arm"]
    assert registration.created_by == "ann"
    assert registration.arms[1].instructions == "Ask  first."


def test_a_long_plan_says_so_before_anything_starts(run):
    ran = run([*PLAN[:-1], "views"])

    assert re.search(r"^This would take \d+ weeks\.$", ran.out, re.MULTILINE)


ANSWERS = [
    "Do questions work better?", "usual=hook_style:statement", "question=hook_style:question", "",
    "engagement rate", "save_rate:0.9", "20%",
]  # fmt: skip


@pytest.mark.parametrize(("last", "is_stored"), [("y", True), ("n", False), ("", False)])
def test_what_is_missing_is_asked_for(run, settings, last, is_stored):
    ran = run([*PLAN[:6]], "\n".join([*ANSWERS, last]) + "\n")

    assert ran.code == 0
    assert [bool(row) for row in experiment_rows(settings)] == [True] * is_stored
    if is_stored:
        (row,) = experiment_rows(settings)
        registration = load(row)
        assert [arm.name for arm in registration.arms] == ["usual", "question"]
        assert registration.metric == "engagement_rate_7d"
        assert registration.guards[0].smallest_allowed_ratio == 0.9


def test_an_answer_that_is_none_is_asked_for_again(run, settings):
    answers = [
        "", "Do questions work better?", "=hook_style:x", "usual=hook_style",
        "usual=hook_style:statement", "question=hook_style:question", "", "virality", "",
        "save_rate:much", "", "0.5", "",
    ]  # fmt: skip

    ran = run(PLAN[:6], "\n".join(answers) + "\n")

    assert ran.code == 0
    assert "An experiment needs a question." in ran.out
    assert "'=hook_style:x' is no arm" in ran.out
    assert "There is no metric 'virality'." in ran.out
    assert "'save_rate:much' is no guardrail" in ran.out
    assert "It must be more than the usual" in ran.out
    assert "Needs " in ran.out


@pytest.mark.parametrize("count", range(len(ANSWERS)))
def test_answers_that_end_leave_nothing_behind(run, settings, count):
    ran = run(PLAN[:6], "".join(f"{answer}\n" for answer in ANSWERS[:count]))

    assert ran.code == 0
    assert ran.out.endswith("Nothing was planned: the answers ended.\n")
    assert experiment_rows(settings) == []
    assert not (settings.warehouse_dir / "state.db").exists()


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["--arm", "=hook_style:x"], "'=hook_style:x' is no arm"),
        (["--arm", "a=hook_style"], "'hook_style' is no choice of an arm"),
        (["--arm", "a=hook_style:x,hook_style:y"], "is no choice of an arm"),
        (["--arm", "a="], "'a=' is no arm"),
        (["--guard", "save_rate:much"], "is no guardrail"),
        (["--smallest-useful", "a lot"], "is no smallest useful effect"),
        (["--instructions", "nobody=Write."], "instructs no arm"),
        (["--instructions", "usual="], "instructs no arm"),
    ],
)
def test_words_that_do_not_fit_together_are_exit_2(run, settings, words, about):
    ran = run([*PLAN, *words])

    assert ran.code == 2
    assert about in sentence(ran)
    assert experiment_rows(settings) == []


def test_json_asks_nothing(run):
    ran = run([*PLAN[:6], "--json"], "\n".join(ANSWERS))

    assert ran.code == 2
    assert "--question is missing" in sentence(ran)
    assert ran.out == ""


def test_a_refused_design_is_exit_1_with_its_reasons(run, settings):
    ran = run([*PLAN, "--register", "--smallest-useful", "0.9", "--arm", "x=hook_style:loud"])

    assert ran.code == 1
    told = sentence(ran)
    assert "it must be more than 1" in told
    assert "There is no hook_style 'loud'" in told
    assert experiment_rows(settings) == []


def test_the_same_experiment_twice_is_refused(run, settings):
    run([*PLAN, "--register"])

    assert "fixes hook_style too" in sentence(run([*PLAN, "--register"]))
    assert len(experiment_rows(settings)) == 1


def test_experiments_are_listed_and_shown(run):
    assert "No experiment." in run(["experiment", "list"]).out
    assert run(["experiment", "list", "--json"]).json == []
    experiment_id = run([*PLAN, "--register", "--json", "--by", "ann"]).json["experiment_id"]

    listed = run(["experiment", "list"])
    shown = run(["experiment", "show", experiment_id])

    assert experiment_id in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80
    assert "registered" in shown.out
    assert "hook_style question" in shown.out
    assert "registered by ann" in shown.out
    (row,) = run(
        ["experiment", "list", "--account", ACCOUNT, "--status", "registered", "--json"]
    ).json
    assert row["registration"]["question"] == "Do questions work better?"
    assert run(["experiment", "list", "--status", "running", "--json"]).json == []
    told = run(["experiment", "show", experiment_id, "--json"]).json
    assert [event["event"] for event in told["events"]] == ["registered"]
    assert told["assignments"] == []


def test_what_people_wrote_cannot_colour_a_terminal(run, settings):
    words = [*PLAN, "--register"]
    words[words.index("Do questions work better?")] = "Do \x1b[31mquestions\x1b[0m work?"

    experiment_id = ID.findall(run(words).out)[0]

    for command in (["list"], ["show", experiment_id], ["results", experiment_id]):
        assert "\x1b" not in run(["experiment", *command]).out


def test_an_experiment_is_stopped_with_its_reason(run, settings):
    experiment_id = run([*PLAN, "--register", "--json"]).json["experiment_id"]

    stopped = run(["experiment", "stop", experiment_id, "--note", "a new series", "--by", "ann"])

    assert stopped.out == f"{experiment_id} is stopped.\n"
    (row,) = experiment_rows(settings)
    assert (row["status"], row["because"], row["decided_by"]) == ("stopped", "a new series", "ann")
    assert run(["experiment", "stop", experiment_id]).code == 0
    assert "a new series" in run(["experiment", "show", experiment_id]).out
    assert "only one that is proposed can be approved" in sentence(
        run(["experiment", "approve", experiment_id])
    )


@pytest.mark.parametrize(("word", "status"), [("approve", "registered"), ("reject", "rejected")])
def test_a_proposal_is_approved_or_rejected(run, settings, word, status):
    from dataclasses import replace

    from pipeline.learn.experiments.registering import store

    proposal = replace(registered(), origin="gap")
    store(settings, proposal)

    told = run(["experiment", word, proposal.experiment_id, "--json"]).json

    assert (told["status"], told["version"]) == (status, 2)


@pytest.mark.parametrize("command", ["show", "approve", "reject", "stop", "results"])
def test_an_experiment_that_is_not_there_is_one_sentence(run, command):
    ran = run(["experiment", command, "exp_000000000000"])

    assert ran.code == 1
    assert "There is no experiment" in sentence(ran)


def test_a_changed_registration_is_said_wherever_it_is_shown(run, settings):
    registration = add_running(settings, registered())
    content = {**registration.to_json(), "smallest_useful_ratio": 1.01}
    with writing_state(settings) as state:
        state.execute(experiments.update().values(registration=content))

    shown = run(["experiment", "show", registration.experiment_id])
    read = run(["experiment", "results", registration.experiment_id])

    assert "was changed after it was frozen" in shown.err
    assert "invalid: The registration of" in read.out
    told = run(["experiment", "results", registration.experiment_id, "--json"]).json
    assert told["verdict"] == "invalid"


def test_results_before_any_post_say_that_it_goes_on(run, settings):
    registration = add_running(settings, registered())

    read = run(["experiment", "results", registration.experiment_id])

    assert read.code == 0
    assert "keep going" in read.out
    assert "too few posts to compare" in read.out
    assert max(map(len, read.out.splitlines())) <= 200
    told = run(["experiment", "results", registration.experiment_id, "--json"]).json
    assert (told["verdict"], told["is_final"]) == ("keep_going", False)


def test_managing_starts_what_is_registered_and_twice_changes_nothing(run, settings):
    experiment_id = run([*PLAN, "--register", "--json"]).json["experiment_id"]

    first = run(["experiment", "manage", "--json"]).json
    (row,) = experiment_rows(settings, statuses=["running"])
    second = run(["experiment", "manage"])

    assert first["started"] == [experiment_id]
    assert second.code == 0
    assert experiment_rows(settings, statuses=["running"]) == [row]


TEXTS = [
    {"content": "Babies nap.", "hashtags": ["naps"]},
    {"content": "Does yours nap?", "hashtags": []},
]


def test_variations_come_from_a_file_or_from_stdin(run, settings, tmp_path):
    file = tmp_path / "texts.json"
    file.write_text(json.dumps(TEXTS), encoding="utf-8")
    words = ["--account", ACCOUNT, "--platform", "tiktok"]

    planned = run(["experiment", "variations", str(file), *words])
    assert "variation 2 (question, no hashtags)" in planned.out
    assert experiment_rows(settings) == []
    told = run(["experiment", "variations", "-", *words, "--register", "--json"], file.read_text())

    (row,) = experiment_rows(settings)
    assert told.json["experiment_id"] == row["experiment_id"]
    assert row["origin"] == "variations"


@pytest.mark.parametrize("content", ["", "{", "\udcff", "[" * 100_000])
def test_variations_that_are_no_json_are_exit_2(run, tmp_path, content):
    file = tmp_path / "texts.json"
    file.write_bytes(content.encode("utf-8", errors="surrogateescape"))

    ran = run(["experiment", "variations", str(file), "--account", ACCOUNT])

    assert ran.code == 2
    assert "is no JSON" in sentence(ran)


def test_variations_of_a_file_that_is_not_there_are_exit_2(run):
    ran = run(["experiment", "variations", "no_such_file.json", "--account", ACCOUNT])

    assert ran.code == 2
    assert sentence(ran) == "There is no file no_such_file.json."


def test_identical_variations_are_exit_1(run, tmp_path):
    file = tmp_path / "texts.json"
    file.write_text(json.dumps([TEXTS[0], TEXTS[0]]), encoding="utf-8")

    ran = run(["experiment", "variations", str(file), "--account", ACCOUNT])

    assert ran.code == 1
    assert "Variations 1 and 2 are the same." in sentence(ran)
