import json
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from pipeline.accounts import load_account
from pipeline.collect.hook_styles import HookStyle
from pipeline.collect.planned import read_planned_posts
from pipeline.decide import draw as draw_module
from pipeline.decide.briefs import Account
from pipeline.decide.context import context_path, ensure_context
from pipeline.decide.context_id import context_id_of
from pipeline.decide.draw import draw, draw_briefs, format_shares
from pipeline.decide.review import approve
from pipeline.errors import ContextError, UsageError
from pipeline.learn import operations
from pipeline.learn.thompson import chances_of_being_best
from pipeline.settings import REPOSITORY, Settings
from pipeline.show.cli.main import main
from tests.fakes.published import ACCOUNT
from tests.fakes.recommendations import NOW, add_pending

FORMATS = ("step_guide", "habit_list", "scripts")
KNOWN = Account("sleepy", FORMATS, ("sleep", "eating"), 6)
PREVIOUS: dict[str, Any] = {"format_weights": dict.fromkeys(FORMATS, 1.0), "top_pillars": []}
CONTEXT: dict[str, Any] = {
    "format_weights": {"step_guide": 3.0, "habit_list": 0.25, "scripts": 1.0},
    "top_pillars": ["sleep"],
    "top_topics": ["naps"],
    "hook_insights": {
        "best_styles": ["how_to"], "worst_styles": ["question"], "reference_hooks": ["Stop it"],
    },
    "timing": {"best_dayparts": ["evening"]},
    "cta": {"preferred": "save_this"},
    "experiment_suggestions": ["scripts format untested", "7-slide posts untested"],
    "exploration": {
        "share": 0.5,
        "holdout_share": 0.2,
        "previous_context_id": context_id_of(PREVIOUS),
        "posteriors": {
            "step_guide": {"mean": 0.3, "sd": 0.1}, "habit_list": {"mean": -0.2, "sd": 0.1},
        },
    },
}  # fmt: skip


def test_importing_it_is_light():
    code = (
        "import json, sys, time\n"
        "import dataclasses, enum, hashlib, pathlib, random, typing\n"
        "began = time.process_time()\n"
        "import pipeline.decide.draw\n"
        "took = time.process_time() - began\n"
        "print(json.dumps([took, sorted({name.split('.')[0] for name in sys.modules})]))"
    )
    runs = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, check=True
            ).stdout
        )
        for _ in range(5)
    ]
    # Beside the standard library's own modules, which take some 20 ms on an idle machine.
    assert min(took for took, _ in runs) < 0.025
    heavy = {"numpy", "duckdb", "dagster", "pydantic", "sqlalchemy", "yaml", "scipy", "rapidfuzz"}
    assert set(runs[0][1]) & heavy == set()


def test_what_it_repeats_for_lightness_is_what_the_rooms_say():
    assert tuple(style.value for style in HookStyle) == draw_module.HOOK_STYLES
    assert draw_module.WEIGHT_MIN == operations.WEIGHT_MIN
    assert draw_module.WEIGHT_MAX == operations.WEIGHT_MAX
    assert draw_module.NEUTRAL_WEIGHT == operations.NEUTRAL_WEIGHT
    assert get_args(operations.Daypart) == draw_module.DAYPARTS


def test_the_probability_of_a_format_is_that_of_the_whole_mixture():
    tried = chances_of_being_best(
        {"step_guide": (0.3, 0.1), "habit_list": (-0.2, 0.1), "scripts": (0.0, 0.25)}
    )
    shares = format_shares(CONTEXT, KNOWN, previous=PREVIOUS)
    assert shares == pytest.approx(
        {
            "step_guide": 0.2 / 3 + 0.4 * 3 / 4.25 + 0.4 * tried["step_guide"],
            "habit_list": 0.2 / 3 + 0.4 * 0.25 / 4.25 + 0.4 * tried["habit_list"],
            "scripts": 0.2 / 3 + 0.4 * 1 / 4.25 + 0.4 * tried["scripts"],
        }
    )
    assert sum(shares.values()) == pytest.approx(1)


