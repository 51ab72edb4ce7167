"""What rounds make of findings: opening, worsening, ending, cool-down; and what is stored of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.accounts import AlertKind
from pipeline.clients.state_alerts import (
    AlertChanges,
    acknowledge_alert,
    alert_event_rows,
    alert_rows,
    change_alerts,
    claim_untold_events,
    settle_events,
)
from pipeline.clients.state_as_of import copy_state_as_of
from pipeline.settings import REPOSITORY, Settings
from pipeline.show.alerts.findings import Alert, Finding, Says, Severity
from pipeline.show.alerts.rounds import COURSES, EventKind, Turn, turn
from pipeline.show.alerts.telling import LOG, tell_waiting
from pipeline.show.alerts.watch import event_row
from tests.fakes.slack_server import HANG_UP, Reply, SlackServer, refused

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SCOPE = {("night_owls", kind) for kind in AlertKind}


def failing(**changes: Any) -> Finding:
    figures = {
        "handle": "nightowls", "miss_count": 2, "outcome": "throttled",
        "outcome_words": "throttled", "last_seen_at": "2026-11-18T08:00:00Z", "to_do": None,
    }  # fmt: skip
    values = {
        "kind": AlertKind.SCRAPE_FAILING, "account_name": "night_owls", "platform": "tiktok",
        "subject": "tiktok", "severity": Severity.WARNING, "figures": figures,
    }  # fmt: skip
    return Finding(**{**values, **changes})


class Course:
    """Alerts as a database would hold them, one round after another."""

    def __init__(self) -> None:
        self.alerts: dict[str, Alert] = {}

    def round(self, *findings: Finding, now: datetime = NOW, **changes: Any) -> Turn:
        relevant = [
            one
            for one in self.alerts.values()
            if one.is_open or (one.quiet_until and one.quiet_until > now)
        ]
        made = turn(
            relevant,
            findings,
            looked_at=changes.get("looked_at", SCOPE),
            silenced=changes.get("silenced", ()),
            now=now,
            new_id=lambda finding: f"{finding.subject}_{len(self.alerts)}",
        )
        self.alerts |= {one.alert_id: one for one in [*made.new, *made.changed]}
        return made


def events(made: Turn) -> list[str]:
    return [event.event.value for event in made.events]


def test_the_same_finding_at_every_round_is_one_alert_and_one_event():
    course = Course()
    made = [course.round(failing(), now=NOW + n * DAY) for n in range(5)]

    assert [events(one) for one in made] == [["opened"], [], [], [], []]
    (alert,) = course.alerts.values()
    assert (alert.first_seen_at, alert.last_seen_at) == (NOW, NOW + 4 * DAY)


def test_a_worse_finding_is_told_and_a_milder_one_is_not():
    course = Course()
    course.round(failing())
    worse = course.round(failing(severity=Severity.CRITICAL), now=NOW + DAY)
    milder = course.round(failing(), now=NOW + 2 * DAY)
    again = course.round(failing(severity=Severity.CRITICAL), now=NOW + 3 * DAY)

    assert [events(one) for one in (worse, milder, again)] == [["worsened"], [], []]


def test_what_is_no_longer_found_is_resolved_once_and_rests_for_its_cool_down():
    course = Course()
    course.round(failing())
    over = course.round(now=NOW + DAY)
    too_soon = course.round(failing(), now=NOW + DAY + timedelta(hours=23))
    later = course.round(failing(), now=NOW + 2 * DAY)

    assert events(over) == ["resolved"]
    assert over.events[0].sentence == "Scrapes on tiktok can be relied on again."
    assert (events(too_soon), events(later)) == ([], ["opened"])
    assert len(course.alerts) == 2


def test_where_nothing_could_be_seen_nothing_ends():
    course = Course()
    course.round(failing())

    assert events(course.round(looked_at=())) == []


def test_a_weak_finding_keeps_an_alert_and_starts_none():
    course = Course()
    assert events(course.round(failing(says=Says.KEEP))) == []
    course.round(failing())
    assert events(course.round(failing(says=Says.KEEP), now=NOW + DAY)) == []
    assert events(course.round(failing(says=Says.END), now=NOW + 2 * DAY)) == ["resolved"]


def test_news_is_closed_without_a_word_after_its_time_and_never_comes_back():
    course = Course()
    verdict = failing(
        kind=AlertKind.VERDICT_CONCLUDED,
        subject="rec_1",
        figures={
            "dimension": "format", "segment": "step_guide", "verdict": "worked", "effect": 1.4,
            "effect_low": 1.1, "effect_high": 1.8, "n": 20, "control_n": 25,
        },
    )  # fmt: skip
    opened = course.round(verdict)
    waits = course.round(now=NOW + 10 * DAY)
    closed = course.round(verdict, now=NOW + 14 * DAY)
    again = course.round(verdict, now=NOW + 15 * DAY)

    assert opened.new[0].sentence == (
        "Verdict on format step_guide on tiktok: worked; 1.40× the posts it took the place of "
        "(90 % interval 1.10× to 1.80×, 20 against 25 posts)."
    )
    assert [events(one) for one in (waits, closed, again)] == [[], ["closed"], []]
    assert not EventKind.CLOSED.is_told


def test_of_two_findings_about_one_thing_the_worse_one_counts():
    made = Course().round(failing(), failing(severity=Severity.CRITICAL))

    assert [one.severity for one in made.new] == [Severity.CRITICAL]


def test_every_kind_has_a_course():
    assert COURSES.keys() == set(AlertKind)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def store(settings: Settings, *findings: Finding, now: datetime = NOW) -> Turn:
    """One round against the real database."""
    kept: list[Turn] = []

    def decide(rows: list[dict[str, Any]]) -> AlertChanges:
        made = turn(
            [Alert.from_row(row) for row in rows],
            findings,
            looked_at=SCOPE,
            silenced=(),
            now=now,
            new_id=lambda finding: f"{finding.subject}_{now:%d}",
        )
        kept.append(made)
        return AlertChanges(
            [one.row() for one in made.new],
            [one.row() for one in made.changed],
            [event_row(one) for one in made.events],
        )

    change_alerts(settings, now, decide)
    return kept[-1]


def test_an_alert_comes_back_from_the_database_as_it_went_in(settings: Settings):
    made = store(settings, failing())

    assert [Alert.from_row(row) for row in alert_rows(settings)] == made.new


def test_reading_alerts_creates_no_database(settings: Settings):
    assert alert_rows(settings) == []
    assert claim_untold_events(settings, NOW) == []
    assert acknowledge_alert(settings, "x", by="ann", note=None, at=NOW) is None
    assert not settings.warehouse_dir.exists()


def test_who_acknowledges_first_stays_and_a_later_round_does_not_undo_it(settings: Settings):
    store(settings, failing())
    first = acknowledge_alert(settings, "tiktok_20", by="ann", note="on it", at=NOW)
    second = acknowledge_alert(settings, "tiktok_20", by="bob", note=None, at=NOW + DAY)
    store(settings, failing(), now=NOW + DAY)

    (row,) = alert_rows(settings)
    assert first == {**row, "last_seen_at": NOW}
    assert second is not None
    assert (second["acknowledged_by"], row["acknowledged_by"]) == ("ann", "ann")
    assert [one["event"] for one in alert_event_rows(settings, ["tiktok_20"])] == [
        "opened", "acknowledged",
    ]  # fmt: skip


def test_an_acknowledgement_during_a_round_is_not_written_over(settings: Settings):
    store(settings, failing())
    (before,) = alert_rows(settings)
    acknowledge_alert(settings, "tiktok_20", by="ann", note=None, at=NOW)

    change_alerts(settings, NOW, lambda _rows: AlertChanges(changed=[before]))

    assert alert_rows(settings)[0]["acknowledged_by"] == "ann"


def test_what_was_not_yet_known_then_is_not_copied(settings: Settings, tmp_path: Path):
    store(settings, failing())
    acknowledge_alert(settings, "tiktok_20", by="ann", note=None, at=NOW + DAY)
    store(settings, now=NOW + 2 * DAY)
    then = Settings(home=tmp_path / "then")

    copy_state_as_of(settings, then, NOW + timedelta(hours=1))

    (row,) = alert_rows(then)
    assert (row["acknowledged_by"], row["resolved_at"], row["quiet_until"]) == (None, None, None)
    (event,) = alert_event_rows(then, ["tiktok_20"])
    assert event["event"] == "opened"


def test_what_alerts_say_stands_in_the_log_of_their_run():
    configuration = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text(encoding="utf-8"))

    assert LOG.name in configuration["python_logs"]["managed_python_loggers"]


def test_events_in_one_process_hand_are_not_in_anothers(settings: Settings):
    store(settings, failing())

    assert len(claim_untold_events(settings, NOW)) == 1
    assert claim_untold_events(settings, NOW + timedelta(minutes=9)) == []
    # The process that had it has died.
    (event,) = claim_untold_events(settings, NOW + timedelta(minutes=10))
    settle_events(settings, [event], told_to="slack", at=NOW, message=("C1", "1.2"))
    assert claim_untold_events(settings, NOW + DAY) == []


def test_the_follow_up_answers_the_message_that_told_of_the_alert(settings: Settings):
    with SlackServer() as server:
        told = server.settings(settings)
        store(settings, failing())
        assert tell_waiting(told, NOW).told == 1
        store(settings, now=NOW + DAY)
        assert tell_waiting(told, NOW + DAY).told == 1
        first, second = server.messages

    (opened, resolved) = alert_event_rows(settings, ["tiktok_20"])
    assert second["thread_ts"] == opened["message_id"]
    assert (opened["told_to"], resolved["told_to"]) == ("slack", "slack")
    assert "thread_ts" not in first
    assert "Scrapes on tiktok can be relied on again." in str(second["blocks"])


def test_a_follow_up_whose_message_is_gone_stands_alone(settings: Settings):
    with SlackServer() as server:
        told = server.settings(settings)
        store(settings, failing())
        tell_waiting(told, NOW)
        store(settings, now=NOW + DAY)
        server.replies["chat.postMessage"].append(refused("thread_not_found"))
        result = tell_waiting(told, NOW + DAY)
        messages = list(server.messages)

    assert (result.told, result.problems, len(messages)) == (1, [], 2)
    assert "thread_ts" not in messages[1]


def test_a_message_whose_answer_got_lost_is_sent_once_more_and_no_more(settings: Settings):
    with SlackServer() as server:
        told = server.settings(settings)
        store(settings, failing())
        server.replies["chat.postMessage"].extend([HANG_UP, HANG_UP, HANG_UP])
        results = [tell_waiting(told, NOW + n * timedelta(hours=1)) for n in range(4)]
        count = len(server.messages)

    assert count == 2
    assert [(one.told, one.waiting, len(one.problems)) for one in results] == [
        (0, 1, 1), (0, 0, 1), (0, 0, 0), (0, 0, 0),
    ]  # fmt: skip


def test_a_service_that_is_down_keeps_the_alert_for_the_next_round(settings: Settings):
    with SlackServer() as server:
        told = server.settings(settings, slack_deadline_s=0.2)
        store(settings, failing())
        server.replies["chat.postMessage"].append(
            Reply(429, {"ok": False, "error": "ratelimited"}, {"Retry-After": "60"})
        )
        first = tell_waiting(told, NOW)
        second = tell_waiting(told, NOW + timedelta(minutes=15))

    assert (first.told, first.waiting) == (0, 1)
    assert (second.told, second.waiting) == (1, 0)


def test_names_in_a_message_are_shown_and_wake_nobody(settings: Settings):
    figures = {**failing().figures, "handle": "<!channel> *bold* & @here"}
    many = [failing(subject=f"tiktok_{n}", figures=figures) for n in range(23)]
    with SlackServer() as server:
        store(settings, *many)
        result = tell_waiting(server.settings(settings), NOW)
        messages = list(server.messages)

    assert (result.told, len(messages)) == (23, 3)
    text = str(messages)
    assert "<!channel>" not in text
    assert "&lt;!channel&gt;" in text
    assert "@here" not in text
