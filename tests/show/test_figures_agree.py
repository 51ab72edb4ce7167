"""The dashboard, the command line, Slack and Prometheus show the figures of the published copy.

Each is asked as a person or a program would ask it, and held against SQL of this test's own: JSON
and metrics to the last bit, texts to the last digit that they show.
"""

import html
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.clients.warehouse import publish, reading, writing
from pipeline.learn.recommend import recommend
from pipeline.show.cli.main import main
from tests.fakes.dashboard_copy import publish_dashboard_copy
from tests.fakes.published import ACCOUNT

NBSP = "\N{NO-BREAK SPACE}"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PLATFORMS = ("instagram", "tiktok")
TITLES = {"instagram": "Instagram", "tiktok": "TikTok"}

_ODD = """
-- Figures that no rounding leaves as they are.
update marts.fct_post_performance set
    view_7d = view_7d * 1.0372915 + 0.123456789,
    engagement_7d = engagement_7d * 0.9871553 + 0.000317,
    engagement_rate_views = engagement_rate_views * 1.00731;
update stats.segment_effects set
    effect = effect * 1.00537, effect_low = effect_low * 0.99611, effect_high = effect_high * 1.0049
where effect is not null;
"""

_USUAL = """
select
    count(*) as post_count,
    median(view_7d) as views_7d_median, count(view_7d) as views_7d_count,
    median(engagement_7d) as engagement_7d_median, count(engagement_7d) as engagement_7d_count,
    median(engagement_rate_views) as engagement_rate_median
from marts.fct_post_performance
where account_name = $account and platform = $platform
"""

_EFFECTS = """
select platform, segment, outcome, n, effect, effect_low, effect_high
from stats.segment_effects
where account_name = $account and dimension = 'format'
  and outcome in ('views_7d', 'engagement_7d')
order by all
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = publish_dashboard_copy(tmp_path_factory.mktemp("home"), 240)
    with writing(settings, "test") as connection:
        connection.execute(_ODD)
    publish(settings, "v2")
    recommend(settings, ACCOUNT, now=NOW)
    return settings


@pytest.fixture(scope="module")
def answers():
    """What was asked before, by the words that asked it."""
    return {}


@pytest.fixture
def ask(settings, answers, capsys, monkeypatch):
    """What the program prints; the same question is asked once."""

    def run(*words: str) -> str:
        if words not in answers:
            monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
            capsys.readouterr()
            assert main(list(words)) == 0
            answers[words] = capsys.readouterr().out
        return answers[words]

    return run


@pytest.fixture(scope="module")
def copy(settings):
    """Rows of the published copy by this test's own SQL."""

    def rows(sql: str, **values: object) -> list[dict[str, object]]:
        with reading(settings) as connection:
            cursor = connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    return rows


def _usual(copy, platform: str) -> dict[str, float]:
    (row,) = copy(_USUAL, account=ACCOUNT, platform=platform)
    return row


def _shown(usual) -> tuple[str, str]:
    """The usual post as texts show it: with its n, by views or else by engagements."""
    if usual["views_7d_median"] is not None:
        return f"{usual['views_7d_median']:,.0f}", str(usual["views_7d_count"])
    return f"{usual['engagement_7d_median']:,.0f}", str(usual["engagement_7d_count"])


def _dashboard(ask) -> str:
    path = json.loads(ask("analyze", "--account", ACCOUNT, "--dashboard", "--json"))["dashboard"]
    return Path(path).read_text(encoding="utf-8").replace(NBSP, " ")


def _slack_texts(ask) -> list[str]:
    """The texts of all blocks, in their order."""
    answer = json.loads(ask("report", "weekly", "--account", ACCOUNT, "--to", "slack", "--json"))
    texts: list[str] = []

    def collect(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("text"), str):
                texts.append(node["text"])
            for value in node.values():
                collect(value)
        elif isinstance(node, list):
            for value in node:
                collect(value)

    collect([message["blocks"] for message in answer["messages"]])
    return texts


