"""Counts of experiments that ran elsewhere, as CSV or Parquet files hold them.

Shares have a row per arm with ``arm, units, successes``; rows of the same arm are added up. Means
and counts have a row per unit with ``arm, value``. A file of many experiments names one more column
that tells them apart. Every cell is looked at before anything is computed: what cannot be is one
sentence with the place of the first cell that is wrong.
"""

import gzip
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import ImportFileError
from pipeline.learn.experiments.arms import Floats
from pipeline.learn.experiments.registration import MetricKind

if TYPE_CHECKING:
    import duckdb

_DELIMITERS = (",", ";", "\t", "|")
_PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class CountedArm:
    """What a file says of an arm.

    Attributes:
        name: As it is in the file.
        units: Trials, or units that have a value.
        successes: Of trials; None where units have values.
        values: One per unit, in the order of the file; None of trials.
        rows: Rows of the file that it is made of.
    """

    name: str
    units: int
    successes: int | None
    values: Floats | None
    rows: int


Experiments = dict[str | None, list[CountedArm]]
"""Arms in the order of the file, by experiment; the name is None in a file of one."""


def read_counts(path: Path, metric: MetricKind, by: str | None = None) -> Experiments:
    """The arms of each experiment in a file.

    Args:
        path: CSV (also gzipped, with commas, semicolons, tabs or bars) or Parquet, by its name.
        metric: Says which columns there must be.
        by: Column that tells experiments apart.

    Raises:
        ImportFileError: The file cannot be read, lacks a column, or has a cell that cannot be.
    """
    import duckdb

    if not path.is_file():
        raise ImportFileError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise ImportFileError(f"{path}: it is empty.")
    with duckdb.connect() as connection:
        try:
            numbers = _load(connection, path, metric, by)
        except (duckdb.Error, UnicodeDecodeError, gzip.BadGzipFile) as error:
            reason = str(error).strip().splitlines()[0]
            raise ImportFileError(f"{path}: it cannot be read ({reason}).") from error
        _check_names(connection, path, by)
        for column in numbers:
            _check_numbers(connection, path, column, whole=metric is not MetricKind.CONTINUOUS)
        if metric is MetricKind.PROPORTION:
            _check_successes(connection, path)
            return _shares(connection)
        return _values(connection)


def _load(
    connection: "duckdb.DuckDBPyConnection", path: Path, metric: MetricKind, by: str | None
) -> tuple[str, ...]:
    """The file's columns as text in the table ``cells``; the columns of numbers."""
    # What DuckDB would take for a pattern of many files is the name of one.
    literal = re.sub(r"([*?\[])", r"[\1]", str(path))
    if path.suffix.lower() in _PARQUET:
        source, parameters = "read_parquet($file)", {"file": literal}
    else:
        source = "read_csv($file, all_varchar=true, header=true, skip=0, delim=$delim, quote='\"')"
        parameters = {"file": literal, "delim": _delimiter(path)}
    described = connection.execute(
        f"describe select * from {source}",  # noqa: S608 (one of the two above)
        parameters,
    ).fetchall()
    present = {str(name).strip().lower(): str(name) for name, *_ in described}
    numbers = ("units", "successes") if metric is MetricKind.PROPORTION else ("value",)
    wanted = {
        "arm": "arm",
        **{name: name for name in numbers},
        **({"experiment": by} if by else {}),
    }
    for name in wanted.values():
        if name.strip().lower() not in present:
            raise ImportFileError(
                f"{path}: there is no column {name!r}; {metric} needs "
                f"{', '.join(wanted.values())}, and the file has {', '.join(present.values())}."
            )
    cells = ", ".join(
        f"trim(cast({_quoted(present[name.strip().lower()])} as varchar)) as {alias}"
        for alias, name in wanted.items()
    )
    parsed = ", ".join(f"try_cast({name} as double) as {name}_number" for name in numbers)
    connection.execute(
        f"create table cells as select *, {parsed} from "  # noqa: S608 (our own names)
        f"(select row_number() over () as place, {cells} from {source})",
        parameters,
    )
    (count,) = connection.execute("select count(*) from cells").fetchall()[0]
    if count == 0:
        raise ImportFileError(f"{path}: it has no rows.")
    if not by:
        connection.execute("alter table cells add column experiment varchar")
    return numbers


def _delimiter(path: Path) -> str:
    opened: Any = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig") as stream:
        header = stream.readline(100_000)
    return max(_DELIMITERS, key=header.count)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_names(connection: "duckdb.DuckDBPyConnection", path: Path, by: str | None) -> None:
    for column, name in (("arm", "arm"), ("experiment", by)):
        if name is None:
            continue
        place = connection.execute(
            f"select min(place) from cells where coalesce({column}, '') = ''"  # noqa: S608
        ).fetchall()[0][0]
        if place is not None:
            raise ImportFileError(f"{path}, data row {place}, column {name}: it is empty.")


def _check_numbers(
    connection: "duckdb.DuckDBPyConnection", path: Path, column: str, *, whole: bool
) -> None:
    """Counts are whole numbers from 0; values of a continuous metric any numbers."""
    number = f"{column}_number"
    wrong = f"({number} < 0 or {number} <> floor({number}))" if whole else "false"
    found = connection.execute(
        f"select place, {column}, {number} from cells "  # noqa: S608
        f"where {number} is null or not isfinite({number}) or {wrong} order by place limit 1"
    ).fetchall()
    if not found:
        return
    place, text, value = found[0]
    where = f"{path}, data row {place}, column {column}"
    if not text:
        raise ImportFileError(f"{where}: it is empty.")
    if value is None or not np.isfinite(value):
        raise ImportFileError(f"{where}: {_short(text)} is no number.")
    if value < 0:
        raise ImportFileError(f"{where}: {_short(text)} is negative, and a count is not.")
    raise ImportFileError(f"{where}: {_short(text)} is not a whole number, and a count is.")


def _check_successes(connection: "duckdb.DuckDBPyConnection", path: Path) -> None:
    found = connection.execute(
        "select place, successes, units from cells where successes_number > units_number"
        " order by place limit 1"
    ).fetchall()
    if found:
        place, successes, units = found[0]
        raise ImportFileError(
            f"{path}, data row {place}: {_short(successes)} successes are more than "
            f"{_short(units)} units."
        )


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")


def _shares(connection: "duckdb.DuckDBPyConnection") -> Experiments:
    rows = connection.execute(
        "select experiment, arm, sum(units_number), sum(successes_number), count(*) from cells"
        " group by experiment, arm order by min(place)"
    ).fetchall()
    experiments: Experiments = {}
    for by, arm, units, successes, count in rows:
        counted = CountedArm(arm, int(units), int(successes), None, count)
        experiments.setdefault(by, []).append(counted)
    return experiments


def _values(connection: "duckdb.DuckDBPyConnection") -> Experiments:
    rows = connection.execute(
        "select experiment, arm, list(value_number order by place) from cells"
        " group by experiment, arm order by min(place)"
    ).fetchall()
    experiments: Experiments = {}
    for by, arm, values in rows:
        counted = CountedArm(arm, len(values), None, np.array(values, float), len(values))
        experiments.setdefault(by, []).append(counted)
    return experiments
