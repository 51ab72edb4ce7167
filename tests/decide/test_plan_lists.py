"""Plans from a conversation without a model: the last list becomes the items."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.decide.plans.from_list import parse_list
from pipeline.decide.plans.plan import MAX_ITEMS, MAX_TITLE
from pipeline.errors import PlanError

FRIDAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("line", "title", "due", "hours"),
    [
        ("- Write 3 guides (4 h)", "Write 3 guides", None, 4.0),
        ("1. **Film** it, 30 min", "Film it", None, 0.5),
        ("2) Post by 2026-12-01", "Post", date(2026, 12, 1), None),
        ("* [ ] Look again in 2 weeks", "Look again", date(2026, 12, 4), None),
        ("• Check the numbers tomorrow", "Check the numbers", date(2026, 11, 21), None),
        ("- Send it by Friday", "Send it", date(2026, 11, 27), None),
        ("- Monday posts about naps", "Monday posts about naps", date(2026, 11, 23), None),
        ("- Post on 2026-02-31", "Post on 2026-02-31", None, None),
        ("- Make 5 more", "Make 5 more", None, None),
    ],
)
def test_a_line_is_read_with_its_day_and_estimate(
    line: str, title: str, due: date | None, hours: float | None
):
    (item,) = parse_list([line], FRIDAY).items

    assert (item.title, item.due_date, item.estimated_hours) == (title, due, hours)


def test_the_last_list_counts_and_the_line_above_names_it():
    older = "Ideas:\n- this\n- that"
    newer = "Let us do this.\n\n## The plan:\n\n1. first\n2. second\n\nGood luck!"

    found = parse_list([older, newer, "thanks"], FRIDAY)

    assert found.name == "The plan"
    assert [item.title for item in found.items] == ["first", "second"]


def test_without_a_list_it_says_what_to_write():
    with pytest.raises(PlanError, match="begin with a dash"):
        parse_list(["no steps here", "none - here either"], FRIDAY)


@given(st.lists(st.text(max_size=400), max_size=5))
def test_any_text_gives_items_within_bounds_or_says_no(messages: list[str]):
    try:
        found = parse_list(messages, FRIDAY)
    except PlanError:
        return
    assert 0 < len(found.items) <= MAX_ITEMS
    assert all(item.title and len(item.title) <= MAX_TITLE for item in found.items)


def test_a_long_conversation_is_read_in_no_time():
    hostile = "- " + "(" * 20_000 + "1" * 20_000 + " " * 20_000 + "h"

    assert len(parse_list([hostile, "- a\n" * 20_000], FRIDAY).items) == MAX_ITEMS
