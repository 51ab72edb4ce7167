"""Insights: templates with placeholders, and the figures that fill them.

A writer only ever chooses words. Every number of an insight comes through a placeholder from a
figure that a stored query recomputes.
"""

import string
from collections.abc import Mapping
from typing import Any

from pipeline.learn.findings import OUTCOME_WORDS, Finding, ratio_text
from pipeline.learn.untried import UntriedFormat


class TemplateError(ValueError):
    """A template that is not plain text with known placeholders; the message says why."""


def figures_of(finding: Finding | UntriedFormat) -> dict[str, Any]:
    """The values behind a finding's placeholders, unrounded, in JSON types."""
    if isinstance(finding, UntriedFormat):
        return {
            "segment": finding.format,
            "post_count": finding.post_count,
            "last_used_date": (
                None if finding.last_used_date is None else str(finding.last_used_date)
            ),
            "newest_date": str(finding.newest_date),
            "n": finding.account_n,
        }
    return {
        "segment": finding.segment,
        "dimension": finding.dimension,
        "platform": finding.platform,
        "outcome": finding.outcome,
        "n": finding.n,
        "account_n": finding.account_n,
        "effect": finding.effect,
        "effect_low": finding.effect_low,
        "effect_high": finding.effect_high,
    }


def placeholders(figures: Mapping[str, Any]) -> dict[str, str]:
    """What each placeholder of a finding reads, for example ``effect`` → "1.62×"."""
    if "effect" not in figures:
        count = figures["post_count"]
        return {
            "segment": str(figures["segment"]),
            "post_count": "no posts" if count == 0 else f"{count} post{'s' * (count != 1)}",
            "last_used": (
                "never used"
                if figures["last_used_date"] is None
                else f"last used on {figures['last_used_date']}"
            ),
            "n": str(figures["n"]),
        }
    segment = str(figures["segment"])
    effect = float(figures["effect"])
    return {
        "segment": f"{segment}-slide" if figures["dimension"] == "slide_count" else segment,
        "platform": str(figures["platform"]),
        "outcome": OUTCOME_WORDS.get(str(figures["outcome"]), str(figures["outcome"])),
        "effect": ratio_text(effect),
        "change": f"{abs(effect - 1):.0%} {'more' if effect >= 1 else 'less'}".replace("%", " %"),
        "interval": (f"90 % interval {figures['effect_low']:.2f}–{figures['effect_high']:.2f}"),
        "n": str(figures["n"]),
        "account_n": str(figures["account_n"]),
        "share": f"{figures['n'] / figures['account_n']:.0%}".replace("%", " %"),
    }


def used_placeholders(template: str) -> list[str]:
    """The placeholders that a template names, in order.

    Raises:
        TemplateError: Braces that do not match, or a placeholder with an attribute, an index, a
            conversion or a format; such a template could read more than its figures.
    """
    names = []
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(f"its braces do not fit together ({error})") from error
    for _, name, format_spec, conversion in parts:
        if name is None:
            continue
        if not name.isidentifier() or format_spec or conversion:
            raise TemplateError(f"{{{name}}} is no plain placeholder")
        names.append(name)
    return names


def literal_text(template: str) -> str:
    """A template's own words: everything outside of its placeholders."""
    return " ".join(text for text, _, _, _ in string.Formatter().parse(template))


def render(template: str, figures: Mapping[str, Any]) -> str:
    """The insight as a person reads it.

    Raises:
        TemplateError: The template names a placeholder that the finding does not have.
    """
    values = placeholders(figures)
    unknown = sorted(set(used_placeholders(template)) - set(values))
    if unknown:
        raise TemplateError(f"{{{unknown[0]}}} is none of {', '.join(sorted(values))}")
    return template.format_map(values)
