"""Colours by meaning. A chart says what a mark means; a page or a picture says how it looks.

Charts write CSS variables, so that one specification serves the light and the dark page and paper.
A picture has no style sheet, so there the variables are replaced by the light values.
"""

import re
from collections.abc import Mapping
from typing import Any

INK = "var(--chart-ink)"
MUTED = "var(--chart-muted)"
GRID = "var(--chart-grid)"
SURFACE = "var(--chart-surface)"
BETTER = "var(--chart-better)"
WORSE = "var(--chart-worse)"
UNCLEAR = "var(--chart-unclear)"
SERIES = tuple(f"var(--chart-series-{number})" for number in range(1, 7))
HEAT = tuple(f"var(--chart-heat-{number})" for number in range(1, 8))
"""From far below the usual to far above it; the fourth is the usual."""

LIGHT: Mapping[str, str] = {
    "--chart-ink": "#1b2430",
    "--chart-muted": "#566072",
    "--chart-grid": "#e3e7ee",
    "--chart-surface": "#ffffff",
    "--chart-better": "#0b7a6e",
    "--chart-worse": "#c2500a",
    "--chart-unclear": "#7b8698",
    "--chart-series-1": "#3d5bd9",
    "--chart-series-2": "#c2500a",
    "--chart-series-3": "#0b7a6e",
    "--chart-series-4": "#8a3fb5",
    "--chart-series-5": "#8a6a00",
    "--chart-series-6": "#b0305c",
    "--chart-heat-1": "#b84a08",
    "--chart-heat-2": "#e08a4f",
    "--chart-heat-3": "#f5d3b8",
    "--chart-heat-4": "#eceff3",
    "--chart-heat-5": "#bfe3dc",
    "--chart-heat-6": "#57b3a6",
    "--chart-heat-7": "#0b7a6e",
}
DARK: Mapping[str, str] = {
    "--chart-ink": "#e8ecf3",
    "--chart-muted": "#a5afc0",
    "--chart-grid": "#2b3444",
    "--chart-surface": "#161c27",
    "--chart-better": "#3fc1ae",
    "--chart-worse": "#f08b45",
    "--chart-unclear": "#8d98ab",
    "--chart-series-1": "#8ea4ff",
    "--chart-series-2": "#f08b45",
    "--chart-series-3": "#3fc1ae",
    "--chart-series-4": "#cf9af0",
    "--chart-series-5": "#d9b840",
    "--chart-series-6": "#f285a8",
    "--chart-heat-1": "#f08b45",
    "--chart-heat-2": "#985120",
    "--chart-heat-3": "#5c3a24",
    "--chart-heat-4": "#2b3444",
    "--chart-heat-5": "#1d4a47",
    "--chart-heat-6": "#1d6e63",
    "--chart-heat-7": "#3fc1ae",
}

_VARIABLE = re.compile(r"^var\((--chart-[a-z0-9-]+)\)$")


def in_light(value: Any) -> Any:
    """A specification with every colour variable replaced by its light colour."""
    if isinstance(value, dict):
        return {key: in_light(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_light(item) for item in value]
    if isinstance(value, str) and (found := _VARIABLE.match(value)):
        return LIGHT[found[1]]
    return value
