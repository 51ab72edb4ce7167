"""``afterpost experiment plan`` on a terminal: it asks, and who leaves leaves nothing behind."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.clients.state_experiments import experiment_rows
from tests.fakes.planned_experiments import publish_posts
from tests.fakes.published import ACCOUNT

PLAN = ["experiment", "plan", "--account", ACCOUNT, "--platform", "tiktok"]
ANSWERS = [
    "Do questions work better?", "usual=hook_style:statement", "question=hook_style:question", "",
    "engagement rate", "save_rate:0.9", "20%",
]  # fmt: skip
CTRL_C, CTRL_D = b"\x03", b"\x04"


@pytest.fixture
def settings(tmp_path):
    return publish_posts(tmp_path)


def _terminal(home: Path, words: Sequence[str], typed: Sequence[bytes]) -> tuple[int, str]:
    """Type into a command on a terminal of its own, an answer per prompt."""
    code = (
        "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
        "from pipeline.show.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    parent, child = pty.openpty()
    environment = {**os.environ, "AFTERPOST_HOME": str(home), "TERM": "dumb", "NO_COLOR": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(child)
    shown, waiting = b"", list(typed)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if not select.select([parent], [], [], 1.0)[0]:
            if not waiting and typed[-1] == CTRL_C and b"Nothing was" not in shown:
                os.write(parent, CTRL_C)  # the first came before the program listened
            continue
        try:
            new = os.read(parent, 4096)
        except OSError:  # the other end was closed
            break
        shown += new
        if waiting and re.search(rb"(: |\] )$", shown):
            os.write(parent, waiting.pop(0))
            shown += b"\n"
    exit_code = process.wait(timeout=30)
    os.close(parent)
    return exit_code, shown.decode("utf-8", errors="replace")


@pytest.mark.slow
def test_on_a_terminal_it_asks_and_stores_what_is_agreed_to(settings):
    typed = [f"{answer}\n".encode() for answer in [*ANSWERS, "y"]]

    code, shown = _terminal(settings.home, PLAN, typed)

    assert code == 0, shown
    (row,) = experiment_rows(settings)
    assert row["experiment_id"] in shown


@pytest.mark.slow
@pytest.mark.parametrize("key", [CTRL_C, CTRL_D], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize("count", [1, 7])
def test_who_leaves_at_a_prompt_leaves_nothing_behind(settings, key, count):
    typed = [f"{answer}\n".encode() for answer in ANSWERS[:count]]

    code, shown = _terminal(settings.home, PLAN, [*typed, key])

    assert code == 0, shown
    assert ("Nothing was planned" if count == 1 else "Nothing was stored") in shown
    assert "Traceback" not in shown
    assert experiment_rows(settings) == []
