"""Facts as one HTML page."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from pipeline.learn.findings import Direction
from pipeline.settings import Settings
from pipeline.show.charts.colours import DARK, LIGHT
from pipeline.show.charts.style import CONFIG
from pipeline.show.dashboard import embedding, first_screen, words
from pipeline.show.dashboard.account_panels import accounts_panel, common_panel
from pipeline.show.dashboard.effect_panels import effects_panel, trend_panel
from pipeline.show.dashboard.facts import Facts
from pipeline.show.dashboard.heat_panels import pillar_format_panel, week_panel
from pipeline.show.dashboard.panels import Panel
from pipeline.show.dashboard.post_panels import (
    growth_panel,
    projection_panel,
    saves_panel,
    scores_panel,
    verdicts_panel,
)
from pipeline.show.dashboard.post_table import post_columns
from pipeline.show.dashboard.prediction_panels import skill_panel
from pipeline.show.reports.segments import Focus

_templates = cache(embedding.templates_of)


def page(settings: Settings, facts: Facts, runtime: str) -> str:
    """The whole document.

    Args:
        settings: For what would change when a recommendation is approved.
        facts: What it shows.
        runtime: The script that defines ``vegaEmbed``.
    """
    sections = panels(facts)
    theme = part("theme.js")
    scripts = [part("posts.js"), runtime, part("charts.js"), part("panels.js")]
    style = look()
    text = _templates().get_template("page.html.jinja").render(
        facts=facts,
        words=words,
        title=facts.display_name,
        policy=embedding.policy([theme, *scripts], [style]),
        theme=theme,
        scripts=scripts,
        style=style,
        works=first_screen.claims(facts, Direction.BETTER),
        fails=first_screen.claims(facts, Direction.WORSE),
        most=first_screen.MOST_CLAIMS,
        ideas=first_screen.ideas(settings, facts),
        cards=first_screen.cards(facts) if facts.account else [],
        panels=sections,
        charts=embedding.json_for_script({"config": CONFIG, "specs": _specs(sections)}),
        posts=embedding.json_for_script(post_columns(facts.posts)),
        shown_posts=len(facts.posts),
    )  # fmt: skip
    return embedding.well_formed(text)


def panels(facts: Facts) -> list[Panel]:
    """The sections of the page between the first screen and the post table, in order."""
    across = [] if facts.account else [accounts_panel(facts), common_panel(facts)]
    cells = [pillar_format_panel(facts), week_panel(facts)] if facts.account else []
    whose = "the account's" if facts.account else "each account's"
    return [
        *across,
        trend_panel(facts),
        effects_panel(
            facts, Focus.FORMATS, "formats", "Which formats do better?",
            f"Each format against {whose} usual post. A line that crosses the dashed one could "
            "be chance; a grey one too, given how many are compared.",
        ),
        effects_panel(
            facts, Focus.PILLARS, "pillars", "Which pillars do better?",
            f"Each content pillar against {whose} usual post.",
        ),
        *cells[:1],
        effects_panel(
            facts, Focus.TIMING, "timing", "When to post?",
            f"Weekdays and parts of the day against {whose} usual post, on its own clock.",
        ),
        saves_panel(facts),
        *cells[1:],
        growth_panel(facts),
        projection_panel(facts),
        scores_panel(facts),
        verdicts_panel(facts),
        skill_panel(facts),
    ]  # fmt: skip


def _specs(sections: Sequence[Panel]) -> dict[str, Any]:
    return {
        f"{panel.key}-{place}": spec
        for panel in sections
        for place, variant in enumerate(panel.variants)
        if (spec := variant.spec()) is not None
    }


def look() -> str:
    """The style sheet with its colours, light and dark."""
    light = "".join(f"{name}:{colour};" for name, colour in LIGHT.items())
    dark = "".join(f"{name}:{colour};" for name, colour in DARK.items())
    return (
        f":root{{{light}}}\n"
        f"@media screen and (prefers-color-scheme: dark)"
        f"{{:root:not([data-theme=light]){{{dark}}}}}\n"
        f"@media screen{{:root[data-theme=dark]{{{dark}}}}}\n"
    ) + part("page.css")


@cache
def part(name: str) -> str:
    """A style sheet or script of the page, such as ``theme.js``."""
    return (embedding.PAGE_FOLDER / name).read_text(encoding="utf-8")
