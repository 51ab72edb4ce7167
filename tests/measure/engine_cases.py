"""What each engine's macros must give, whichever engine it is: conditions that hold on both."""

import json
import re
from typing import Any

from pipeline.measure import dbt_runs

_DOCUMENT = (
    '{"a": {"b": "x", "n": 3.0, "t": true, "z": null}, "list": [{"u": "one"}, {"u": "two"}], '
    '"empty": [], "text": "[1]", "s": "it is"}'
)
_OF_DOCUMENT = f"(select '{_DOCUMENT}' as payload) as documents"
_FIELDS = {
    "x": "$.a.b", "n": "$.a.n", "t": "$.a.t", "z": "$.a.z", "list": "$.list",
    "first": "$.list[0].u", "second": "$.a.missing", "other": "$.list[1].u", "s": "$.s",
}  # fmt: skip


def _at(text: str) -> str:
    return f"cast('{text}' as {{{{ type_instant() }}}})"


def _at_inside(text: str) -> str:
    """An instant within a call of another macro, where no braces may stand."""
    return f"\"cast('{text}' as \" ~ type_instant() ~ ')'"


def _local_time(text: str, zone: str) -> str:
    return f"cast({{{{ local_time({_at_inside(text)}, \"'{zone}'\") }}}} as string)"


def _day(text: str) -> str:
    return f"cast('{text}' as date)"


def _call(macro: str, *arguments: object) -> str:
    return f"{{{{ {macro}({', '.join(map(repr, arguments))}) }}}}"


def _is(value: str, expected: str) -> str:
    return f"({value}) is not distinct from ({expected})"


def _number_of(*values: str | None) -> str:
    columns = ["cast(null as string)" if one is None else f"'{one}'" for one in values]
    return f"{{{{ number_of_key({columns!r}) }}}}"


