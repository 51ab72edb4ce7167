"""A process that is killed while it waits for a batch: the next one takes the batch up."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pipeline.clients.state import reading_state
from pipeline.clients.state_model_calls import model_call_rows
from pipeline.learn.recommend import recommend_all
from pipeline.settings import Settings
from tests.fakes.claude_batches import Batching
from tests.fakes.claude_server import KEY, ClaudeServer
from tests.fakes.model_replies import about_the_first
from tests.fakes.published import Effect, add_account, publish

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
NAMES = ("sleepy", "drowsy")

PROGRAM = """
from datetime import UTC, datetime
from pipeline.learn.recommend import recommend_all
from pipeline.settings import load_settings
recommend_all(load_settings(), ("sleepy", "drowsy"), now=datetime(2026, 11, 20, 9, tzinfo=UTC))
"""


def test_a_batch_outlives_the_process_that_started_it(tmp_path: Path):
    settings = Settings(home=tmp_path, lock_timeout_s=20, anthropic_batches=True)
    for name in NAMES:
        add_account(settings, name=name)
    publish(settings, [replace(Effect(effect=1.4), account_name=name) for name in NAMES])
    with ClaudeServer(about_the_first(), batching=Batching(looks_until_end=10**9)) as server:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={
                **os.environ,
                "AFTERPOST_HOME": str(tmp_path),
                "AFTERPOST_ANTHROPIC_BATCHES": "1",
                "ANTHROPIC_API_KEY": KEY,
                "ANTHROPIC_BASE_URL": server.url,
            },
        )
        try:
            deadline = time.monotonic() + 60
            while not any(batch.looks for batch in server.batching.batches.values()):
                assert process.poll() is None, "it ended before it waited"
                assert time.monotonic() < deadline
                time.sleep(0.05)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert {call["batch_id"] for call in model_call_rows(settings)} == {"msgbatch_01"}

        server.batching.looks_until_end = 1
        recommend_all(server.settings(settings), NAMES, now=NOW)

    assert len(server.batching.batches) == 1
    assert {call["outcome"] for call in model_call_rows(settings)} == {"answered"}
    with reading_state(settings) as state:
        rows = state.recommendations()
    assert sorted(row["account_name"] for row in rows) == sorted(NAMES)
    assert {row["writer"] for row in rows} == {"claude"}
