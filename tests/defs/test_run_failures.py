"""A failed run says what to do: in the log, in Slack where that is set up, and never by failing."""

import logging
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.defs.failures import failure
from pipeline.defs.run_failures import (
    FailedStep,
    failed_steps,
    failure_message,
    say_what_to_do_when_a_run_fails,
    tell,
)
from pipeline.errors import BuildFailedError, NothingPublishedError, ScrapeRejectedError
from pipeline.settings import Settings
from tests.fakes.slack_server import SlackServer, block_problems

LOG = logging.getLogger("told")


@dg.op
def refused() -> None:
    """An expected error, as assets tell them."""
    raise failure(ScrapeRejectedError("No credit \x1b[31mleft <!channel>"))


@dg.op
def broken() -> None:
    """A bug."""
    raise ZeroDivisionError("by zero")


@dg.job
def nightly() -> None:
    """Fails twice over."""
    refused()
    broken()


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[tuple[SlackServer, Settings]]:
    with SlackServer() as server:
        settings = server.settings(Settings(home=tmp_path))
        yield server, settings


def _failed() -> dg.ExecuteInProcessResult:
    return nightly.execute_in_process(raise_on_error=False)


def test_the_message_says_what_failed_why_and_what_to_do():
    result = _failed()
    steps = failed_steps(result.all_events)
    message = failure_message("nightly", result.run_id, steps)

    assert f"The run {result.run_id[:8]} of nightly failed." in message
    assert "refused: No credit  [31mleft <!channel>" in message
    assert "What to do: Check APIFY_TOKEN and the credit at Apify" in message
    assert "broken: ZeroDivisionError: by zero" in message
    assert "the run's page has the traceback" in message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BuildFailedError("x"), "shows the rows"),
        (NothingPublishedError("x"), "docs/runbook.md"),
    ],
)
def test_the_advice_follows_the_kind_of_error(error: Exception, words: str):
    assert words in FailedStep("step", "x", type(error).__name__).advice


def test_a_run_that_was_ended_from_outside_has_no_step():
    assert "No step said why" in failure_message("nightly", "abc-def", [])


def test_it_is_told_to_the_log_and_to_slack(
    slack: tuple[SlackServer, Settings], caplog: pytest.LogCaptureFixture
):
    server, settings = slack

    tell(settings, "The run failed. <!channel>", LOG)

    assert "The run failed." in caplog.text
    (posted,) = server.messages
    (block,) = posted["blocks"]
    assert block["text"]["type"] == "plain_text"
    assert block_problems(posted["blocks"]) == []
    assert "<!channel>" not in block["text"]["text"]
    assert "<!channel>" not in posted["text"]


def test_without_slack_the_log_is_enough(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    tell(Settings(home=tmp_path), "It failed.", LOG)

    assert "It failed." in caplog.text
    assert "Slack" not in caplog.text


def test_a_slack_that_does_not_answer_is_a_warning(
    slack: tuple[SlackServer, Settings], caplog: pytest.LogCaptureFixture
):
    _, settings = slack
    nowhere = settings.model_copy(update={"slack_api_base_url": "http://127.0.0.1:9/"})

    tell(nowhere, "It failed.", LOG)

    assert "Slack was not told" in caplog.text


def test_the_sensor_tells_of_a_real_failed_run(
    slack: tuple[SlackServer, Settings], monkeypatch: pytest.MonkeyPatch
):
    server, settings = slack
    monkeypatch.setattr("pipeline.defs.run_failures.load_settings", lambda: settings)
    with dg.DagsterInstance.local_temp() as instance:
        result = nightly.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            sensor_name="say_what_to_do_when_a_run_fails",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=result.get_run_failure_event(),
        ).for_run_failure()

        say_what_to_do_when_a_run_fails(context)

    (posted,) = server.messages
    assert "of nightly failed." in posted["blocks"][0]["text"]["text"]
    assert "No credit" in posted["blocks"][0]["text"]["text"]


def test_a_failed_run_is_told_about_unless_dagster_repeats_it(
    slack: tuple[SlackServer, Settings], monkeypatch: pytest.MonkeyPatch
):
    server, settings = slack
    monkeypatch.setattr("pipeline.defs.run_failures.load_settings", lambda: settings)
    retries = {"run_retries": {"enabled": True, "max_retries": 1}}
    with dg.DagsterInstance.local_temp(overrides=retries) as instance:
        told = []
        for left in ("1", "0"):
            result = nightly.execute_in_process(
                instance=instance, raise_on_error=False, tags={"dagster/max_retries": left}
            )
            run = instance.get_run_by_id(result.run_id)
            assert run is not None
            context = dg.build_run_status_sensor_context(
                sensor_name="say_what_to_do_when_a_run_fails",
                dagster_instance=instance,
                dagster_run=run,
                dagster_event=result.get_run_failure_event(),
            ).for_run_failure()
            say_what_to_do_when_a_run_fails(context)
            told.append(len(server.messages))

    assert told == [0, 1]
