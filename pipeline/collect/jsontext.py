"""JSON as sources really write it: exact numbers in, and cleaned text that DuckDB can read out."""

import json
import math
from typing import Any

_INT_DIGITS = 4000
"""Python refuses to turn more digits into a number; such a number stays text."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON without losing digits of whole numbers; NaN and lone surrogates pass.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested deeper than the interpreter can follow.
    """
    return json.loads(text, parse_int=_whole_number)


def _whole_number(digits: str) -> int | str:
    return int(digits) if len(digits) <= _INT_DIGITS else digits


def row_line(row: object) -> bytes:
    """One row as one line of JSON text, value for value, without the line end.

    Half characters (lone surrogates), NaN and whole numbers of any length survive.
    """
    text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(row, ensure_ascii=True, separators=(",", ":")).encode("ascii")


def clean_json(value: Any) -> str:
    """JSON text that every reader takes: lone surrogates become U+FFFD, NaN and infinity null.

    Raises:
        RecursionError: The value is nested deeper than the interpreter can follow.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        text.encode("utf-8")
    except ValueError:  # UnicodeEncodeError is one
        text = json.dumps(_clean(value), ensure_ascii=False, separators=(",", ":"))
    return text


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        # Through UTF-16, so that two halves that stand side by side become their character.
        return value.encode("utf-16-le", errors="surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value
