"""What to do when a run has failed: told to the log, and to Slack where that is set up.

A run whose worker was lost is repeated by Dagster where retries are switched on: then nobody has to
do anything yet, and nobody is woken for it. The last repetition that fails is told like any other.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from pipeline.clients.slack import is_configured, post
from pipeline.defs.metadata import LONGEST_TEXT
from pipeline.errors import AfterpostError
from pipeline.settings import Settings, load_settings
from pipeline.show.cli.output import plain
from pipeline.show.reports.slack_text import plain as slack_plain

_ADVICE = {
    "ScrapeRejectedError": "Check APIFY_TOKEN and the credit at Apify, then `afterpost scrape`.",
    "ScrapeUnavailableError": "Nothing: the next schedule tries again. If it goes on for days, "
    "check the network.",
    "ScrapeFailedError": "Look at `afterpost health`: it says which profile and why.",
    "RepeatPointlessError": "Look at `afterpost health`: it says which profile and why.",
    "BudgetSpentError": "Wait for the next month, or raise scrape.budget_usd_per_month.",
    "BuildFailedError": "Open the failed check in Dagster: it shows the rows. Readers keep the "
    "last green copy; after mending, `afterpost build`.",
    "WarehouseLockedError": "Close the other program that has the warehouse open; then run again.",
    "WarehouseDamagedError": "`afterpost rebuild` makes the warehouse anew from landing files.",
    "ContextError": "`afterpost context check` names the file; `afterpost context revert NAME` "
    "gives the hand edit up.",
    "ConfigurationError": "Mend what the sentence names, then run again.",
    "NotConfiguredError": "Set what the sentence names in .env, restart Dagster, run again.",
}
_BUG = "This is no expected error: the run's page has the traceback."
_RUNBOOK = "docs/runbook.md"
_WILL_BE_REPEATED = "dagster/will_retry"
"""Set by Dagster together with the failure."""


@dataclass(frozen=True)
class FailedStep:
    """One step of a failed run."""

    step: str
    sentence: str
    error: str | None
    """Name of our error's class; None for a bug."""

    @property
    def advice(self) -> str:
        """What a person can do."""
        if self.error is None:
            return _BUG
        told = [_ADVICE[name] for name in self.error.split(", ") if name in _ADVICE]
        return " ".join(dict.fromkeys(told)) or f"See {_RUNBOOK}."


def failed_steps(events: Sequence[dg.DagsterEvent]) -> list[FailedStep]:
    """The steps that failed by themselves, with the sentence of each."""
    found = []
    for event in events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        told = data.user_failure_data
        if told is not None and told.description:
            error = told.metadata.get("error")
            found.append(
                FailedStep(
                    event.step_key or "?",
                    plain(told.description),
                    None if error is None else str(error.value),
                )
            )
        elif data.error is not None:
            cause = data.error.cause or data.error
            found.append(FailedStep(event.step_key or "?", plain(cause.message.strip()), None))
    return found


def failure_message(job: str, run_id: str, steps: Sequence[FailedStep]) -> str:
    """What failed and what to do, in a few lines."""
    lines = [f"The run {run_id.split('-', maxsplit=1)[0]} of {job} failed."]
    for step in steps[:3]:
        lines += [f"{step.step}: {step.sentence[: 3 * LONGEST_TEXT]}", f"What to do: {step.advice}"]
    if len(steps) > 3:
        lines.append(f"{len(steps) - 3} more steps failed.")
    if not steps:
        lines.append(
            "No step said why: its process was ended from outside. The next schedule starts anew."
        )
    return "\n".join(lines)


def tell(settings: Settings, message: str, log: logging.Logger) -> None:
    """Say it in the log, and in Slack where that is set up. Never raises."""
    log.error(message)
    try:
        if is_configured(settings):
            # One line each: a section is plain text, in which neither mention nor link works.
            lines = [slack_plain(line, 900) for line in message.splitlines()]
            text = {"type": "plain_text", "text": "\n".join(lines)[:3000], "emoji": False}
            post(
                settings,
                text=slack_plain(message, 300),
                blocks=[{"type": "section", "text": text}],
            )
    except AfterpostError as error:
        log.warning("Slack was not told: %s", error)


@dg.run_failure_sensor(
    name="say_what_to_do_when_a_run_fails",
    default_status=dg.DefaultSensorStatus.RUNNING,
    minimum_interval_seconds=30,
    description=(
        "When a run fails: which step, why, and what to do, in this sensor's log and in Slack "
        "where that is set up."
    ),
)
def say_what_to_do_when_a_run_fails(context: dg.RunFailureSensorContext) -> None:
    """Tell about one failed run."""
    run = context.dagster_run
    if run.tags.get(_WILL_BE_REPEATED) == "true":
        context.log.info("The run %s of %s failed and is repeated.", run.run_id[:8], run.job_name)
        return
    entries = context.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    events = [entry.get_dagster_event() for entry in entries]
    tell(
        load_settings(),
        failure_message(run.job_name, run.run_id, failed_steps(events)),
        context.log,
    )
