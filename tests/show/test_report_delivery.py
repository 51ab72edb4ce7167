"""A report goes to Slack once, whoever runs it, however often, and whatever dies in the middle."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clients import state_reports
from pipeline.clients.state_reports import CLAIM_HOLDS, DeliveryKey, DeliveryStatus
from pipeline.errors import SlackRefusedError, SlackUnavailableError, SlackUnclearError
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.reports.deliver import Delivery, Outcome, deliver_report
from pipeline.show.reports.periods.calendar import PeriodKind
from tests.fakes.reported_world import NOW, Reported, publish_world
from tests.fakes.slack_server import CHANNEL, HANG_UP, STALL, SlackServer, refused, too_many

KEY = DeliveryKey("weekly", "2026-W20", "sleepy", f"slack:{CHANNEL}")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Settings:
    accounts = [Reported("sleepy", ratio=3.0), Reported("other")]
    return publish_world(tmp_path_factory.mktemp("home"), accounts)


@pytest.fixture
def server():
    with SlackServer() as slack:
        yield slack


@pytest.fixture
def settings(made, server, tmp_path) -> Settings:
    """The same copy, and a state database of the test's own."""
    own = made.model_copy(update={"state_url": Settings(home=tmp_path).state_database_url})
    return server.settings(own)


def send(settings: Settings, *, again: bool = False, account: str | None = "sleepy") -> Delivery:
    return deliver_report(
        settings, PeriodKind.WEEKLY, account=account, to="slack", now=NOW, again=again
    )


def test_a_report_is_sent_with_its_pictures_and_noted(settings, server):
    sent = send(settings)

    assert sent.outcome is Outcome.SENT
    (message,) = server.messages
    assert message["blocks"][0]["text"]["text"].startswith("Weekly report: Sleepy, week 20")
    assert next(one["filename"] for one in server.files.values()) == "movement.png"
    assert all(one["content"].startswith(b"\x89PNG") for one in server.files.values())
    assert {one["thread_ts"] for one in server.files.values()} == {message["ts"]}
    row = state_reports.delivery(settings, KEY)
    assert row is not None
    assert (row["status"], row["message_id"]) == ("sent", message["ts"])
    assert row["warehouse_version"] == "20260521T120000_abcdef"


def test_a_second_run_sends_nothing_and_says_when_it_was_sent(settings, server):
    send(settings)
    later = send(settings)

    assert later.outcome is Outcome.ALREADY_SENT
    assert later.sentence == "Sent already, at 2026-05-18 12:00Z to #reports."
    assert len(server.messages) == 1


def test_another_account_period_or_channel_is_another_report(settings, server):
    send(settings)
    send(settings, account="other")
    send(settings, account=None)
    elsewhere = settings.model_copy(update={"slack_channel": "C0123456789"})
    send(elsewhere)
    deliver_report(settings, "daily", account="sleepy", to="slack", now=NOW)

    roots = [message for message in server.messages if "thread_ts" not in message]
    assert len(roots) == 5


def test_accounts_stand_in_the_thread_of_the_report_on_all(settings, server):
    send(settings, account=None)

    root, *thread = server.messages
    assert "all 2 accounts" in root["blocks"][0]["text"]["text"]
    assert {message["thread_ts"] for message in thread} == {root["ts"]}


def test_a_person_can_have_it_sent_again(settings, server):
    send(settings)
    again = send(settings, again=True)

    assert again.outcome is Outcome.SENT
    assert len(server.messages) == 2


def test_a_refused_report_is_sent_by_the_next_run(settings, server):
    server.replies["chat.postMessage"].extend([refused("not_in_channel"), too_many(3600)])

    with pytest.raises(SlackRefusedError, match="invite it"):
        send(settings)
    with pytest.raises(SlackUnavailableError):
        send(settings)
    assert send(settings).outcome is Outcome.SENT

    assert len(server.messages) == 1
    row = state_reports.delivery(settings, KEY)
    assert row is not None
    assert (row["status"], row["attempt_count"], row["reason"]) == ("sent", 3, None)


def test_slacks_wait_is_obeyed_and_the_report_arrives(settings, server):
    server.replies["chat.postMessage"].append(too_many(1))

    assert send(settings).outcome is Outcome.SENT
    assert [method for method, _ in server.called][:2] == ["chat.postMessage"] * 2
    assert len(server.messages) == 1


def test_a_lost_answer_is_never_followed_by_a_second_message(settings, server):
    server.replies["chat.postMessage"].append(HANG_UP)

    with pytest.raises(SlackUnclearError, match="may have been posted"):
        send(settings)
    later = send(settings)

    assert later.outcome is Outcome.PERHAPS_SENT
    assert "--again sends it in any case" in later.sentence
    assert len(server.messages) == 1


