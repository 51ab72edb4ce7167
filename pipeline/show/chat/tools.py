"""What a model may look up: named questions to the published copy, about one account, read only.

There is no SQL in a question and none can get in: a name, and values that are checked by type.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.platform_names import platform_names
from pipeline.show.chat.contexts import (
    factor_words,
    get_specific_content_context,
    post_figures_of,
)
from pipeline.show.chat.prompts import data_text
from pipeline.show.reports.insights.content import (
    Content,
    Order,
    Selection,
    content_count,
    contents,
)
from pipeline.show.reports.insights.factors import factors_of
from pipeline.show.reports.insights.missing import Availability
from pipeline.show.reports.insights.themes import theme_effects, themes_of
from pipeline.show.reports.overview import published_build
from pipeline.show.reports.platforms import platform_comparisons
from pipeline.show.reports.segments import Focus, segment_tables
from pipeline.show.reports.trends import period_changes

if TYPE_CHECKING:
    import duckdb

MOST_ROWS = 60
_LONGEST_TITLE = 200


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PostFigures(_Arguments):
    """One post with everything that is known of it."""

    content_id: str = Field(max_length=230, description="platform:post_id")


class ListPosts(_Arguments):
    """Posts of the account, filtered and ordered."""

    platform: str | None = Field(None, max_length=20)
    category: Literal["overperforming", "normal", "underperforming"] | None = None
    theme: str | None = Field(None, max_length=100)
    format: str | None = Field(None, max_length=100)
    days: int | None = Field(None, ge=1, le=3660)
    order: Order = Order.NEWEST
    limit: int = Field(10, ge=1, le=20)


class Effects(_Arguments):
    """How segments compare with the account's usual at equal age."""

    about: Literal["formats", "pillars", "topics", "hooks", "slides", "timing", "cadence", "cta"]


class Trends(_Arguments):
    """The last 7, 30 and 90 days and whole months against the time before."""


class ThemeFigures(_Arguments):
    """Themes with their posts' figures and how they compare."""

    days: int | None = Field(None, ge=1, le=3660)


class PlatformContrasts(_Arguments):
    """The account's usual on one platform against its usual on another."""


@dataclass(frozen=True)
class ToolResult:
    """What a question gave."""

    name: str
    arguments: Mapping[str, Any]
    content: str
    """JSON for the model."""
    source: str
    """Tables that it was read from, with the published version."""
    n: int | None
    """Rows."""
    is_error: bool = False


_Looking = Callable[["duckdb.DuckDBPyConnection", str, Any], tuple[Any, str]]


def _post(connection: "duckdb.DuckDBPyConnection", account: str, asked: PostFigures) -> Any:
    context = get_specific_content_context(connection, account, asked.content_id)
    figures = {**context.figures, "untrusted_text": context.texts}
    return figures, "marts.fct_post_performance, marts.fct_post_factor, stats.post_projection"


def _posts(connection: "duckdb.DuckDBPyConnection", account: str, asked: ListPosts) -> Any:
    chosen = Selection(
        accounts=(account,),
        platform=asked.platform if asked.platform in platform_names() else None,
        days=asked.days,
        theme=asked.theme,
        format=asked.format,
        category=asked.category,
    )
    found = contents(connection, chosen, order=asked.order, limit=asked.limit)
    availability = Availability(connection)
    factors = factors_of(connection, [one.key for one in found])

    def told(content: Content) -> dict[str, Any]:
        return {
            **post_figures_of(content, availability, brief=True),
            "factors": [factor_words(one) for one in factors.get(content.key, [])[:3]],
            "untrusted_text": content.title[:_LONGEST_TITLE],
        }

    rows = {"posts": [told(one) for one in found], "total": content_count(connection, chosen)}
    return rows, "marts.fct_post_performance, marts.fct_post_factor"


def _effects(connection: "duckdb.DuckDBPyConnection", account: str, asked: Effects) -> Any:
    rows = [
        row.__dict__
        for table in segment_tables(connection, account, Focus(asked.about))
        for row in table.rows
    ]
    return {"effects": rows[:MOST_ROWS], "total": len(rows)}, "stats.segment_effects"


def _trends(connection: "duckdb.DuckDBPyConnection", account: str, _: Trends) -> Any:
    rows = [row.__dict__ for row in period_changes(connection, account)]
    return {"changes": rows[:MOST_ROWS], "total": len(rows)}, "marts.mart_trend"


def _themes(connection: "duckdb.DuckDBPyConnection", account: str, asked: ThemeFigures) -> Any:
    chosen = Selection(accounts=(account,), days=asked.days)
    rows = {
        "themes": [row.__dict__ for row in themes_of(connection, chosen)][:MOST_ROWS],
        "effects": [row.__dict__ for row in theme_effects(connection, chosen)][:MOST_ROWS],
    }
    return rows, "marts.fct_post_performance, stats.segment_effects"


def _platforms(connection: "duckdb.DuckDBPyConnection", account: str, _: PlatformContrasts) -> Any:
    rows = [row.__dict__ for row in platform_comparisons(connection, account)]
    return {"contrasts": rows[:MOST_ROWS], "total": len(rows)}, "marts.mart_platform_comparison"


_TOOLS: Mapping[str, tuple[type[_Arguments], _Looking]] = {
    "post_figures": (PostFigures, _post),
    "list_posts": (ListPosts, _posts),
    "effects": (Effects, _effects),
    "trends": (Trends, _trends),
    "themes": (ThemeFigures, _themes),
    "platform_contrasts": (PlatformContrasts, _platforms),
}


def tool_definitions() -> list[dict[str, Any]]:
    """The tools as the Messages API takes them."""
    return [
        {
            "name": name,
            "description": kind.__doc__,
            "input_schema": kind.model_json_schema(),
        }
        for name, (kind, _) in _TOOLS.items()
    ]


def run_tool(
    connection: "duckdb.DuckDBPyConnection", account_name: str, name: str, arguments: Any
) -> ToolResult:
    """Look something up; a question that cannot be answered gives an error to the model.

    Args:
        connection: To a published copy.
        account_name: Nothing of another account is looked up.
        name: Of the tool.
        arguments: As the model wrote them.
    """
    told = dict(arguments) if isinstance(arguments, Mapping) else {}
    if name not in _TOOLS:
        return ToolResult(name, told, f"There is no tool {name!r}.", "", None, is_error=True)
    kind, look = _TOOLS[name]
    try:
        asked = kind.model_validate(told)
        rows, tables = look(connection, account_name, asked)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        words = f"{'.'.join(str(one) for one in first['loc'])}: {first['msg']}"
        return ToolResult(name, told, words, "", None, is_error=True)
    except LookupError as error:
        return ToolResult(name, told, str(error), "", None, is_error=True)
    build = published_build(connection)
    version = build.warehouse_version if build else "unknown"
    source = f"{tables} of {version}"
    content = data_text({"source": source, **rows})
    count = next((len(value) for value in rows.values() if isinstance(value, list)), 1)
    return ToolResult(name, told, content, source, count)
