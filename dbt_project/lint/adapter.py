"""What sqlfluff's template knows as ``adapter``: dbt itself is not started for a style check."""

from collections.abc import Callable
from typing import Any

_PATTERN_AT = {"captured": 1, "instant_of_text": 1, "matches_whole": 1}
"""Which argument of a macro is a pattern, written without quotes."""
_WHOLE_QUERIES = {"with_json_texts"}
"""Macros that stand where a query does; the first argument is the relation that they read."""
_PLAIN_WORDS = {"month_column": "", "not_kept": "", "type_instant": "timestamptz"}
"""Macros that stand where no call may: for a type, a hint or a part of a list."""
_SETTINGS = {"grows_by"}
"""Macros that give a model's settings."""


def dispatch(macro_name: str, *_: str) -> Callable[..., Any]:
    """A stand-in for an engine's macro: a call of a function of that name.

    Args:
        macro_name: The macro that dbt would look up for the engine, in the package named next.
    """

    def call(*arguments: object, **_named: object) -> str | dict[str, object]:
        if macro_name in _SETTINGS:
            return {}
        if macro_name in _PLAIN_WORDS:
            return _PLAIN_WORDS[macro_name]
        if macro_name in _WHOLE_QUERIES:
            return f"select * from {arguments[0]}"  # noqa: S608 - a name of our own, never run
        texts = _PATTERN_AT.get(macro_name)
        written = [
            f"'{argument}'" if index == texts else _as_sql(argument)
            for index, argument in enumerate(arguments)
        ]
        return f"{macro_name}({', '.join(written)})"

    return call


def _as_sql(argument: object) -> str:
    """A JSON path or a pattern is a text; everything else is an expression already."""
    if isinstance(argument, (list, tuple)):
        return ", ".join(map(str, argument))
    text = str(argument)
    return f"'{text}'" if text.startswith(("$", "[")) else text
