"""Everything that a report about one question reads."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.learn.predict.account_growth import AccountForecast, account_forecasts
from pipeline.show.reports.cadence import Cadence, cadences
from pipeline.show.reports.cells import SlideCell, TimeCell, slide_cells, time_cells
from pipeline.show.reports.cross_account import CommonEffect, common_effects
from pipeline.show.reports.exploration import ExplorationSegment, exploration_segments
from pipeline.show.reports.failures import (
    FailedPost,
    FailureSegment,
    failed_posts,
    failure_segments,
)
from pipeline.show.reports.growth import (
    GrowthPoint,
    ProjectedPost,
    growth_points,
    projected_posts,
)
from pipeline.show.reports.hook_scores import HookScore, hook_scores
from pipeline.show.reports.pareto import Pareto, paretos
from pipeline.show.reports.saves import SaveVsShare, saves_and_shares
from pipeline.show.reports.segments import (
    ACROSS_ACCOUNTS,
    DIMENSIONS,
    OUTCOMES,
    Focus,
    SegmentTable,
    segment_tables,
)
from pipeline.show.reports.weights import SegmentWeight, segment_weights

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Focused:
    """One account's figures about one question, or those of all; what it does not ask is empty."""

    focus: Focus
    account_name: str | None
    """None for all accounts."""
    tables: tuple[SegmentTable, ...] = ()
    """Effects of an account; across accounts those that they have in common."""
    across_accounts: tuple[CommonEffect, ...] = ()
    weights: tuple[SegmentWeight, ...] = ()
    hook_scores: tuple[HookScore, ...] = ()
    times: tuple[TimeCell, ...] = ()
    slides: tuple[SlideCell, ...] = ()
    cadence: tuple[Cadence, ...] = ()
    saves: tuple[SaveVsShare, ...] = ()
    failures: tuple[FailureSegment, ...] = ()
    failed_posts: tuple[FailedPost, ...] = ()
    pareto: tuple[Pareto, ...] = ()
    growth: tuple[GrowthPoint, ...] = ()
    projected: tuple[ProjectedPost, ...] = ()
    forecasts: tuple[AccountForecast, ...] = ()
    exploration: tuple[ExplorationSegment, ...] = ()

    def to_json(self) -> Mapping[str, Any]:
        """All rows by what they are about, with nothing left out or rounded."""
        rows = {
            name: [asdict(row) for row in getattr(self, name)]
            for name in self.__dataclass_fields__
            if name not in {"focus", "account_name", "tables"}
        }
        return {
            "focus": self.focus.value,
            "segments": [asdict(row) for table in self.tables for row in table.rows],
            **{name: found for name, found in rows.items() if found or name == "growth"},
        }


def focused(
    connection: "duckdb.DuckDBPyConnection", focus: Focus, account_name: str | None = None
) -> Focused:
    """Read what a report about ``focus`` shows.

    Args:
        connection: To a published copy.
        focus: The question.
        account_name: An account; all of them, and what they have in common, when left out.
    """
    values: dict[str, Any] = {}
    if DIMENSIONS[focus]:
        values["tables"] = segment_tables(connection, account_name or ACROSS_ACCOUNTS, focus)
        if account_name is None:
            values["across_accounts"] = common_effects(
                connection, DIMENSIONS[focus], outcomes=OUTCOMES[focus]
            )
    # Hundreds of accounts' combinations are nothing that anybody reads side by side.
    readers = _ACCOUNT_READERS if account_name else _READERS
    for name, read in readers.get(focus, {}).items():
        values[name] = read(connection, account_name)
    if account_name:
        values["weights"] = segment_weights(connection, focus, account_name)
    return Focused(focus, account_name, **{name: tuple(found) for name, found in values.items()})


_READERS: Mapping[Focus, Mapping[str, Any]] = {
    Focus.CADENCE: {"cadence": cadences},
    Focus.SAVES: {"saves": saves_and_shares},
    Focus.FAILURES: {
        "failures": lambda connection, account: failure_segments(
            connection, account, verdict="over_represented"
        )
    },
    Focus.PARETO: {"pareto": paretos},
    Focus.GROWTH: {"growth": growth_points},
    Focus.EXPLORATION: {"exploration": exploration_segments},
}
_ACCOUNT_READERS: Mapping[Focus, Mapping[str, Any]] = {
    **_READERS,
    Focus.HOOKS: {"hook_scores": hook_scores},
    Focus.TIMING: {"times": time_cells},
    Focus.SLIDES: {"slides": slide_cells},
    Focus.FAILURES: {"failures": failure_segments, "failed_posts": failed_posts},
    Focus.GROWTH: {
        "growth": growth_points,
        "projected": projected_posts,
        "forecasts": account_forecasts,
    },
}
