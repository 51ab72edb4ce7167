"""A measured figure beside what it has to reach, as benchmarks print them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One figure and what it has to reach."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    error: float | None = None
    """Its standard error, where it was measured."""

    @property
    def verdict(self) -> str:
        """Whether the line is reached; empty for a figure without one."""
        if self.low is None and self.high is None:
            return ""
        above = self.low is None or self.value >= self.low
        below = self.high is None or self.value <= self.high
        return "reached" if above and below else "NOT REACHED"

    @property
    def bounds(self) -> str:
        """The line in figures."""
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.high is not None else ""
