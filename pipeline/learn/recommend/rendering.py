"""Insights: templates with placeholders, and the figures that fill them.

A writer only ever chooses words. Every number of an insight comes through a placeholder from a
figure that a stored query recomputes.
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.learn.causes import Found
from pipeline.learn.concentration import Concentration
from pipeline.learn.failure_findings import FailurePattern
from pipeline.learn.findings import OUTCOME_WORDS, Finding, ratio_text
from pipeline.learn.untried import UntriedFormat

_WORDS = {**OUTCOME_WORDS, "comments_72h": "comments at 72 hours"}
"""With what experiments are read by and segments are not."""


class TemplateError(ValueError):
    """A template that is not plain text with known placeholders; the message says why."""


def figures_of(finding: Found | UntriedFormat) -> dict[str, Any]:
    """The values behind a finding's placeholders, unrounded, in JSON types."""
    match finding:
        case UntriedFormat():
            return _untried_figures(finding)
        case FailurePattern():
            return {
                **_names(finding.effect),
                "n": finding.n,
                "worst_n": finding.worst_n,
                "account_n": finding.account_n,
                "account_worst_n": finding.account_worst_n,
                "worst_share": finding.worst_share,
                "usual_worst_share": finding.usual_worst_share,
                "ratio": finding.ratio,
                "ratio_low": finding.ratio_low,
                "ratio_high": finding.ratio_high,
            }
        case Concentration():
            return {
                **_names(finding.carriers[0]),
                "segment": listed(finding.segments),
                "n": finding.n,
                "account_n": finding.account_n,
                "segment_count": finding.segment_count,
                "all_segment_count": finding.all_segment_count,
                "post_share": finding.post_share,
                "engagement_share": finding.engagement_share,
                "effect": finding.effect,
                "effect_low": finding.effect_low,
                "effect_high": finding.effect_high,
            }
        case Finding():
            return {
                **_names(finding),
                "n": finding.n,
                "account_n": finding.account_n,
                "effect": finding.effect,
                "effect_low": finding.effect_low,
                "effect_high": finding.effect_high,
                **(
                    {}
                    if finding.engagement_share is None
                    else {"engagement_share": finding.engagement_share}
                ),
            }


def _names(finding: Finding) -> dict[str, Any]:
    return {
        "segment": finding.segment,
        "dimension": finding.dimension,
        "platform": finding.platform,
        "outcome": finding.outcome,
    }


def _untried_figures(untried: UntriedFormat) -> dict[str, Any]:
    last_used = untried.last_used_date
    return {
        "segment": untried.format,
        "post_count": untried.post_count,
        "last_used_date": None if last_used is None else str(last_used),
        "newest_date": str(untried.newest_date),
        "n": untried.account_n,
    }


def listed(names: Sequence[str]) -> str:
    """Names as a sentence lists them, for example "a, b and c"."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def placeholders(figures: Mapping[str, Any]) -> dict[str, str]:
    """What each placeholder of a finding reads, for example ``effect`` → "1.62×"."""
    if "post_count" in figures:
        return _untried_placeholders(figures)
    if "worst_n" in figures:
        return _failure_placeholders(figures)
    effect = float(figures["effect"])
    told = {
        **_told_names(figures),
        "effect": ratio_text(effect),
        "change": f"{_percent(abs(effect - 1))} {'more' if effect >= 1 else 'less'}",
        "interval": f"90 % interval {figures['effect_low']:.2f}–{figures['effect_high']:.2f}",
        "n": str(figures["n"]),
        "account_n": str(figures["account_n"]),
        "share": _percent(figures["n"] / figures["account_n"]),
    }
    if "engagement_share" in figures:
        told["engagement_share"] = _percent(figures["engagement_share"])
    if "segment_count" in figures:
        told["segment_count"] = str(figures["segment_count"])
        told["all_segment_count"] = str(figures["all_segment_count"])
        told["share"] = _percent(figures["post_share"])
    return told


def _told_names(figures: Mapping[str, Any]) -> dict[str, str]:
    segment = str(figures["segment"])
    outcome = str(figures["outcome"])
    return {
        "segment": f"{segment}-slide" if figures["dimension"] == "slide_count" else segment,
        "platform": str(figures["platform"]),
        "outcome": _WORDS.get(outcome, outcome),
    }


def _failure_placeholders(figures: Mapping[str, Any]) -> dict[str, str]:
    return {
        **_told_names(figures),
        "worst_n": str(figures["worst_n"]),
        "account_worst_n": str(figures["account_worst_n"]),
        "worst_share": _percent(figures["worst_share"]),
        "usual_worst_share": _percent(figures["usual_worst_share"]),
        "ratio": ratio_text(float(figures["ratio"])),
        "interval": f"90 % interval {figures['ratio_low']:.2f}–{figures['ratio_high']:.2f}",
        "n": str(figures["n"]),
        "account_n": str(figures["account_n"]),
    }


def _untried_placeholders(figures: Mapping[str, Any]) -> dict[str, str]:
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


def _percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


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
