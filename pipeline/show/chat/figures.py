"""Whether the figures of an answer stand in what it was given."""

import re
from collections.abc import Iterable

_NUMBER = re.compile(
    r"(?<![\w.])[-+]?\d{1,3}(?:[,\u202f\u00a0]\d{3})+(?:\.\d+)?|(?<![\w.,])\d+(?:\.\d+)?"
)
_TEXT_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T[\d:.]+Z?)?")
_LONGEST_ID = 9
_SMALL = 12
"""Whole numbers up to here count steps, posts and hours; they are not held against anything."""


def unsourced_figures(answer: str, sources: Iterable[str]) -> list[str]:
    """Figures of an answer that none of its sources holds, as they are written there.

    A figure is found when a source has it after rounding to the digits that are shown, or a
    hundredth of it where it is a percentage. Dates, ids, and whole numbers up to 12 are left out.

    Args:
        answer: What the model said.
        sources: What it was told: prompt, results of tools, the person's own words.
    """
    known = sorted({number for source in sources for number in _numbers(source)})
    found = []
    plain = _TEXT_DATE.sub(" ", answer)
    for match in _NUMBER.finditer(plain):
        text = re.sub(r"[,\u202f\u00a0]", "", match.group()).lstrip("+-")
        whole, _, decimals = text.partition(".")
        if len(whole) > _LONGEST_ID or (not decimals and int(whole) <= _SMALL):
            continue
        value, step = float(text), 10.0 ** -len(decimals)
        after = plain[match.end() : match.end() + 3].strip()
        scales = (1.0, 100.0) if after.startswith(("%", "p")) else (1.0,)
        if after[:1].lower() in {"k", "m"}:
            scales = (1e-3 if after[0].lower() == "k" else 1e-6,)
        if not any(
            abs(number * scale - value) <= 0.51 * step for number in known for scale in scales
        ):
            found.append(match.group().strip() + ("\N{NO-BREAK SPACE}%" if len(scales) > 1 else ""))
    return list(dict.fromkeys(found))


def _numbers(source: str) -> Iterable[float]:
    for match in _NUMBER.finditer(source):
        yield float(re.sub(r"[,\u202f\u00a0+-]", "", match.group()))