def test_picks_are_as_frequent_as_their_stated_probability():
    briefs = [
        brief
        for seed in range(20)
        for brief in draw(CONTEXT, KNOWN, previous=PREVIOUS, n=1000, seed=seed)
    ]
    for dimension in ("format", "pillar", "hook_style", "slide_count", "daypart"):
        counts = Counter(getattr(brief, dimension) for brief in briefs)
        del counts[None]  # the holdout's context knows no best time of the day
        stated = {
            getattr(brief, dimension): brief.probabilities[dimension]
            for brief in briefs
            if getattr(brief, dimension) is not None
        }
        assert len(counts) > 1
        for value, count in counts.items():
            # Four standard errors of a share of 20,000 draws at most.
            assert count / len(briefs) == pytest.approx(stated[value], abs=0.0142)
    arms = Counter(brief.arm for brief in briefs)
    assert arms["holdout"] / len(briefs) == pytest.approx(0.2, abs=0.0142)
    assert arms["exploration"] / len(briefs) == pytest.approx(0.4, abs=0.0142)
    assert all(brief.pick_probability == brief.probabilities["format"] for brief in briefs)


def test_each_arm_follows_its_own_context():
    briefs = draw(CONTEXT, KNOWN, previous=PREVIOUS, n=500, seed=1)
    by_arm = {arm: [b for b in briefs if b.arm == arm] for arm in {b.arm for b in briefs}}
    assert {b.context_id for b in by_arm["holdout"]} == {context_id_of(PREVIOUS)}
    assert {b.cta for b in by_arm["holdout"]} == {None}
    assert {b.daypart for b in by_arm["holdout"]} == {None}
    assert {b.context_id for b in by_arm["weights"]} == {context_id_of(CONTEXT)}
    assert {b.cta for b in by_arm["weights"]} == {"save_this"}
    assert {b.daypart for b in by_arm["weights"]} == {"evening"}
    assert {b.slide_count for b in by_arm["weights"]} == {6}
    assert {b.slide_count for b in by_arm["exploration"]} == {5, 6, 7}
    assert {b.reference_hooks for b in by_arm["weights"]} == {("Stop it",)}
    assert {b.topics for b in by_arm["weights"]} == {("naps",)}
    assert {b.experiment for b in by_arm["weights"]} == {None}
    tried = {(b.format, b.experiment) for b in by_arm["exploration"]}
    assert ("scripts", "scripts format untested") in tried
    assert ("step_guide", "scripts format untested") not in tried


def test_a_seed_gives_the_same_briefs_again_and_another_seed_others():
    first = draw(CONTEXT, KNOWN, previous=PREVIOUS, n=5, seed=3)
    assert draw(CONTEXT, KNOWN, previous=PREVIOUS, n=8, seed=3)[:5] == first
    assert draw(CONTEXT, KNOWN, previous=PREVIOUS, n=5, seed=4) != first
    assert len({brief.draw_id for brief in first}) == 5
    unseeded = draw(CONTEXT, KNOWN, n=2)
    assert draw(CONTEXT, KNOWN, n=2, seed=unseeded[0].seed) == unseeded


def test_without_a_previous_context_there_is_no_holdout():
    briefs = draw(CONTEXT, KNOWN, n=300, seed=1)
    assert {brief.arm for brief in briefs} == {"weights", "exploration"}
    assert sum(format_shares(CONTEXT, KNOWN).values()) == pytest.approx(1)


def test_shares_count_within_their_caps():
    greedy = {**CONTEXT, "exploration": {"share": 1.0, "holdout_share": 1.0}}
    assert draw_module.arm_shares(greedy, has_previous=True) == {
        "weights": 0.25, "exploration": 0.25, "holdout": 0.5,
    }  # fmt: skip


def test_an_account_that_lists_nothing_gets_a_brief_without_a_format():
    (brief,) = draw({}, Account("empty"), seed=1)
    assert (brief.format, brief.pillar, brief.slide_count, brief.pick_probability) == (None,) * 4
    assert brief.stamp()["pick_probability"] is None


