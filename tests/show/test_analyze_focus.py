"""``afterpost analyze`` about each question: what it says, how wide it is, what a pipe gets."""

import json
import re
import shutil

import pytest
from rich.cells import cell_len

from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.cli import output
from pipeline.show.cli.main import main
from pipeline.show.reports.segments import Focus
from tests.show.published_copies import ACCOUNT, publish_night_owls

WHOSE = [["--account", ACCOUNT], ["--all"]]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    publish_night_owls(home)
    return home


@pytest.fixture
def shown(home, monkeypatch, capsys):
    """What a command prints."""
    monkeypatch.setenv("AFTERPOST_HOME", str(home))

    def run(*words: str) -> str:
        capsys.readouterr()
        assert main(["analyze", *words]) == 0
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return run


@pytest.mark.parametrize("focus", list(Focus))
@pytest.mark.parametrize("whose", WHOSE, ids=["one", "all"])
def test_every_table_fits_80_columns_and_holds_no_escape_in_a_pipe(shown, focus, whose):
    text = shown(*whose, "--focus", focus.value)

    rules = [line for line in text.splitlines() if line.startswith("──")]
    assert all(cell_len(line) <= 80 for line in rules)
    assert "\x1b" not in text
    assert "None" not in text
    assert "nan" not in text


