"""Untrusted text inside of Slack's mrkdwn: shown as it was written, and never obeyed.

Slack reads ``<…>`` as links and mentions (``<!channel>`` wakes everybody), ``*_~`` and backticks as
formatting, and in some settings a bare ``@here`` as well.
"""

import re
import unicodedata
from urllib.parse import quote, urlsplit

from pipeline.show.reports.graphemes import shortened

_WORD_JOINER = "\u2060"
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LOOKALIKES = str.maketrans({"*": "∗", "~": "∼", "`": "ˋ"})
"""mrkdwn knows no escape for these; an underscore inside of a word means nothing to it."""
_BROADCAST = re.compile(r"@(?=(?:here|channel|everyone|group)\b)", re.IGNORECASE)
_LOOSE_UNDERSCORE = re.compile(r"(?<!\w)_+|_+(?!\w)")
_BARE_LINK = re.compile(r"(?i)\b(https?|ftp|mailto)(:)")
_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_LONGEST_ADDRESS = 700
_ISOLATE, _END = "\u2068", "\u2069"


def one_line(text: str) -> str:
    """``text`` in one line, without controls, format overrides and lone surrogates."""
    kept = []
    for character in text:
        if unicodedata.category(character) in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069":
            continue
        elif unicodedata.category(character) == "Cs":
            kept.append("\N{REPLACEMENT CHARACTER}")
        else:
            kept.append(character)
    return " ".join("".join(kept).split())


def untrusted(text: str, longest: int) -> str:
    """``text`` for mrkdwn: at most ``longest`` visible code points, and nothing in it works.

    The entities that stand for & < > make it longer than that; a limit has to allow for them.
    """
    cut = shortened(one_line(text), longest)
    quiet = _LOOSE_UNDERSCORE.sub(lambda found: "＿" * len(found[0]), cut.translate(_LOOKALIKES))
    quiet = _BROADCAST.sub("@" + _WORD_JOINER, quiet)
    quiet = _BARE_LINK.sub(rf"\1{_WORD_JOINER}\2", quiet)
    escaped = quiet.translate(_ENTITIES)
    if any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in cut):
        return f"{_ISOLATE}{escaped}{_END}"
    return escaped


def plain(text: str, longest: int) -> str:
    """``text`` for a plain_text object or a notification, where mentions must not work either."""
    cut = _BROADCAST.sub("@" + _WORD_JOINER, one_line(text))
    return shortened(cut, longest).translate(_ENTITIES)


def link(address: str | None, label: str) -> str:
    """A link whose label is mrkdwn already; the label alone when the address is no web address."""
    target = web_address(address)
    return label if target is None else f"<{target}|{label}>"


def web_address(address: str | None) -> str | None:
    """``address`` where it is an http(s) one, with everything quoted that could end a link."""
    if address is None or not is_web_address(address):
        return None
    quoted = quote(address, safe=":/?#[]@!$&'()*+,;=%~-._").replace("&", "&amp;")
    return quoted if len(quoted) <= _LONGEST_ADDRESS else None


def is_web_address(address: str | None) -> bool:
    """Whether it is an http(s) address: nothing else may be behind a link."""
    if not address or not address.isprintable():
        return False
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
