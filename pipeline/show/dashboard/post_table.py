"""The post table's data, kept small: columns instead of rows, names once, whole numbers.

A number is written as it is shown; what is missing is a letter that stands for the reason.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from pipeline.show.charts.style import one_line
from pipeline.show.reports.posts import REASONS, PostFigures

LONGEST_TEXTS = (140, 100, 70, 48)
"""Characters of a caption; the first that keeps the page small. The post is a click away."""

MOST_TEXT_BYTES = 900_000

_LETTERS = {reason: chr(ord("a") + place) for place, reason in enumerate(REASONS)}
_CATEGORIES = ("overperforming", "normal", "underperforming")


def post_columns(posts: Sequence[PostFigures]) -> dict[str, Any]:
    """The posts as one object of equally long lists; ids are text."""
    addresses = _Names()
    tails = [_address(post, addresses) for post in posts]
    named = {
        name: _coded([getattr(post, name) for post in posts])
        for name in ("account_name", "platform", "format", "pillar")
    }
    return {
        "n": len(posts),
        "reasons": {letter: REASONS[reason] for reason, letter in _LETTERS.items()},
        "names": {name: codes.names for name, (codes, _) in named.items()},
        "categories": _CATEGORIES,
        "addresses": addresses.names,
        "columns": {
            **{name: column for name, (_, column) in named.items()},
            "id": [post.post_id for post in posts],
            "address": [head for head, _ in tails],
            "tail": [tail for _, tail in tails],
            "text": _texts(posts),
            "date": [post.local_date.isoformat() if post.local_date else "" for post in posts],
            "views": _numbers(posts, "view_count", round),
            "views7": _numbers(posts, "view_7d", round),
            "engagement7": _numbers(posts, "engagement_7d", round),
            # Hundredths of a percent, as many as are shown.
            "rate": _numbers(
                posts, "engagement_rate", lambda rate: round(float(f"{100 * rate:.2f}") * 100)
            ),
            "score": _numbers(posts, "score", round),
            "category": [
                _CATEGORIES.index(post.category) if post.category in _CATEGORIES else -1
                for post in posts
            ],
        },
    }


def _texts(posts: Sequence[PostFigures]) -> list[str]:
    texts: list[str] = []
    for longest in LONGEST_TEXTS:
        texts = [one_line(post.text or "", longest) for post in posts]
        if sum(len(text.encode("utf-8", errors="replace")) for text in texts) <= MOST_TEXT_BYTES:
            break
    return texts


class _Names:
    """Numbers for texts that repeat."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def names(self) -> list[str]:
        return list(self._numbers)


def _coded(values: Sequence[str | None]) -> tuple[_Names, list[int]]:
    """Names sorted, and each value's place among them; −1 for none."""
    names = _Names()
    for value in sorted({value for value in values if value is not None}):
        names.number(value)
    return names, [-1 if value is None else names.number(value) for value in values]


def _numbers(
    posts: Sequence[PostFigures], name: str, shown: Callable[[float], int]
) -> list[int | str]:
    return [
        _LETTERS[getattr(post, f"{name}_missing") or "not_told"]
        if getattr(post, name) is None
        else shown(getattr(post, name))
        for post in posts
    ]


def _address(post: PostFigures, addresses: _Names) -> tuple[int, str]:
    """A web address in two parts, the first of which repeats; (−1, "") for none or no web address.

    Where the address ends with the post's id, the second part is empty.
    """
    url = (post.post_url or "").strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return -1, ""
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return -1, ""
    if post.post_id and url.endswith(post.post_id):
        return addresses.number(url.removesuffix(post.post_id)), ""
    head, slash, tail = url.rstrip("/").rpartition("/")
    return addresses.number(head + slash), tail