def test_no_color_is_obeyed_on_a_terminal(shown, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[1m" in shown("--account", ACCOUNT, "--focus", "formats")

    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in shown("--account", ACCOUNT, "--focus", "formats")


@pytest.mark.parametrize(
    ("focus", "said"),
    [
        ("formats", "how_to: not enough data (needs 12 more how_to posts; so far 3)"),
        ("formats", "Clearly better: step_guide (tiktok, views)"),
        ("formats", "step_guide  30      50 %           70 %     1.40×      1.10–1.80"),
        ("pillars", "sleep: not enough data (needs 1 more sleep post; so far 4)"),
        ("topics", "Not enough data: no post with a known topic has a value at 7 days yet."),
        ("hooks", "Clearly worse: how_to (tiktok, share rate)"),
        ("hooks", "needs 4 more posts"),
        ("slides", "step_guide, 5 slides: not enough data (needs 1 more 5-slide step_guide post"),
        ("timing", "Fri evening      9   1.31×      1.03–1.66  1.28× (0.90–1.80)  better"),
        ("cadence", "tiktok: 5.0 posts a week (90 % interval 4.4–5.6, 12 weeks)"),
        ("cadence", "views         12     60       0.50×      0.35–0.71  diminishing"),
        ("cta", "Not enough data: no post with a known call to action has a value at 7 days yet."),
        ("saves", "instagram: saves and shares are not both known, so nothing can be said."),
        ("saves", "step_guide  28  1.41×  1.30–1.55   0.98×  0.90–1.10  saved"),
        ("saves", "how_to: not enough data (needs 12 more how_to posts; so far 3)"),
        ("failures", "12 of 20     3.00×  2.10–3.90"),
        ("failures", "tiktok: the weakest of 60 posts at 7 days"),
        ("pareto", "53 %  48–58 %     45–60 %  as noise"),
        ("pareto", "needs 6 more posts"),
        ("growth", "24 h  21    63 %  60–66 %        55–71 %"),
        ("growth", "360–520  200"),
        ("exploration", "quotes          0      never    0 of 20   0–12 %  never tried"),
    ],
)
def test_each_question_has_its_answer_with_n_interval_and_age(shown, focus, said):
    text = shown("--account", ACCOUNT, "--focus", focus).replace("\N{NO-BREAK SPACE}", " ")

    assert said in text
    if "Not enough data:" not in text and focus != "exploration":
        assert "7 d" in text


def test_accounts_together_are_told_with_what_holds_within_them(shown):
    text = shown("--all", "--focus", "formats")

    assert re.search(r"step_guide\s+60\s+2\s+1.40×\s+1.10–1.80\s+holds in the accounts", text)
    assert re.search(r"scripts\s+60\s+2\s+1.02×\s+0.70–1.50\s+differs by account", text)
    assert "all posts in one heap would show 0.90×" in text


def test_all_accounts_in_half_a_minute(shown):
    text = shown("--all").replace("\N{NO-BREAK SPACE}", " ")

    assert "step_guide posts on tiktok: 1.40× the usual views at 7 days (90 % interval" in text
    assert re.search(r"night_owls\s+\+\s+step_guide \(tiktok\)\s+views\s+1.62×", text)
    assert re.search(r"night_owls\s+tiktok : instagram\s+60 : 9\s+2.94×\s+2.40–3.60", text)
    assert "night_owls, tiktok : instagram: not enough data (needs 3 more weeks; so far 2)" in text


def test_the_short_read_comes_before_the_review(shown):
    text = shown("--account", ACCOUNT)

    parts = ["What works", "What does not", "What to try next", "Pending recommendations"]
    assert [text.index(part) for part in parts] == sorted(text.index(part) for part in parts)
    assert "  + [HIGH] step_guide posts on tiktok get 1.62×" in text


def test_json_holds_every_row_of_the_question(shown):
    figures = json.loads(shown("--account", ACCOUNT, "--focus", "saves", "--json"))
    assert [row["save_effect"] for row in figures["saves"]] == [None, 1.41, None]

    figures = json.loads(shown("--account", ACCOUNT, "--json"))
    assert figures["short"]["works"][0]["value"] == 1.62

    figures = json.loads(shown("--all", "--json"))
    assert figures["platforms"][0]["ratio"] == 2.94
    assert figures["across_accounts"][0]["scope"] == "universal"


def test_long_names_are_cut_by_what_they_take_of_a_line(home, tmp_path, monkeypatch, capsys):
    other = tmp_path / "home"
    shutil.copytree(home, other)
    own = Settings(home=other)
    with writing(own, "test") as connection:
        connection.execute(
            "update stats.segment_effects set segment = repeat('睡前故事', 20) "
            "where segment = 'scripts'"
        )
        connection.execute(
            "update stats.segment_effects set segment = repeat('\U0001f468\u200d\U0001f469', 40) "
            "where segment = 'step_guide' and account_name <> '*'"
        )
    publish(own, "v2")
    monkeypatch.setenv("AFTERPOST_HOME", str(other))

    assert main(["analyze", "--account", ACCOUNT, "--focus", "formats"]) == 0

    text = capsys.readouterr().out
    rows = [line for line in text.splitlines() if "…" in line and "×" in line and "–" in line]
    assert len(rows) == 2
    assert {cell_len(row.rstrip()) <= 80 for row in rows} == {True}
    assert len({row.index("×") - len(row[: row.index("…") + 1]) for row in rows}) == 1


def test_an_unknown_account_is_one_sentence(home, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(home))

    assert main(["analyze", "--account", "nobody"]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1


def test_nothing_built_yet_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))

    assert main(["analyze", "--all"]) == 1

    assert re.fullmatch(r"error: .*afterpost build.*\n", capsys.readouterr().err)


def test_an_outdated_copy_is_one_sentence(home, tmp_path, monkeypatch, capsys):
    other = tmp_path / "home"
    shutil.copytree(home, other)
    own = Settings(home=other)
    with writing(own, "test") as connection:
        connection.execute("alter table marts.mart_pareto drop column top_share")
    publish(own, "v2")
    monkeypatch.setenv("AFTERPOST_HOME", str(other))

    assert main(["analyze", "--account", ACCOUNT, "--focus", "pareto"]) == 1

    assert re.fullmatch(r"error: .*Run `afterpost build` .*\n", capsys.readouterr().err)


def test_a_cell_that_is_cut_ends_with_an_ellipsis():
    assert output.shortened("a step guide", 12) == "a step guide"
    assert output.shortened("a step guide", 8) == "a step …"
    assert cell_len(output.shortened("步骤指南步骤", 8)) <= 8
