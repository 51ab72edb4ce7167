"""The written rules of the dbt project, read from its files."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

DBT = Path(__file__).parents[2] / "dbt_project"
MODELS = sorted((DBT / "models").rglob("*.sql"))
METRICS = (
    "view", "video_view", "like", "comment", "share", "save", "repost", "follower", "engagement",
)  # fmt: skip
_ZERO_FOR_MISSING = re.compile(
    r"(?:coalesce|ifnull|nvl)\s*\([^()]*\b(?:" + "|".join(METRICS) + r")_\w*\s*,\s*0(?:\.0)?\s*\)",
    re.IGNORECASE,
)
_LAYERS = ("staging", "intermediate", "marts", "stats")


def _name(path: Path) -> str:
    return path.stem


def _documented() -> dict[str, dict[str, Any]]:
    models: dict[str, dict[str, Any]] = {}
    for path in sorted((DBT / "models").rglob("*.yml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        for model in document.get("models", []):
            models[model["name"]] = model
    return models


def _marts() -> list[Path]:
    return [path for path in MODELS if {"marts", "stats"} & set(path.parts)]


def test_there_are_models_to_check():
    assert len(MODELS) > 10


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_begins_with_its_grain(path: Path):
    config = re.compile(r"\A\{\{ config\(.*?\) \}\}\n", re.DOTALL)
    sql = config.sub("", path.read_text(encoding="utf-8"))

    assert sql.startswith("-- Grain: one row per "), sql[:80]


@pytest.mark.parametrize("path", sorted(DBT.rglob("*.sql")), ids=_name)
def test_a_missing_metric_is_never_made_zero(path: Path):
    sql = re.sub(r"--.*|{#.*?#}", "", path.read_text(encoding="utf-8"))

    assert _ZERO_FOR_MISSING.findall(sql) == []


def test_the_check_for_made_up_zeros_finds_one():
    assert _ZERO_FOR_MISSING.search("select coalesce(posts.like_count, 0) as like_count")
    assert not _ZERO_FOR_MISSING.search("select coalesce(posts.post_count, 0) as post_count")


@pytest.mark.parametrize("path", _marts(), ids=_name)
def test_every_column_of_a_mart_is_described(path: Path):
    model = _documented().get(path.stem)

    assert model, f"{path.stem} stands in no .yml"
    assert model.get("description"), path.stem
    assert model.get("columns"), path.stem
    undescribed = [
        column["name"]
        for column in model["columns"]
        if not str(column.get("description", "")).strip()
    ]
    assert undescribed == []
    assert all(column.get("data_type") for column in model["columns"]), "a contract needs types"


# The v_ views keep an older design's names and are for display: posts without a label are a row.
@pytest.mark.parametrize(
    "path", [path for path in _marts() if not path.stem.startswith("v_")], ids=_name
)
def test_a_mart_has_a_test_of_its_key(path: Path):
    tests = _documented()[path.stem].get("data_tests", [])

    names = {next(iter(test)) if isinstance(test, dict) else test for test in tests}
    assert "one_row_per" in names


def test_no_description_is_of_a_model_that_is_gone():
    assert set(_documented()) <= {path.stem for path in MODELS}


@pytest.mark.parametrize("path", MODELS, ids=_name)
def test_a_model_reads_nothing_above_its_layer(path: Path):
    layer_of = {model.stem: _layer(model) for model in MODELS}
    read = re.findall(r"ref\('(\w+)'\)", path.read_text(encoding="utf-8"))

    above = [name for name in read if layer_of.get(name, -1) > _layer(path)]
    assert above == []
    if _layer(path) == 0:
        assert read == [], "staging reads sources only"


def _layer(path: Path) -> int:
    return next(index for index, name in enumerate(_LAYERS) if name in path.parts)
