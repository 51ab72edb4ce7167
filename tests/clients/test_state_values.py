"""What goes into the state database comes out the same, whichever database it is."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipeline.clients.state import in_parts, reading_state, writing_state
from pipeline.clients.state_alerts import alert_event_rows, change_alerts
from pipeline.clients.state_labels import person_match_rows, put_person_match
from pipeline.clients.state_plan_tables import action_items, action_plans
from pipeline.clients.state_plans import audit_rows, item_rows, plan_row, record_audit
from pipeline.clients.state_tables import metadata
from pipeline.clients.state_verdicts import add_feedback, feedback_rows
from pipeline.settings import Settings
from tests.fakes.state_rows import feedback, raised

NOW = datetime(2026, 11, 20, 9, 30, 1, 123456, tzinfo=UTC)

TEXTS = (
    "",
    " ends with a space ",
    "émoji 🤔 \u202eright to left\u202c 日本語 \u200b",
    "quote ' double \" back\\slash %s :name %(x)s $1",
    "line\r\nbreak\ttab",
    "x" * 100_000,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, lock_timeout_s=20)


def match(post_id: str) -> dict[str, Any]:
    return {
        "account_name": "sleepy",
        "platform": "tiktok",
        "post_id": post_id,
        "planned_id": None,
        "decided_by": "ann",
        "decided_at": NOW,
    }


def test_texts_come_back_to_the_letter(settings: Settings):
    with writing_state(settings) as state:
        for text in TEXTS:
            add_feedback(state, feedback("ann", note=text))

    assert tuple(row["note"] for row in feedback_rows(settings)) == TEXTS


def test_a_character_that_servers_refuse_is_replaced_wherever_it_comes_from(settings: Settings):
    with writing_state(settings) as state:
        add_feedback(state, feedback("ann", note="a caption\0 of a hostile post"))
    put_person_match(settings, match("post\0one"))
    put_person_match(settings, match("post\0one"))

    assert [row["note"] for row in feedback_rows(settings)] == ["a caption\ufffd of a hostile post"]
    (row,) = person_match_rows(settings, "sleepy")
    assert row["post_id"] == "post\ufffdone"
    with reading_state(settings) as state:
        assert state.recommendation("rec\0") is None


def test_a_json_value_keeps_what_a_text_cannot(settings: Settings):
    details = {"z": "nul \0 and \ud83d", "a": [1, 2.5, None, True], "big": 2**60, "": {}}
    record_audit(settings, now=NOW, by="ann", action="x", target="y", details=details)
    record_audit(settings, now=NOW + timedelta(1), by="ann", action="x", target="y")

    (without, kept), _ = audit_rows(settings, limit=5)

    assert kept["details"] == details
    assert list(kept["details"]) == list(details), "the order of the keys is part of a checksum"
    assert without["details"] is None


def test_moments_keep_their_microseconds_and_lose_only_their_zone(settings: Settings):
    moments = [
        NOW,
        NOW.replace(microsecond=0),
        datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=timezone(timedelta(hours=1))),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ]
    with writing_state(settings) as state:
        for number, moment in enumerate(moments):
            add_feedback(state, feedback("ann", given_at=moment, planned_id=f"plan_{number}"))

    found = {row["planned_id"]: row["given_at"] for row in feedback_rows(settings)}
    assert [found[f"plan_{number}"] for number in range(len(moments))] == moments
    assert {moment.tzinfo for moment in found.values()} == {UTC}


def test_numbers_days_and_truths_come_back_with_their_kinds(settings: Settings):
    plan = {
        "plan_id": "plan_1",
        "account_name": "sleepy",
        "name": "…",
        "goal": "…",
        "status": "active",
        "source_kind": "hand",
        "writer": "person",
        "progress_percentage": 33,
        "version": 2**31 - 1,
        "created_by": "ann",
        "created_at": NOW,
        "updated_at": NOW,
    }
    hours = [0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, 3.0]
    items = [
        {
            "item_id": f"item_{number}",
            "plan_id": "plan_1",
            "order_index": number,
            "title": "…",
            "due_date": date(2026, 2, 28),
            "estimated_hours": value,
            "is_completed": number % 2 == 0,
            "created_at": NOW,
        }
        for number, value in enumerate(hours)
    ]
    with writing_state(settings) as state:
        state.execute(action_plans.insert(), [plan])
        state.execute(action_items.insert(), items)

    with reading_state(settings) as state:
        row, found = plan_row(state, "plan_1"), item_rows(state, ["plan_1"])
    assert row is not None
    assert (row["version"], row["projected"]) == (2**31 - 1, None)
    assert [item["estimated_hours"] for item in found] == hours
    assert {type(item["estimated_hours"]) for item in found} == {float}
    assert [item["is_completed"] for item in found] == [True, False, True, False, True]
    assert {item["due_date"] for item in found} == {date(2026, 2, 28)}


def test_texts_sort_by_their_bytes_and_differ_by_their_case(settings: Settings):
    ids = ["a", "B", "b", "A", "_", "ä", "a b", "ab", "a-c", "Z", "10", "9", "🤔", "é", "e\u0301"]
    for post_id in ids:
        put_person_match(settings, match(post_id))

    found = [row["post_id"] for row in person_match_rows(settings, "sleepy")]

    assert found == sorted(ids, key=str.encode)


def test_no_text_is_left_to_the_order_of_a_server():
    plain = [
        str(column)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, sa.String)
    ]
    assert plain == [], "these are not of the kinds Name or Words"


def test_more_ids_than_a_statement_takes_are_asked_for_in_parts(settings: Settings):
    change_alerts(settings, NOW, lambda _: raised("alr_20000"))

    found = alert_event_rows(settings, [f"alr_{number}" for number in range(40_000)])

    assert [one["alert_id"] for one in found] == ["alr_20000"]
    assert [len(part) for part in in_parts([""] * 1001)] == [500, 500, 1]
