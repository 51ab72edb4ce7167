"""SQL that has the same text and another meaning on DuckDB and on Spark, or that one does not read.

Each rule looks at the words of the SQL or at a node of its parse, and says what is wrong there and
what to write instead.
"""

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot.errors import SqlglotError

from dbt_project.lint.two_engines.parse_rules import PARSE_RULES, offset_of
from dbt_project.lint.two_engines.word_rules import WORD_RULES


def findings(
    text: str, is_of_engine: Callable[[int], bool] = lambda _: False
) -> Iterator[tuple[int, str]]:
    """All that the two engines would not read alike in a piece of SQL.

    Args:
        text: SQL in DuckDB's words, of one or more statements.
        is_of_engine: Whether what stands at an offset is an engine's macro's own: it may be
            anything.

    Yields:
        From which offset on, and the sentence about it.
    """
    try:
        words = sqlglot.tokenize(text, dialect="duckdb")
        statements = [one for one in sqlglot.parse(text, dialect="duckdb") if one is not None]
    except SqlglotError as error:
        yield 0, f"the SQL cannot be parsed: {str(error).splitlines()[0]}"
        return
    for look in WORD_RULES:
        yield from (found for found in look(words) if not is_of_engine(found[0]))
    for statement in statements:
        for node in statement.walk():
            for rule in PARSE_RULES:
                yield from ((offset_of(wrong), said) for wrong, said in rule(node))
