"""A recommendation's figures again, from its stored queries on the published copy."""

import math
from typing import TYPE_CHECKING, Any

from pipeline.clients.warehouse import reading
from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.learn.recommend.rendering import literal_text, placeholders, render
from pipeline.settings import Settings

if TYPE_CHECKING:
    import duckdb

_NAMES = frozenset({"segment", "dimension", "platform", "outcome"})
"""What a figure is about; the queries have these as parameters."""


def assert_recomputed(connection: "duckdb.DuckDBPyConnection", item: Recommendation) -> int:
    """Every figure equals what the stored queries give; the number of figures compared."""
    assert differences(connection, item) == [], item.headline
    return len(item.figures.keys() - _NAMES)


def wrong_figures(settings: Settings, item: Recommendation) -> list[str]:
    """How an insight differs from what is in the published copy; empty when it does not."""
    with reading(settings) as connection:
        return differences(connection, item)


def differences(connection: "duckdb.DuckDBPyConnection", item: Recommendation) -> list[str]:
    """The same, on an open copy."""
    values = _recomputed(connection, item)
    wrong = []
    for name in sorted(item.figures.keys() - _NAMES):
        figure = item.figures[name]
        if name not in values:
            wrong.append(f"{name} is given by no query")
        elif not _same(figure, values[name]):
            wrong.append(f"{name}: {figure!r} where the copy has {values[name]!r}")
    measured = {k: v for k, v in values.items() if k in item.figures and k not in _NAMES}
    if placeholders({**item.figures, **measured}) != placeholders(item.figures):
        wrong.append("the words differ from the copy's")
    if item.insight != render(item.insight_template, item.figures):
        wrong.append("the insight is not what its template and figures give")
    if any(sign.isnumeric() for sign in literal_text(item.insight_template)):
        wrong.append("a number that is no placeholder")
    return wrong


def _recomputed(connection: "duckdb.DuckDBPyConnection", item: Recommendation) -> dict[str, Any]:
    """What the stored queries give, the finding's own after those that it rests on."""
    values: dict[str, Any] = {}
    for finding in item.findings:
        query = finding["query"]
        cursor = connection.execute(query["sql"], query["parameters"])
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
        assert len(rows) == 1, f"{item.recommendation_id}: {len(rows)} rows instead of one"
        values |= dict(zip(columns, rows[0], strict=True))
    # What is said of an untried format rests on all posts of the account.
    return {"n": values.get("account_n"), **values}


def _same(figure: Any, value: Any) -> bool:
    if isinstance(figure, bool | str) or figure is None:
        return (None if value is None else str(value)) == figure
    return value is not None and math.isclose(figure, value, rel_tol=1e-9, abs_tol=1e-12)