def test_the_usual_post_is_the_same_everywhere(ask, copy):
    profiles = json.loads(ask("analyze", "--account", ACCOUNT, "--json"))["profiles"]
    metrics = ask("metrics")
    page = _dashboard(ask)
    cards = re.findall(r'<div class="card">(.*?)</dl>', page, re.DOTALL)
    slack = [text for text in _slack_texts(ask) if text.startswith("*The usual post*")]
    overview = ask("analyze", "--account", ACCOUNT).replace(NBSP, " ")

    for place, platform in enumerate(PLATFORMS):
        usual = _usual(copy, platform)
        value, n = _shown(usual)
        (profile,) = [one for one in profiles if one["platform"] == platform]
        assert {name: profile[name] for name in usual} == usual
        for name, metric in (
            ("views_7d_median", "afterpost_views_7d_median"),
            ("views_7d_count", "afterpost_views_7d_posts"),
            ("engagement_7d_median", "afterpost_engagement_7d_median"),
            ("engagement_7d_count", "afterpost_engagement_7d_posts"),
            ("engagement_rate_median", "afterpost_engagement_rate_median_ratio"),
            ("post_count", "afterpost_posts_ingested_total"),
        ):
            assert _metric(metrics, metric, platform) == usual[name]
        assert f"{value} " in f"{slack[place]} "
        assert slack[place].endswith(f"n {n}")
        (card,) = [card for card in cards if f"<h2>{TITLES[platform]} " in card]
        assert f">{value} <" in card.replace("<dd>", ">")
        assert f"{n} posts" in card
        assert re.search(rf"{platform} .* {value} (?:views|eng\.) +{n} ", overview)
        if usual["engagement_rate_median"] is not None:
            assert f"{100 * usual['engagement_rate_median']:.2f}" in card


def _metric(text: str, name: str, platform: str) -> float | None:
    """A sample's value; None where it is left out because nobody knows it."""
    found = re.findall(
        rf'^{name}{{account="{ACCOUNT}",platform="{platform}"}} (\S+)$', text, re.MULTILINE
    )
    return float(found[0]) if found else None


def test_effects_are_the_same_everywhere(ask, copy):
    told = json.loads(ask("analyze", "--account", ACCOUNT, "--focus", "formats", "--json"))
    page = _dashboard(ask)
    (embedded,) = re.findall(
        r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL
    )
    charts = json.loads(embedded)
    drawn = {
        (row["name"], row["n"], row["effect"], row["low"], row["high"])
        for key, spec in charts["specs"].items()
        if key.startswith("formats-")
        for row in spec["data"]["values"]
        if row["effect"] is not None
    }
    table = ask("analyze", "--account", ACCOUNT, "--focus", "formats")
    known = [row for row in copy(_EFFECTS, account=ACCOUNT) if row["effect"] is not None]

    assert len(known) >= 4
    for row in known:
        figures = tuple(row[name] for name in ("n", "effect", "effect_low", "effect_high"))
        (segment,) = [
            one
            for one in told["segments"]
            if all(one[name] == row[name] for name in ("platform", "segment", "outcome"))
        ]
        assert tuple(segment[name] for name in ("n", "effect", "effect_low", "effect_high")) == (
            figures
        )
        assert (row["segment"], *figures) in drawn
        if row["outcome"] == "views_7d":
            interval = f"{row['effect_low']:.2f}–{row['effect_high']:.2f}"
            assert re.search(
                rf"{row['segment']} +{row['n']} +{row['effect']:.2f}× +{interval}", table
            )


def test_findings_are_worded_with_the_same_figures_everywhere(ask, copy):
    told = json.loads(ask("analyze", "--account", ACCOUNT, "--json"))
    page = html.unescape(re.sub(r"<[^>]+>", " ", _dashboard(ask)))
    slack = "\n".join(_slack_texts(ask))
    waiting = [item for item in told["pending"] if item["figures"].get("effect") is not None]

    assert told["findings"]
    for finding in told["findings"]:
        (row,) = copy(
            "select n, effect, effect_low, effect_high from stats.segment_effects "
            "where account_name = $account and platform = $platform and dimension = $dimension "
            "and segment = $segment and outcome = $outcome",
            account=ACCOUNT,
            **{name: finding[name] for name in ("platform", "dimension", "segment", "outcome")},
        )
        assert {name: finding[name] for name in row} == row
        interval = f"{row['effect_low']:.2f}–{row['effect_high']:.2f}"
        assert f"{row['effect']:.2f}×" in page
        assert f"90 % interval {interval}" in page
        for item in waiting:
            if item["findings"][0].get("finding_id") == finding["finding_id"]:
                assert f"{row['effect']:.2f}×" in slack
                assert f"90 % interval {interval}, {row['n']} posts" in slack
    known = {item["findings"][0].get("finding_id") for item in waiting}
    assert known & {finding["finding_id"] for finding in told["findings"]}


def test_counts_of_verdicts_are_the_copys(ask, copy):
    metrics = ask("metrics")

    for row in copy(
        "select platform, verdict, count(*) as n from stats.segment_effects "
        "where account_name = $account and outcome = 'views_7d' group by all",
        account=ACCOUNT,
    ):
        line = (
            f'afterpost_segments{{account="{ACCOUNT}",platform="{row["platform"]}",'
            f'verdict="{row["verdict"]}"}} {row["n"]}.0'
        )
        assert line in metrics.splitlines()
