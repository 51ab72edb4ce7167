"""What stands under ops/ names metrics that there are, and says what to do."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.settings import Settings
from pipeline.show.monitoring.catalogue import CATALOGUE
from pipeline.show.monitoring.exposition import plain_text
from tests.show.published_copies import publish_night_owls

REPOSITORY = Path(__file__).parents[2]
RULES = REPOSITORY / "ops" / "prometheus_rules.yml"
DASHBOARD = REPOSITORY / "ops" / "grafana_dashboard.json"
EXPORTED = {name: entry for entry in CATALOGUE.values() for name in entry.exported_names}
PROMTOOL = shutil.which("promtool")

_SELECTOR = re.compile(r"(?<!\w)([a-z_][a-z0-9_]*)(\{[^}]*\})?(?!\w|\s*\()")
_WORDS = {"and", "or", "on", "by", "offset", "unless", "without", "ignoring"}
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def _selectors(expression: str) -> Iterator[tuple[str, str]]:
    """Names of series with the labels that select among them."""
    text = _GROUPING.sub("", re.sub(r"\[\w+\]", "", expression))
    for name, labels in _SELECTOR.findall(text):
        if name not in _WORDS and not name.isdigit():
            yield name, labels


def _check(expression: str) -> None:
    selectors = list(_selectors(expression))
    assert selectors, expression
    for name, labels in selectors:
        assert name in EXPORTED, f"{name} in {expression}"
        used = set(re.findall(r"(\w+)\s*[=!]~?", labels))
        assert used <= set(EXPORTED[name].labels), f"{name}{labels}"
    grouped = {
        label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",")
    } - {""}
    known = {label for name, _ in selectors for label in EXPORTED[name].labels}
    assert grouped <= known, expression


def test_the_reading_of_expressions_finds_every_series():
    found = list(
        _selectors(
            'sum by (a, b) (increase(x_total{s="f"}[7d])) / y_sum offset 28d > 0.05 and on() z == 1'
        )
    )
    assert found == [("x_total", '{s="f"}'), ("y_sum", ""), ("z", "")]
    with pytest.raises(AssertionError):
        _check("afterpost_no_such_metric > 0")
    with pytest.raises(AssertionError):
        _check('afterpost_followers{post="1"} > 0')


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_a_rule_names_metrics_that_there_are_and_says_what_to_do(rule: dict[str, Any]):
    _check(rule["expr"])
    assert re.fullmatch(r"Afterpost[A-Z]\w+", rule["alert"])
    assert re.fullmatch(r"\d+[mhd]", rule["for"])
    assert rule["labels"]["severity"] in ("info", "warning", "critical")
    words = rule["annotations"]
    assert set(words) == {"summary", "description", "runbook_url"}
    assert words["summary"].endswith(".")
    for label in re.findall(r"\$labels\.(\w+)", f"{words['summary']} {words['description']}"):
        assert any(label in EXPORTED[name].labels for name, _ in _selectors(rule["expr"])), label


def test_runbook_links_lead_somewhere():
    for rule in _rules():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        headings = re.findall(r"^#+ (.*)$", (REPOSITORY / page).read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}
        assert anchor in anchors, rule["alert"]


def test_each_rule_has_its_own_name():
    names = [rule["alert"] for rule in _rules()]

    assert len(set(names)) == len(names) > 10


@pytest.mark.parametrize("panel", _panels(), ids=lambda panel: panel["title"])
def test_a_panel_of_the_dashboard_shows_metrics_that_there_are(panel: dict[str, Any]):
    assert panel["targets"]
    for target in panel["targets"]:
        _check(target["expr"].replace("$account", "x"))
        legend = re.findall(r"{{(\w+)}}", target["legendFormat"])
        known = {label for name, _ in _selectors(target["expr"]) for label in EXPORTED[name].labels}
        assert set(legend) <= known
        assert target["datasource"]["uid"] == "${datasource}"


def test_the_dashboard_can_be_imported():
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    ids = [panel["id"] for panel in dashboard["panels"]]

    assert len(set(ids)) == len(ids)
    assert dashboard["schemaVersion"] >= 36
    names = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert set(re.findall(r'=~\\"\$(\w+)', json.dumps(dashboard))) <= names
    boxes = [panel["gridPos"] for panel in dashboard["panels"]]
    cells = [
        (x, y)
        for box in boxes
        for x in range(box["x"], box["x"] + box["w"])
        for y in range(box["y"], box["y"] + box["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie on each other"
    assert max(x for x, _ in cells) < 24


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")
def test_promtool_accepts_rules_and_metrics(tmp_path: Path):
    settings: Settings = publish_night_owls(tmp_path)
    assert PROMTOOL is not None
    rules = subprocess.run(
        [PROMTOOL, "check", "rules", RULES], capture_output=True, text=True, check=False
    )
    assert rules.returncode == 0, rules.stdout + rules.stderr
    metrics = subprocess.run(
        [PROMTOOL, "check", "metrics"],
        input=plain_text(settings),
        capture_output=True,
        text=True,
        check=False,
    )
    # 3: remarks on style, such as the name of the first design that ends in _avg.
    assert metrics.returncode in (0, 3), metrics.stdout + metrics.stderr