@pytest.mark.parametrize(("n", "seed"), [(0, 1), (1001, 1), (1, -1)])
def test_a_wrong_number_or_seed_is_refused(n: int, seed: int):
    with pytest.raises(UsageError):
        draw(CONTEXT, KNOWN, n=n, seed=seed)


@pytest.fixture
def folder(settings: Settings) -> Path:
    """The account's folder, with a context that was changed once."""
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    add_pending(settings)
    approve(settings, "rec_000000000001", by="ann", now=NOW)
    return settings.accounts_dir / ACCOUNT


def test_the_holdout_follows_the_former_version_in_the_history(folder: Path):
    briefs = draw_briefs(folder, 200, seed=1)
    context = json.loads((folder / "performance_context.json").read_bytes())
    former = context["exploration"]["previous_context_id"]
    assert {brief.context_id for brief in briefs} == {context["context_id"], former}
    for path in (folder / "context_history").iterdir():
        path.write_text(path.read_text().replace("1.0", "1.1"))
    # What was tampered with is not the former context any more.
    assert {brief.arm for brief in draw_briefs(folder, 200, seed=1)} == {"weights", "exploration"}


@pytest.mark.parametrize(
    "broken",
    [b"{", b"[]", b'{"format_weights": 3}', b'{"format_weights": {"step_guide": "much"}}',
     b'{"exploration": {"share": "half"}}'],
)  # fmt: skip
def test_a_broken_context_is_one_sentence(folder: Path, broken: bytes):
    (folder / "performance_context.json").write_bytes(broken)
    with pytest.raises(ContextError) as caught:
        draw_briefs(folder)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(folder: Path):
    (folder / "account.yaml").rename(folder / "elsewhere.yaml")
    with pytest.raises(ContextError, match="afterpost accounts check"):
        draw_briefs(folder)
    (folder / "performance_context.json").unlink()
    with pytest.raises(ContextError, match="does not exist yet"):
        draw_briefs(folder)


def test_the_lines_of_the_documentation_store_what_the_collection_reads(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    text = (REPOSITORY / "docs" / "generator.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    lines = [line for line in code.splitlines() if line.strip()]
    assert len(lines) <= 22
    folder.rename(folder.with_name("my_account"))
    account = folder.with_name("my_account") / "account.yaml"
    account.write_text(account.read_text().replace("name: sleepy", "name: my_account"))
    monkeypatch.chdir(settings.home)
    post = {"topic": "naps", "caption": "Naps", "slides": ["One", "Two"]}

    exec(compile(textwrap.dedent(code), "generator.md", "exec"), {"make_post": lambda _: post})

    read = read_planned_posts(settings, load_account(settings.accounts_dir, "my_account"))
    assert read.problems == ()
    assert len(read.posts) == 3
    known = {
        json.loads(path.read_bytes())["context_id"]
        for path in account.parent.glob("**/*.json")
        if path.name == "performance_context.json" or path.parent.name == "context_history"
    }
    for planned in read.posts:
        assert planned.context_id in known
        assert planned.pick_probability is not None
        assert 0 < planned.pick_probability < 1
        assert planned.format in FORMATS
        assert planned.hook_style in draw_module.HOOK_STYLES
        assert planned.planned_at is not None


def test_the_command_prints_briefs_for_people_and_for_programs(settings, monkeypatch, capsys):
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    assert main(["draw", ACCOUNT, "-n", "3", "--seed", "5", "--json"]) == 0
    briefs = json.loads(capsys.readouterr().out)
    assert len(briefs) == 3
    assert briefs[0]["stamp"]["context_id"] == briefs[0]["context_id"]
    assert context_path(settings, ACCOUNT).exists()
    assert main(["draw", ACCOUNT, "-n", "3", "--seed", "5"]) == 0
    shown = capsys.readouterr().out
    assert "--seed 5" in shown
    assert briefs[2]["draw_id"] in shown
    assert main(["draw", ACCOUNT, "-n", "0"]) == 2
