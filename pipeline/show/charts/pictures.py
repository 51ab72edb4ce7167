"""A chart as a specification, as PNG and as SVG; without a browser and without a network."""

from typing import TYPE_CHECKING, Any

from pipeline.show.charts.colours import SURFACE, in_light
from pipeline.show.charts.style import CONFIG

if TYPE_CHECKING:
    import altair as alt


_NO_ADDRESS: list[str] = []
"""Where a specification may load from: nowhere."""


def spec_of(chart: "alt.TopLevelMixin") -> dict[str, Any]:
    """The Vega-Lite specification with its data inside and its colours as CSS variables.

    The common look (:data:`pipeline.show.charts.style.CONFIG`) is the caller's to add.
    """
    import altair as alt
    from altair.utils.schemapi import debug_mode

    with (
        debug_mode(False),
        alt.theme.enable("none"),
        alt.data_transformers.enable("default", consolidate_datasets=False, max_rows=None),
    ):
        spec: dict[str, Any] = chart.to_dict(validate=False)
    return spec


def page_spec_of(chart: "alt.TopLevelMixin") -> dict[str, Any]:
    """The specification for a page, which gives the chart its title, width and background."""
    spec = spec_of(chart)
    for name in ("title", "padding", "$schema"):
        spec.pop(name, None)
    spec["width"] = "container"
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return spec


def png_of(chart: "alt.TopLevelMixin", *, scale: float = 1.5) -> bytes:
    """The chart in light colours as a PNG file.

    Args:
        chart: Of this package.
        scale: Pixels per unit of the chart's own size.
    """
    import vl_convert

    return vl_convert.vegalite_to_png(_on_white(chart), scale=scale, allowed_base_urls=_NO_ADDRESS)


def svg_of(chart: "alt.TopLevelMixin") -> str:
    """The chart in light colours as an SVG document."""
    import vl_convert

    return vl_convert.vegalite_to_svg(_on_white(chart), allowed_base_urls=_NO_ADDRESS)


def _on_white(chart: "alt.TopLevelMixin") -> dict[str, Any]:
    spec = {**spec_of(chart), "config": CONFIG, "background": SURFACE}
    light: dict[str, Any] = in_light(spec)
    return light
