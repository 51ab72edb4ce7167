"""``afterpost experiment import``: what it prints, and how it refuses."""

import json
import math
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

from pipeline.errors import AfterpostError
from pipeline.show.cli.experiment_import import import_counts

APP = typer.Typer()
APP.command("import")(import_counts)

COUNTS = "arm,units,successes\nusual,9000,450\ntried,9100,600\n"


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    path = tmp_path / "counts.csv"
    path.write_text(COUNTS, encoding="utf-8")
    return path


def _run(path: Path, *words: str, metric: str = "proportion") -> Result:
    return CliRunner().invoke(APP, [str(path), "--metric", metric, *words], env={"COLUMNS": "160"})


def _json(path: Path, *words: str, metric: str = "proportion") -> dict:
    result = _run(path, *words, "--json", metric=metric)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _refusal(path: Path, *words: str, metric: str = "proportion") -> AfterpostError:
    error = _run(path, *words, metric=metric).exception
    assert isinstance(error, AfterpostError)
    assert "\n" not in str(error)
    return error


def test_json_has_both_readings_of_each_contrast(counts: Path):
    found = _json(counts, "--planned", "8000", "--smallest-useful", "1.05")

    (contrast,) = found["contrasts"]
    assert (contrast["usual"], contrast["tried"]) == ("usual", "tried")
    pooled = 1050 / 18100
    z = (600 / 9100 - 0.05) / math.sqrt(pooled * (1 - pooled) * (1 / 9000 + 1 / 9100))
    assert contrast["p_value_fixed"] == pytest.approx(math.erfc(z / math.sqrt(2)), abs=1e-12)
    assert contrast["p_value_fixed"] < contrast["p_value_anytime"] < 0.05
    assert contrast["effect_low_anytime"] < contrast["effect_low_fixed"] < contrast["effect"]
    assert 1 < contrast["ratio_low_anytime"] < contrast["ratio"]
    assert (found["winner"], found["verdict"], contrast["size"]) == ("tried", "winner", "useful")
    assert (found["planned"], found["confidence"]) == (8000, 0.95)
    assert found["sample_ratio_p"] > 0.01
    assert found["chances_best"]["tried"] > 0.99
    assert (found["faults"], found["notes"]) == ([], [])


def test_what_is_not_known_is_null(tmp_path: Path):
    path = tmp_path / "values.csv"
    path.write_text("arm,value\na,-3\na,2\nb,1\nb,-2\n", encoding="utf-8")

    (contrast,) = _json(path, metric="continuous")["contrasts"]

    assert contrast["ratio"] is None
    assert contrast["effect_low_anytime"] is None
    assert contrast["effect_low_fixed"] is not None
    assert contrast["size"] is None


def test_a_table_tells_the_same(counts: Path):
    result = _run(counts)

    assert result.exit_code == 0
    assert "tried against usual" in result.stdout
    assert "+1.59 points" in result.stdout
    assert "1.32×" in result.stdout
    assert "Arm 'tried' is better." in result.stdout
    assert "Planned: 1,000 units per arm." in result.stdout


def test_many_experiments_are_one_line_each_and_an_invalid_one_stops_none(tmp_path: Path):
    path = tmp_path / "many.csv"
    path.write_text(
        "test,arm,units,successes\none,a,9000,450\none,b,9100,600\ntwo,a,50,5\n", encoding="utf-8"
    )

    told, found = _run(path, "--by", "test"), _json(path, "--by", "test")["experiments"]

    assert "2 experiments: 1 invalid, 1 winner." in told.stdout
    assert [(one["experiment"], one["winner"]) for one in found] == [("one", "b"), ("two", None)]
    assert found[1]["because"].startswith("There is one arm")


def test_arms_names_cannot_write_to_the_terminal(tmp_path: Path):
    path = tmp_path / "counts.csv"
    path.write_text(COUNTS.replace("tried", "tr\x1b[31mied"), encoding="utf-8")

    assert "\x1b" not in _run(path).stdout


@pytest.mark.parametrize(
    ("words", "metric", "sentence", "code"),
    [
        ((), "rate", "--metric 'rate' is unknown", 2),
        (("--contrasts", "some"), "proportion", "--contrasts 'some' is unknown", 2),
        (("--correction", "fdr"), "proportion", "--correction 'fdr' is unknown", 2),
        (("--alpha", "1.5"), "proportion", "--alpha lies between 0 and 1", 2),
        (("--smallest-useful", "0.9"), "proportion", "is a ratio above 1", 2),
        (("--planned", "0"), "proportion", "--planned is a number of units", 2),
        (("--log",), "count", "--log is for continuous values", 2),
        (("--shares", "usual"), "proportion", "'usual' is not ARM=SHARE", 2),
        (("--shares", "usual=-1"), "proportion", "'usual=-1' is not ARM=SHARE", 2),
        (("--shares", "usual=1"), "proportion", "declared for usual", 1),
        (("--control", "x"), "proportion", "'x' is not in the file", 1),
        (("--by", "test"), "proportion", "no column 'test'", 1),
        ((), "count", "no column 'value'", 1),
    ],
)
def test_what_does_not_fit_is_one_sentence(counts: Path, words, metric, sentence, code):
    error = _refusal(counts, *words, metric=metric)

    assert sentence in str(error)
    assert error.exit_code == code


def test_a_file_of_one_arm_is_refused(tmp_path: Path):
    path = tmp_path / "counts.csv"
    path.write_text("arm,units,successes\nusual,9000,450\n", encoding="utf-8")

    error = _refusal(path)

    assert "There is one arm, 'usual'" in str(error)
    assert error.exit_code == 1
