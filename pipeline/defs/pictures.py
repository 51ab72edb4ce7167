"""Charts as pictures in the metadata of assets.

A picture is kept with every run, so it is small; and it is an extra, so a chart that cannot be
drawn is a warning in the run's log and never a failure.
"""

import base64
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import dagster as dg

from pipeline.defs.metadata import in_markdown
from pipeline.show.charts.pictures import png_of

if TYPE_CHECKING:
    import duckdb

MOST_PICTURES = 2
"""Of one asset: those of the accounts with the most posts."""
MOST_BYTES = 99_000
"""Of one picture as text."""
_SCALES = (1.2, 0.9, 0.6, 0.4)

_ACCOUNTS = """
select account_name, count(*) as post_count from marts.dim_post group by account_name
order by post_count desc, account_name
"""


def accounts_by_size(connection: "duckdb.DuckDBPyConnection") -> list[str]:
    """Accounts with posts, the one with the most posts first."""
    return [name for name, _ in connection.execute(_ACCOUNTS).fetchall()]


def picture(chart: Any, words: str) -> dg.MarkdownMetadataValue | None:
    """A chart as Markdown with the picture inside; None when it cannot be made small enough.

    Args:
        chart: Of `pipeline.show.charts`.
        words: What is to be seen, for who cannot see it.
    """
    for scale in _SCALES:
        text = base64.b64encode(png_of(chart, scale=scale)).decode("ascii")
        markdown = f"![{in_markdown(words)}](data:image/png;base64,{text})"
        if len(markdown) <= MOST_BYTES:
            return dg.MetadataValue.md(markdown)
    return None


def drawn(
    context: dg.AssetExecutionContext,
    charts: Callable[[], Iterable[tuple[str, str, Any]]],
) -> dict[str, dg.MarkdownMetadataValue]:
    """Pictures by the names of their metadata.

    Args:
        context: Whose log hears of what cannot be drawn.
        charts: Makes name, words and chart of each picture.
    """
    found: dict[str, dg.MarkdownMetadataValue] = {}
    try:
        for name, words, chart in charts():
            shown = picture(chart, words)
            if shown is not None:
                found[name] = shown
    except Exception as error:
        context.log.warning("A picture could not be drawn: %s: %s", type(error).__name__, error)
    return found
