"""What sqlfluff's template knows as ``adapter``: dbt itself is not started for a style check."""

from collections.abc import Callable


def dispatch(macro_name: str, *_: str) -> Callable[..., str]:
    """A stand-in for an engine's macro: a call of a function of that name.

    Args:
        macro_name: The macro that dbt would look up for the engine, in the package named next.
    """

    def call(*arguments: object) -> str:
        return f"{macro_name}({', '.join(_as_sql(str(argument)) for argument in arguments)})"

    return call


def _as_sql(argument: str) -> str:
    """A JSON path or a pattern is a text; everything else is an expression already."""
    return f"'{argument}'" if argument.startswith(("$", "[")) else argument
