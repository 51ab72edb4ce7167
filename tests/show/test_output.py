"""Printing: what a terminal may get, and what JSON can hold."""

import io
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from pipeline.show.cli import output
from pipeline.show.figure_words import MISSING, count, moment, percent, times


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**53, 2**53),
        (2**53 + 1, "9007199254740993"),
        (-(2**60), "-1152921504606846976"),
        (float("nan"), None),
        (float("inf"), None),
        (0.25, 0.25),
        (Decimal("1.50"), 1.5),
        (Decimal("0.1"), 0.1),
        (Decimal("123456789012345678901234567890.5"), "123456789012345678901234567890.5"),
        (datetime(2026, 5, 21, 21, 5, tzinfo=UTC), "2026-05-21T21:05:00Z"),
        (
            datetime(2026, 5, 21, 23, 5, tzinfo=timezone(timedelta(hours=2))),
            "2026-05-21T21:05:00Z",
        ),
        (datetime(2026, 5, 21, 21, 5), "2026-05-21T21:05:00"),  # noqa: DTZ001
        (date(2026, 5, 21), "2026-05-21"),
        (timedelta(hours=1), 3600.0),
        (b"\xaa\x01", "aa01"),
        ({1: (2, {3})}, {"1": [2, [3]]}),
    ],
)
def test_values_become_json_without_being_rounded(value, expected):
    assert output.as_json(value) == expected


def test_a_lone_surrogate_is_replaced_in_json():
    stream = io.StringIO()

    output.write_json({"caption": "half \ud83d emoji"}, stream)

    assert json.loads(stream.getvalue()) == {"caption": "half ? emoji"}


def test_a_caption_cannot_steer_the_terminal():
    caption = "nice\x1b[31m red\nnext\u202egnirts \ud83d\x9b1m"

    shown = output.plain(caption)

    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in shown)
    assert "\u202e" not in shown
    assert shown.encode("utf-8")


def test_a_missing_number_is_a_dash_and_never_zero():
    shown = {count(None), percent(None), times(None), moment(None)}

    assert shown == {MISSING}
    assert count(0) == "0"


def test_markup_in_a_cell_is_text(capsys):
    output.table([("caption", output.Align.LEFT)], [["[red]not markup[/red]"]])

    assert "[red]not markup[/red]" in capsys.readouterr().out


def test_a_table_fits_eighty_columns(capsys):
    columns = [(f"column {number}", output.Align.LEFT) for number in range(4)]

    output.table(columns, [["word " * 20] * 4])

    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert max(map(len, lines)) <= 80


def test_nothing_is_coloured_in_a_pipe(capsys):
    output.say("title", style="bold red")

    assert "\x1b" not in capsys.readouterr().out


def test_steps_in_a_pipe_are_plain_lines(capsys):
    with output.steps(2) as progress:
        progress.done("first")
        progress.done("second")

    assert capsys.readouterr().out == "first\nsecond\n"


def test_quiet_steps_leave_stdout_to_the_data(capsys):
    with output.steps(1, quiet=True) as progress:
        progress.done("first")

    assert capsys.readouterr() == ("", "")
