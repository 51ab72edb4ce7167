"""``afterpost sql`` on a real published copy."""

import csv
import io
import json
import sys

import pytest

from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from pipeline.show.cli.sql import ROWS_SHOWN


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def published(home):
    settings = Settings(home=home)
    with writing(settings, "test") as connection:
        connection.execute(
            """
            create table marts.posts as
            select * from (values
                ('7', 'one', 10::bigint, '2026-05-21 21:05Z'::timestamptz, 1.50::decimal(12, 6)),
                ('8', null, null, null, null)
            ) as rows (post_id, caption, view_count, posted_at, cost_usd)
            """
        )
    publish(settings, "v1")
    return settings


def test_json_keeps_types_and_nulls(published, capsys):
    assert main(["sql", "--json", "select * from marts.posts order by post_id"]) == 0

    assert json.loads(capsys.readouterr().out) == [
        {
            "post_id": "7",
            "caption": "one",
            "view_count": 10,
            "posted_at": "2026-05-21T21:05:00Z",
            "cost_usd": 1.5,
        },
        {"post_id": "8", "caption": None, "view_count": None, "posted_at": None, "cost_usd": None},
    ]


def test_a_number_that_readers_would_round_is_text_in_json(published, capsys):
    main(["sql", "--json", "select 7500000000000000001::bigint as id, 'nan'::double as rate"])

    assert json.loads(capsys.readouterr().out) == [{"id": "7500000000000000001", "rate": None}]


def test_no_rows_are_an_empty_array(published, capsys):
    assert main(["sql", "--json", "select 1 as one where false"]) == 0

    assert json.loads(capsys.readouterr().out) == []


def test_columns_of_one_name_are_all_kept(published, capsys):
    main(["sql", "--json", "select 1 as a, 2 as a"])

    assert json.loads(capsys.readouterr().out) == [{"a": 1, "a_2": 2}]


def test_csv_has_a_header_and_empty_cells_for_null(published, capsys):
    assert main(["sql", "--csv", "select post_id, caption, 'a,\"b' as c from marts.posts"]) == 0

    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["post_id", "caption", "c"], ["7", "one", 'a,"b'], ["8", "", 'a,"b']]


def test_the_query_may_come_from_stdin(published, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("select count(*) as n from marts.posts"))

    assert main(["sql", "--json"]) == 0

    assert json.loads(capsys.readouterr().out) == [{"n": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "selec 1",
        "select * from marts.nothing",
        "select 1 / 'a'",
        "/* nothing */",
        "drop table marts.posts",
        "insert into marts.posts (post_id) values ('9')",
        "select * from read_csv('account.yaml')",
        "attach 'other.duckdb'",
        "copy marts.posts to 'posts.csv'",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
def test_a_query_that_may_not_run_is_one_sentence_and_exit_1(published, capsys, query):
    assert main(["sql", query]) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1


def test_an_error_in_the_middle_of_the_rows_is_one_sentence(published, capsys):
    query = "select case when i < 5000 then i else error('stop') end from range(9000) as t (i)"

    assert main(["sql", "--csv", query]) == 1

    assert "stop" in capsys.readouterr().err


def test_without_a_build_it_says_what_to_do(home, capsys):
    assert main(["sql", "select 1"]) == 1

    assert "run `afterpost build`" in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_an_empty_query_is_wrong_usage(published, capsys):
    assert main(["sql", "  "]) == 2


def test_columns_that_do_not_fit_become_blocks(published, capsys):
    main(["sql", "select " + ", ".join(f"'some longer text' as column_{n}" for n in range(9))])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "- row 1"
    assert len(lines) == 10
    assert max(map(len, lines)) <= 80


def test_a_long_result_is_cut_on_the_screen_and_says_so(published, capsys):
    main(["sql", f"select i from range({ROWS_SHOWN + 1}) as t (i)"])

    captured = capsys.readouterr()
    assert f"{ROWS_SHOWN}" not in captured.out.split()
    assert "--csv or --json" in captured.err


def test_escape_sequences_in_a_caption_do_not_reach_the_terminal(published, capsys):
    main(["sql", "select chr(27) || '[2J' as caption"])

    assert "\x1b" not in capsys.readouterr().out
