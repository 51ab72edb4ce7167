"""Replay recorded replies of the model, or ask it, and score what comes of them.

python -m evals.replay [--cases DIR] [--live --record DIR] [--json]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipeline.clients.state import reading_state
from pipeline.clients.state_model_calls import model_call_rows
from pipeline.learn.recommend import recommend
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings, load_settings
from tests.fakes.claude_server import ClaudeServer, Scripted
from tests.fakes.published import ACCOUNT, Effect, add_account, publish
from tests.fakes.recomputed import wrong_figures

CASES_DIR = Path(__file__).with_name("cases")
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Score:
    """What came of one case."""

    name: str
    writer: str | None
    """Who wrote what is stored; None when nothing is."""
    reason: str | None
    categories: list[str]
    questions: int
    passed_at_once: bool
    """Whether the model's first answer was taken."""
    figures_hold: bool
    """Every figure is a placeholder, and equals what its query gives on the published copy."""
    cost_usd: str | None
    """None when it is not known."""
    failures: list[str]
    """How it came out otherwise than expected."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, print the table, and say by the exit code whether all came out well."""
    parser = argparse.ArgumentParser(description="Replay or record replies of the model.")
    parser.add_argument("--cases", type=Path, default=CASES_DIR, help="folder of cases")
    parser.add_argument("--live", action="store_true", help="ask the service; needs a key")
    parser.add_argument("--record", type=Path, help="with --live: where to write its replies")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    paths = sorted(options.cases.glob("*.json"))
    if not paths:
        parser.error(f"no cases in {options.cases}")
    if options.record is not None and not options.live:
        parser.error("--record needs --live")
    live = load_settings() if options.live else None
    if live is not None and live.anthropic_api_key is None:
        parser.error("--live needs ANTHROPIC_API_KEY")
    scores = [score(path, live=live, record=options.record) for path in paths]
    if options.json:
        print(json.dumps([asdict(one) for one in scores], indent=1, ensure_ascii=False))
    else:
        print(table(scores))
    return int(any(one.failures for one in scores))


def score(path: Path, *, live: Settings | None = None, record: Path | None = None) -> Score:
    """Run one case.

    Args:
        path: The case.
        live: Settings to ask the service with; None replays the case's own replies.
        record: Where to write the case with the service's replies.
    """
    case = json.loads(path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="evals-") as folder:
        home = Settings(home=Path(folder) / "home")
        add_account(home)
        publish(home, [Effect(**one) for one in case["effects"]], used_formats=case["used_formats"])
        if live is not None:
            recorded = Path(folder) / "recorded"
            asking = live.model_copy(update={"home": home.home, "anthropic_record_dir": recorded})
            report = recommend(asking, ACCOUNT, now=NOW)
            if record is not None:
                _write_recorded(case, recorded, record / path.name)
            return _scored(path.stem, home, report.reason, None)
        replies = [Scripted(body=json.dumps(body).encode()) for body in case["replies"]]
        with ClaudeServer(*replies) as server:
            report = recommend(server.settings(home), ACCOUNT, now=NOW)
        return _scored(path.stem, home, report.reason, case["expected"])


def table(scores: Sequence[Score]) -> str:
    """The scores as a table, and the totals below it."""
    lines = [f"{'case':<30} {'writer':<8} {'asked':>5} {'at once':>8} {'figures':>8} {'USD':>9}"]
    for one in scores:
        cost = "unknown" if one.cost_usd is None else f"{Decimal(one.cost_usd):.6f}"
        lines.append(
            f"{one.name:<30} {one.writer or '-':<8} {one.questions:>5} "
            f"{'yes' if one.passed_at_once else 'no':>8} "
            f"{'hold' if one.figures_hold else 'WRONG':>8} {cost:>9}"
        )
        lines += [f"    {failure}" for failure in one.failures]
    taken = sum(one.writer == "claude" for one in scores)
    at_once = sum(one.passed_at_once for one in scores)
    lines.append(
        f"{len(scores)} cases: the model's words were taken in {taken}, {at_once} answers passed "
        f"at once, {sum(bool(one.failures) for one in scores)} came out otherwise than expected"
    )
    return "\n".join(lines)


def _scored(
    name: str, home: Settings, reason: str | None, expected: dict[str, Any] | None
) -> Score:
    with reading_state(home) as state:
        stored = [Recommendation.from_row(row) for row in state.recommendations(ACCOUNT)]
    calls = model_call_rows(home)
    costs = [None if call["cost_usd"] is None else Decimal(call["cost_usd"]) for call in calls]
    known = [cost for cost in costs if cost is not None]
    result = Score(
        name=name,
        writer=stored[0].writer.value if stored else None,
        reason=reason,
        categories=[item.category.value for item in stored],
        questions=len(calls),
        passed_at_once=len(calls) == 1 and {call["outcome"] for call in calls} == {"answered"},
        figures_hold=not any(wrong_figures(home, item) for item in stored),
        cost_usd=str(sum(known, Decimal(0))) if len(known) == len(costs) else None,
        failures=[],
    )
    if not result.figures_hold:
        result.failures.append("a figure is not the measured one")
    if expected is not None:
        result.failures.extend(_differences(result, expected))
    return result


def _differences(result: Score, expected: dict[str, Any]) -> list[str]:
    found = []
    for key in ("writer", "categories", "questions"):
        got = getattr(result, key)
        if got != expected[key]:
            found.append(f"{key}: {got!r} where {expected[key]!r} was expected")
    wanted = expected["reason"]
    if (wanted is None) is not (result.reason is None) or (wanted or "") not in (
        result.reason or ""
    ):
        found.append(f"reason: {result.reason!r} where {wanted!r} was expected")
    return found


def _write_recorded(case: dict[str, Any], recorded: Path, target: Path) -> None:
    """The case again, with what the service said, and no expectation."""
    files = sorted(recorded.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    replies = [json.loads(path.read_text(encoding="utf-8"))["response"] for path in files]
    target.parent.mkdir(parents=True, exist_ok=True)
    content = {**case, "replies": replies, "expected": None}
    text = json.dumps(content, indent=1, ensure_ascii=False)
    target.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
