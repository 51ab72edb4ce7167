"""Whether a recommendation says what the published copy says: figures, posts, sentence."""

from datetime import date
from typing import Any

import duckdb

from pipeline.learn.recommend.recommendation import Recommendation
from pipeline.learn.recommend.rendering import listed, literal_text, render


def assert_recomputed(connection: duckdb.DuckDBPyConnection, recommendation: Recommendation) -> int:
    """Hold every figure against its stored query, and the sentence against the figures.

    Args:
        connection: To the published copy that the recommendation was made of.
        recommendation: As it is stored.

    Returns:
        How many figures were compared.
    """
    compared = 0
    for finding in recommendation.findings:
        recomputed = _row(connection, finding["query"])
        assert {name: finding[name] for name in recomputed} == recomputed
        compared += len(recomputed)
        posts = finding.get("posts")
        if posts is not None:
            found = connection.execute(posts["sql"], posts["parameters"]).fetchall()
            assert len(set(found)) == len(found) == finding.get("worst_n", finding.get("n"))
    assert recommendation.figures == {
        name: _stored(recommendation.findings[-1], name) for name in recommendation.figures
    }
    words = literal_text(recommendation.insight_template)
    assert not any(character.isdigit() for character in words)
    assert render(recommendation.insight_template, recommendation.figures) == recommendation.insight
    return compared


def _row(connection: duckdb.DuckDBPyConnection, query: dict[str, Any]) -> dict[str, Any]:
    cursor = connection.execute(query["sql"], query["parameters"])
    names = [column[0] for column in cursor.description]
    (row,) = cursor.fetchall()
    values = [str(value) if isinstance(value, date) else value for value in row]
    return dict(zip(names, values, strict=True))


def _stored(finding: dict[str, Any], name: str) -> Any:
    """A figure's value in the finding that it is told of."""
    if name == "segment" and "segments" in finding:
        return listed(finding["segments"])
    if name == "n" and finding["kind"] == "untried":
        return finding["account_n"]
    return finding[name]
