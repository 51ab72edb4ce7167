"""What ``afterpost analyze --focus`` prints: which tables stand for which question."""

from pipeline.show.cli.analyze_cells import (
    show_forecasts,
    show_growth,
    show_hook_scores,
    show_projected,
    show_slides,
    show_times,
)
from pipeline.show.cli.analyze_habits import (
    show_cadence,
    show_exploration,
    show_failed_posts,
    show_failures,
    show_pareto,
    show_saves,
)
from pipeline.show.cli.analyze_segments import show_common, show_tables, show_weights
from pipeline.show.reports.focused import Focused
from pipeline.show.reports.segments import DIMENSIONS, Focus


def show_focus(found: Focused) -> None:
    """Print all that was read about one question."""
    is_all = found.account_name is None
    dimensions = DIMENSIONS[found.focus]
    if dimensions and is_all:
        show_common(found.across_accounts, dimensions[0])
    elif dimensions:
        show_tables(found.tables, dimensions[0])
    if found.focus is Focus.CADENCE:
        show_cadence(found.cadence, is_all=is_all)
    elif found.focus is Focus.SAVES:
        show_saves(found.saves, is_all=is_all)
    elif found.focus is Focus.FAILURES:
        show_failures(found.failures, is_all=is_all)
        show_failed_posts(found.failed_posts)
    elif found.focus is Focus.PARETO:
        show_pareto(found.pareto, is_all=is_all)
    elif found.focus is Focus.GROWTH:
        show_growth(found.growth, is_all=is_all)
        show_projected(found.projected)
        show_forecasts(found.forecasts)
    elif found.focus is Focus.EXPLORATION:
        show_exploration(found.exploration, is_all=is_all)
    else:
        show_weights(found.weights)
        show_times(found.times)
        show_slides(found.slides)
        show_hook_scores(found.hook_scores)
