"""In which order a report of many accounts names them."""

from collections.abc import Sequence

from pipeline.show.reports.periods.movement import Direction
from pipeline.show.reports.periods.report import AccountReport
from pipeline.show.reports.periods.standing import WaitingDecision


def ranked_accounts(accounts: Sequence[AccountReport]) -> list[AccountReport]:
    """Clear movements first, the largest foremost; then the others by their number of posts."""

    def place(account: AccountReport) -> tuple[bool, float, int, str]:
        reach = account.overall[0]
        is_clear = reach.direction in (Direction.UP, Direction.DOWN)
        size = abs(reach.contrast.estimate) if is_clear and reach.contrast else 0.0
        return not is_clear, -size, -account.post_count, account.account_name

    return sorted(accounts, key=place)


def ranked_decisions(waiting: Sequence[WaitingDecision]) -> list[WaitingDecision]:
    """The first proposal of each account before anybody's second."""
    return sorted(waiting, key=lambda one: (one.rank, one.account_name, one.recommendation_id))
