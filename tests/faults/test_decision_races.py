"""Many reviewers at once, some of them killed, while a generator reads without pause.

Fewer decisions than the full measure, which takes longer: ``AFTERPOST_TEST_DECISIONS=1000``.
"""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from pipeline.accounts import load_account
from pipeline.clients.state import decision_rows, reading_state
from pipeline.decide.changes import approved_document
from pipeline.decide.context import context_path, ensure_context, history
from pipeline.decide.review import approve, pending, reject
from pipeline.decide.schema import parse_context, render_context
from pipeline.decide.versions import content_of
from pipeline.errors import DecisionError
from pipeline.learn.operations import AddTopPillar
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.settings import Settings
from tests.fakes.published import ACCOUNT, add_account
from tests.fakes.recommendations import NOW, add_pending

REVIEWERS = 8
DECISIONS = int(os.environ.get("AFTERPOST_TEST_DECISIONS", "200"))
RECOMMENDATIONS = DECISIONS // 5


def _review(home: str, seed: int, ids: list[str]) -> None:
    """Decide about a part of the recommendations, in an order of one's own."""
    settings = Settings(home=Path(home), lock_timeout_s=120)
    share = DECISIONS // REVIEWERS
    start = seed * len(ids) // REVIEWERS
    for number in range(share):
        recommendation_id = ids[(start + number * (2 * seed + 1)) % len(ids)]
        decide = reject if (number + seed) % 5 == 0 else approve
        try:
            decide(settings, recommendation_id, by=f"reviewer {seed}", now=NOW)
        except DecisionError:
            continue  # another reviewer decided otherwise


def _poll(path: str, done: Any, reads: Any) -> None:
    """Read the file without pause and check it every time."""
    while not done.is_set():
        parse_context(Path(path).read_bytes(), Path(path))
        reads.value += 1


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(home=tmp_path, lock_timeout_s=120)
    add_account(settings)
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    return settings


def replayed(settings: Settings) -> bytes:
    """The context that the decisions make when each is applied again, one after the other."""
    versions = history(settings, ACCOUNT)
    with reading_state(settings) as state:
        content = content_of(state, ACCOUNT, 1)
        rows = {row["recommendation_id"]: row for row in state.recommendations(ACCOUNT)}
    for version in versions[1:]:
        assert version.recommendation_id is not None
        recommendation = Recommendation.from_row(rows[version.recommendation_id])
        document, _ = approved_document(recommendation, json.loads(content), now=NOW)
        content = render_context(document)
    return content


@pytest.mark.slow
def test_reviewers_that_race_and_die_decide_each_once_and_every_read_is_whole(settings: Settings):
    path = context_path(settings, ACCOUNT)
    ids = [f"rec_{number:012d}" for number in range(RECOMMENDATIONS)]
    for number, recommendation_id in enumerate(ids):
        add_pending(
            settings, AddTopPillar(pillar=f"pillar_{number}"), recommendation_id=recommendation_id
        )
    spawn = multiprocessing.get_context("spawn")
    done, reads = spawn.Event(), spawn.Value("i", 0)
    reader = spawn.Process(target=_poll, args=(str(path), done, reads))
    reader.start()

    def started(seed: int) -> Any:
        reviewer = spawn.Process(target=_review, args=(str(settings.home), seed, ids))
        reviewer.start()
        return reviewer

    reviewers = [started(seed) for seed in range(REVIEWERS)]
    killed = []
    for share in (0.2, 0.4, 0.6):
        deadline = time.monotonic() + 120
        while len(decision_rows(settings)) < share * RECOMMENDATIONS:
            assert time.monotonic() < deadline
            assert any(reviewer.is_alive() for reviewer in reviewers)
            time.sleep(0.02)
        victim = next((one for one in reviewers if one.is_alive()), None)
        if victim is not None:
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim)
            reviewers.append(started(len(reviewers) % REVIEWERS))
    for reviewer in reviewers:
        reviewer.join(240)
    _review(str(settings.home), 0, ids)
    done.set()
    reader.join(60)

    assert reader.exitcode == 0, "a read was not a whole, valid context"
    assert reads.value > RECOMMENDATIONS
    assert killed
    assert {one.exitcode for one in reviewers if one not in killed} == {0}
    rows = decision_rows(settings)
    waiting = {item.recommendation_id for item in pending(settings)}
    decided = [row["recommendation_id"] for row in rows]
    assert len(decided) == len(set(decided))
    assert set(decided) | waiting == set(ids)
    assert set(decided) & waiting == set()
    assert len(decided) > 0.9 * len(ids)
    ensure_context(settings, load_account(settings.accounts_dir, ACCOUNT), NOW)
    approved = {row["recommendation_id"] for row in rows if row["decision"] == "approve"}
    assert 0 < len(approved) < len(decided)
    assert len(history(settings, ACCOUNT)) == 1 + len(approved)
    final = path.read_bytes()
    assert {item["id"] for item in json.loads(final)["approved_recommendations"]} == approved
    assert final == replayed(settings)
