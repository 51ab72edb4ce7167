"""The web server's experiments, as ``afterpost experiment`` tells them."""

import json
import re

import pytest

from pipeline.learn.experiments.registration import METRICS
from pipeline.show.cli.main import main
from tests.show.web.experiments import CONCLUDED, PROPOSED, RUNNING


@pytest.fixture
def told(template, monkeypatch, capsys):
    """What a command that changes nothing prints."""
    monkeypatch.setenv("AFTERPOST_HOME", str(template.home))

    def tell(*words):
        assert main(["experiment", *words]) == 0
        return capsys.readouterr().out

    return tell


def test_a_winner_is_told_with_its_interval_guard_and_posts(told):
    result = json.loads(told("results", CONCLUDED, "--json"))["result"]
    (contrast,) = result["contrasts"]

    shown = told("results", CONCLUDED)

    assert "\nwinner (question): question is better than plain" in shown
    assert f"question to plain: {contrast['ratio']:.2f}× (" in shown
    assert f"{contrast['ratio_low']:.3g} to {contrast['ratio_high']:.3g}" in shown
    assert f"p = {contrast['p_value_anytime_adjusted']:.3g}, adjusted" in shown
    assert f"size: {contrast['size']}" in shown
    assert re.search(r"guard views_7d, question: .*, within bounds", shown)
    for arm in result["arms"]:
        assert re.search(
            rf"^{arm['name']} +{arm['assigned_n']} +{arm['posted_n']} ", shown, re.MULTILINE
        )


def test_one_that_goes_on_says_how_long(told):
    shown = told("results", RUNNING)

    assert "\nkeep going: " in shown
    assert re.search(r"^About \d+ weeks to go\.$", shown, re.MULTILINE)
    assert "at the planned end: not yet" in shown


def test_a_proposal_has_nothing_to_read(told):
    assert told("results", PROPOSED).endswith("proposed: Nothing can be read yet.\n")
    assert "<b>tried</b>" in told("show", PROPOSED)


def test_what_happened_is_told_in_order(told):
    shown = told("show", CONCLUDED)

    happened = shown.split("What happened\n")[1].splitlines()
    assert [line.split()[2] for line in happened] == ["registered", "started", "concluded"]
    assert METRICS["engagement_rate_7d"].name in shown