def test_what_fails_in_the_thread_is_told_and_does_not_send_the_report_twice(settings, server):
    server.replies["files.getUploadURLExternal"].append(refused("file_uploads_disabled"))

    sent = send(settings)

    assert sent.outcome is Outcome.SENT
    assert "Its pictures are missing" in sent.sentence
    row = state_reports.delivery(settings, KEY)
    assert row is not None
    assert "does not allow files" in row["reason"]
    assert send(settings).outcome is Outcome.ALREADY_SENT


@pytest.mark.parametrize("reply", [HANG_UP, refused("msg_blocks_too_long"), too_many(3600)])
def test_a_broken_thread_does_not_send_the_report_twice(settings, server, reply):
    server.replies["chat.postMessage"].extend([None, reply])

    sent = send(settings, account=None)

    assert sent.outcome is Outcome.SENT
    assert "Its thread is not whole" in sent.sentence
    assert send(settings, account=None).outcome is Outcome.ALREADY_SENT
    assert len([message for message in server.messages if "thread_ts" not in message]) == 1


def test_many_runs_at_once_send_one_message(settings, server):
    with ThreadPoolExecutor(6) as pool:
        outcomes = [one.outcome for one in pool.map(lambda _: send(settings), range(6))]

    assert len(server.messages) == 1
    assert outcomes.count(Outcome.SENT) == 1


def test_a_failure_before_the_sending_leaves_the_report_to_the_next_run(
    settings, server, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.show.reports.deliver.slack_messages", _broken)
        with pytest.raises(ZeroDivisionError):
            send(settings)

    assert server.called == []
    assert send(settings).outcome is Outcome.SENT


def _broken(report: object) -> list[object]:
    raise ZeroDivisionError


def test_a_claim_of_a_process_that_is_gone_is_taken_over_and_it_may_not_send_any_more(settings):
    slow = state_reports.claim(settings, KEY, NOW)
    assert slow is not None

    assert state_reports.claim(settings, KEY, NOW + CLAIM_HOLDS - timedelta(seconds=1)) is None
    taken = state_reports.claim(settings, KEY, NOW + CLAIM_HOLDS)

    assert taken is not None
    assert not state_reports.begin_sending(settings, slow)
    assert state_reports.begin_sending(settings, taken)
    assert state_reports.claim(settings, KEY, NOW + timedelta(days=30)) is None, "may stand there"
    state_reports.note_not_sent(settings, slow, DeliveryStatus.FAILED, "late")
    row = state_reports.delivery(settings, KEY)
    assert row is not None
    assert row["status"] == "sending"


def program(settings: Settings, server: SlackServer) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        **server.environment(),
        "AFTERPOST_HOME": str(settings.home),
        "AFTERPOST_STATE_URL": settings.state_database_url,
    }
    words = ["report", "weekly", "-a", "sleepy", "--to", "slack", "--period-end", "2026-05-17"]
    code = "from pipeline.show.cli.main import run; run()"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_programs_at_once_send_one_message_and_both_end_well(settings, server):
    first, second = program(settings, server), program(settings, server)
    told = [one.communicate(timeout=60) for one in (first, second)]

    assert [one.returncode for one in (first, second)] == [0, 0], told
    assert len(server.messages) == 1
    assert sum(out.startswith("Sent to #reports.") for out, _ in told) == 1


def test_a_program_killed_while_it_sends_is_not_followed_by_a_second_message(settings, server):
    server.replies["chat.postMessage"].append(STALL)
    dying = program(settings, server)
    assert server.stalled.wait(60)
    dying.kill()
    dying.communicate()
    server.go_on.set()

    later = send(settings)

    assert later.outcome is Outcome.PERHAPS_SENT
    assert len(server.messages) == 1


def test_without_a_token_a_preview_is_shown_and_all_is_well(made, capsys, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(made.home))
    words = ["report", "weekly", "-a", "sleepy", "--to", "slack", "--period-end", "2026-05-17"]

    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "Weekly report: Sleepy, week 20" in shown
    assert "Nothing was sent. Slack needs a bot token: set SLACK_BOT_TOKEN" in shown
    assert main([*words, "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "preview"
    assert told["messages"][0]["blocks"][0]["type"] == "header"
    assert state_reports.delivery(made, KEY) is None, "a preview is no delivery"


def test_the_command_says_what_slack_said_and_fails(settings, server, capsys, monkeypatch):
    server.replies["chat.postMessage"].append(refused("channel_not_found"))
    monkeypatch.setenv("AFTERPOST_HOME", str(settings.home))
    monkeypatch.setenv("AFTERPOST_STATE_URL", settings.state_database_url)
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)

    code = main(["report", "weekly", "-a", "sleepy", "--to", "slack", "--period-end", "2026-05-17"])

    assert code == 1
    error = " ".join(capsys.readouterr().err.split())
    assert error.startswith("error: There is no channel #reports that the app can see")
