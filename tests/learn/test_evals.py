import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from evals.replay import CASES_DIR, main, score
from tests.fakes.claude_server import KEY, ClaudeServer, Scripted

CASES = sorted(CASES_DIR.glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_case_comes_out_as_expected(path: Path):
    result = score(path)
    assert result.failures == []
    assert result.figures_hold


def test_a_case_that_comes_out_otherwise_is_told(tmp_path: Path, capsys):
    case = json.loads((CASES_DIR / "formats.json").read_text())
    case["expected"]["categories"] = ["slide_count"]
    (tmp_path / "formats.json").write_text(json.dumps(case))
    assert main(["--cases", str(tmp_path)]) == 1
    assert "where ['slide_count'] was expected" in capsys.readouterr().out


def test_what_a_service_says_is_recorded_and_replays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
):
    """Recorded as with a real service: through the client, from its answers."""
    cases, recorded = tmp_path / "cases", tmp_path / "recorded"
    cases.mkdir()
    source = json.loads((CASES_DIR / "a_bolder_step.json").read_text())
    (cases / "a_bolder_step.json").write_text(json.dumps({**source, "replies": []}))
    replies = [Scripted(body=json.dumps(body).encode()) for body in source["replies"]]
    with ClaudeServer(*replies) as server:
        monkeypatch.setenv("ANTHROPIC_API_KEY", SecretStr(KEY).get_secret_value())
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        assert main(["--cases", str(cases), "--live", "--record", str(recorded)]) == 0
    text = (recorded / "a_bolder_step.json").read_text()
    assert KEY not in text
    case = json.loads(text)
    said = [json.loads(reply["content"][0]["text"]) for reply in case["replies"]]
    assert said == [json.loads(reply["content"][0]["text"]) for reply in source["replies"]]
    capsys.readouterr()
    assert main(["--cases", str(recorded), "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert (result["writer"], result["questions"]) == ("claude", 2)
