"""``afterpost reflexion --critique``."""

import json
from pathlib import Path

import pytest

from pipeline.clients.warehouse import publish, writing
from pipeline.show.cli.main import main
from tests.fakes.claude_server import KEY, ClaudeServer, message
from tests.show.published_copies import ACCOUNT, publish_night_owls
from tests.show.test_prediction_scores_shown import SKILL


def test_only_the_option_asks_and_the_writer_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    settings = publish_night_owls(tmp_path)
    with writing(settings, "test") as connection:
        connection.execute(SKILL, {"account": ACCOUNT})
    publish(settings, "v2")
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    command = ["reflexion", "-a", ACCOUNT]
    sentence = {"fact_id": "skill_1", "template": "The record of {what}: {skill}."}

    assert main([*command, "--critique"]) == 0
    assert "Worded by the rules: ANTHROPIC_API_KEY is not set." in capsys.readouterr().out
    with ClaudeServer(message({"sentences": [sentence]})) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        assert main([*command, "--json"]) == 0
        assert "critique" not in json.loads(capsys.readouterr().out)
        assert server.asked == []
        assert main([*command, "--critique", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["critique"]
        assert (told["writer"], told["model"], told["cost_usd"]) == (
            "claude", "claude-sonnet-5-5", "0.004",
        )  # fmt: skip
        assert told["sentences"][0].startswith("The record of views at 7 days on tiktok: 30 posts")
        assert main([*command, "--critique"]) == 0
        printed = " ".join(capsys.readouterr().out.split())
        assert "Worded by claude-sonnet-5-5 for $0.0040." in printed
