"""Unified diffs as lines with their meaning."""

from dataclasses import dataclass

_KINDS = {"+": "added", "-": "removed", "@": "place"}
_WORDS = {"added": "added: ", "removed": "removed: "}


@dataclass(frozen=True)
class DiffLine:
    """One line of a diff."""

    kind: str
    """added, removed, place or same."""
    text: str

    @property
    def spoken(self) -> str:
        """What a screen reader says before the line."""
        return _WORDS.get(self.kind, "")


def diff_lines(diff: str) -> list[DiffLine]:
    """The lines of a unified diff without its heading."""
    lines = diff.splitlines()
    if len(lines) > 1 and lines[0].startswith("---") and lines[1].startswith("+++"):
        lines = lines[2:]
    return [DiffLine(_KINDS.get(line[:1], "same"), line) for line in lines]