CASES: dict[str, list[str]] = {
    "week_of": [
        _is(_call("week_of", _day("2026-01-04")), _day("2025-12-29")),
        _is(_call("week_of", _day("2026-01-05")), _day("2026-01-05")),
    ],
    "month_of": [_is(_call("month_of", _day("2024-02-29")), _day("2024-02-01"))],
    "days_between": [
        _is(_call("days_between", _day("2024-02-28"), _day("2024-03-01")), "2"),
        _is(_call("days_between", _day("2024-03-01"), _day("2024-02-28")), "-2"),
    ],
    "date_plus_days": [
        _is(_call("date_plus_days", _day("2024-02-28"), 2), _day("2024-03-01")),
        _is(_call("date_plus_days", _day("2024-01-01"), "-1 * 1"), _day("2023-12-31")),
    ],
    "date_plus_months": [
        _is(_call("date_plus_months", _day("2024-01-31"), 1), _day("2024-02-29")),
        _is(_call("date_plus_months", _day("2024-01-01"), -1), _day("2023-12-01")),
    ],
    "hours_between": [
        _is(
            _call("hours_between", "cast('2026-01-01 00:00:00' as timestamp)",
                  "cast('2026-01-02 01:30:00' as timestamp)"), "25.5e0",
        ),
    ],
    "instant_of_epoch_s": [
        _is(_call("instant_of_epoch_s", 1_700_000_000), _at("2023-11-14 22:13:20+00"))
    ],
    "local_time": [
        # The hour that the clock skips, and the one that it has twice.
        _is(_local_time("2026-03-29 01:00:00+00", "Europe/Berlin"), "'2026-03-29 03:00:00'"),
        _is(_local_time("2026-10-25 00:30:00+00", "Europe/Berlin"), "'2026-10-25 02:30:00'"),
        _is(_local_time("2026-10-25 01:30:00+00", "Europe/Berlin"), "'2026-10-25 02:30:00'"),
    ],
    "iso_weekday": [
        _is(_call("iso_weekday", "cast('2026-01-04 12:00:00' as timestamp)"), "7"),
        _is(_call("iso_weekday", "cast('2026-01-05 00:00:00' as timestamp)"), "1"),
    ],
    "instant_of_text": [
        _is(
            _call("instant_of_text", "'Wed Oct 10 20:19:24 +0000 2018'", "%a %b %d %H:%M:%S %z %Y"),
            _at("2018-10-10 20:19:24+00"),
        ),
        _is(
            _call("instant_of_text", "'2018-10-10'", "%a %b %d %H:%M:%S %z %Y"),
            "cast(null as {{ type_instant() }})",
        ),
    ],
    "instant_of_iso_text": [
        *(
            _is(_call("instant_of_iso_text", f"'{text}'"), _at(expected))
            for text, expected in (
                ("2026-01-01T10:00:00.250Z", "2026-01-01 10:00:00.25+00"),
                ("2026-01-01T10:00:00+02:00", "2026-01-01 08:00:00+00"),
                ("2026-01-01T10:00:00+0000", "2026-01-01 10:00:00+00"),
                ("2026-01-01 10:00:00", "2026-01-01 10:00:00+00"),
            )
        ),
        _is(_call("instant_of_iso_text", "'10 months ago'"), "cast(null as {{ type_instant() }})"),
    ],
    "instant_plus_days": [
        _is(
            f"{{{{ instant_plus_days({_at_inside('2026-03-28 12:00:00+00')}, 1) }}}}",
            _at("2026-03-29 12:00:00+00"),
        )
    ],
    "type_instant": [f"{_at('2026-01-01 02:00:00+02')} = {_at('2026-01-01 00:00:00+00')}"],
    "rounded": [
        _is(_call("rounded", "0.1234567894e0", 9), "0.123456789e0"),
        _is(_call("rounded", "-2.5e0", 0), "-3e0"),
        _is(_call("rounded", "2.675e0", 2), "2.68e0"),
        _is(_call("rounded", "cast(null as double)", 2), "cast(null as double)"),
    ],
    "number_of_key": [
        f"{_number_of('a', None)} = {_number_of('a', None)}",
        f"{_number_of('a', 'b')} <> {_number_of('b', 'a')}",
    ],
    "not_kept": ["(with one as {{ not_kept() }} (select 1 as a) select max(a) from one) = 1"],
    "matches_whole": [
        _call("matches_whole", "'12'", "[0-9]{1,3}"),
        "not " + _call("matches_whole", "'12a'", "[0-9]{1,3}"),
        "not " + _call("matches_whole", "'12' || chr(10)", "[0-9]{1,3}"),
        "not " + _call("matches_whole", "'ab'", "a|b"),
    ],
    "contains_text": [
        _call("contains_text", "'100%_sure'", "'%_'"),
        "not " + _call("contains_text", "'abc'", "'B'"),
    ],
    "captured": [
        _is(_call("captured", "'youtube.com/@name?x'", "youtube[.]com/@([^/?#]+)"), "'name'"),
        _is(_call("captured", "'elsewhere'", "@([a-z]+)"), "cast(null as string)"),
    ],
    "shown_count": [
        _is(_call("shown_count", "1234567.4e0"), "'1,234,567'"),
        _is(_call("shown_count", "12"), "'12'"),
    ],
    "shown_decimal": [
        _is(_call("shown_decimal", "1.005e0"), "'1.00'"),
        _is(_call("shown_decimal", "0.125e0"), "'0.13'"),
        _is(_call("shown_decimal", "12345.678e0"), "'12345.68'"),
    ],
    "is_short_whole_number": [
        _call("is_short_whole_number", "'0'"),
        _call("is_short_whole_number", "'123456789012345678'"),
        *(
            f"not coalesce({_call('is_short_whole_number', one)}, false)"
            for one in ("'012'", "'-1'", "'1.0'", "''", "'1234567890123456789'")
        ),
    ],
    "json_text": [
        _is(f"(select {_call('json_text', 'payload', path)} from {_OF_DOCUMENT})", expected)
        for path, expected in (
            ("$.a.b", "'x'"), ("$.a.n", "'3.0'"), ("$.a.t", "'true'"),
            ("$.a.z", "cast(null as string)"), ("$.none", "cast(null as string)"),
            ("$.list[1].u", "'two'"),
        )
    ],
    "json_length": [
        _is(f"(select {_call('json_length', 'payload', path)} from {_OF_DOCUMENT})", expected)
        for path, expected in (
            ("$.list", "2"), ("$.empty", "0"), ("$.none", "cast(null as integer)"),
            ("$.text", "cast(null as integer)"), ("$.a", "cast(null as integer)"),
        )
    ],
    "with_json_texts": [
        _is(
            f"(select max({column}) from ("
            f"{{{{ with_json_texts({_OF_DOCUMENT!r}, 'payload', {_FIELDS!r}) }}}}) as texts)",
            expected,
        )
        for column, expected in (
            ("x", "'x'"), ("n", "'3.0'"), ("t", "'true'"), ("z", "cast(null as string)"),
            ("first", "'one'"), ("other", "'two'"), ("second", "cast(null as string)"),
            ("s", "'it is'"),
        )
    ],
}  # fmt: skip
"""By macro; Jinja that dbt renders for its target."""

ELSEWHERE = {
    "replace_keys": "a statement of DuckDB's: tests/measure/test_incremental_builds.py",
    "grows_by": "configuration: whole builds of both engines",
    "month_column": "a column that only Spark's tables have: whole builds of both engines",
    "notes_scrapes_read": "no SQL: whole builds of both engines",
}
"""Macros that are no expression, and where they are tested."""


def engine_macros() -> set[str]:
    """Names of all macros that differ between the engines."""
    folder = dbt_runs.DBT_PROJECT / "macros" / "engine"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.sql"))]
    return {name for text in texts for name in re.findall(r"adapter[.]dispatch\('(\w+)'", text)}


def failed_cases(arguments: list[str]) -> list[str]:
    """Run every case in one query; the conditions that do not hold.

    Args:
        arguments: Of dbt, that name the profile and its target.
    """
    from dbt.cli.main import dbtRunner

    conditions = [condition for cases in CASES.values() for condition in cases]
    columns = ",\n".join(f"{one} as case_{number}" for number, one in enumerate(conditions))
    quiet = ["--log-level", "none", "--log-level-file", "none", "--no-write-json"]
    shown: Any = dbtRunner().invoke(
        [*quiet, "show", "--inline", f"select\n{columns}", "--limit", "-1", *arguments]
    )
    assert shown.success, shown.exception or [one.message for one in shown.result.results]
    [row] = shown.result.results[0].agate_table.rows
    assert len(row) == len(conditions)
    return [
        f"{condition} gave {json.dumps(value, default=str)}"
        for condition, value in zip(conditions, row.values(), strict=True)
        if value is not True
    ]
