"""The executive summary: a few sentences, each made of figures that stand further below."""

from pipeline.show.figure_words import interval, plural, times, usd
from pipeline.show.reports.periods.money import Cost, known_total
from pipeline.show.reports.periods.movement import Direction, Movement
from pipeline.show.reports.periods.report import AccountReport, PeriodReport
from pipeline.show.reports.periods.wording import (
    direction_words,
    n_words,
    needs_words,
    outcome_at_age,
    ratio_words,
)

_NAMED = 3


def executive_summary(report: PeriodReport) -> list[str]:
    """At most eight sentences, the most telling first. They hold no caption."""
    return [
        *_published(report),
        *(_moved(movement, report) for movement in report.overall if movement.n),
        *_accounts_that_moved(report),
        *_decisions(report),
        *_verdicts(report),
        *_money(report),
    ]


def _published(report: PeriodReport) -> list[str]:
    now, before = report.post_count, report.former_post_count
    build = report.build
    if not now:
        told = f"No posts in {report.period.compared.words}; {before:,} in the days before."
        if build and build.as_of and build.as_of.date() < report.period.compared.first:
            told += f" The data go up to {build.as_of:%Y-%m-%d}: scrape, then build."
        return [told]
    where = "" if not report.is_of_all else f" by {plural(_posting(report), 'account')}"
    told = f"{plural(now, 'post')}{where} in {report.period.compared.words}"
    return [f"{told}, after {before:,} in the {report.period.former.count} days before."]


def _posting(report: PeriodReport) -> int:
    return sum(1 for account in report.accounts if account.post_count)


def _moved(movement: Movement, report: PeriodReport) -> str:
    what = outcome_at_age(movement)
    if movement.ratio is None:
        return f"{what}: {needs_words(movement)}."
    before = {"daily": "7 days", "weekly": "week", "monthly": "month"}[report.period.kind]
    return (
        f"{what}: {times(movement.ratio)} that of the {before} before (90 % interval "
        f"{interval(movement.ratio_low, movement.ratio_high)}; {n_words(movement)}): "
        f"{direction_words(movement)}."
    )


def _accounts_that_moved(report: PeriodReport) -> list[str]:
    if not report.is_of_all:
        return []
    told = []
    for direction in (Direction.UP, Direction.DOWN):
        moved = [
            (account, movement)
            for account in report.accounts
            for movement in account.overall[:1]
            if movement.direction is direction
        ]
        moved.sort(key=lambda one: -abs(one[1].contrast.estimate) if one[1].contrast else 0.0)
        if moved:
            named = ", ".join(_named(account, one) for account, one in moved[:_NAMED])
            more = f" and {len(moved) - _NAMED} more" if len(moved) > _NAMED else ""
            told.append(f"{direction.value.capitalize()} in reach: {named}{more}.")
    if report.accounts and not told and any(account.post_count for account in report.accounts):
        told.append("No account's reach has clearly moved.")
    return told


def _named(account: AccountReport, movement: Movement) -> str:
    return f"{account.account_name} {ratio_words(movement)}"


def _decisions(report: PeriodReport) -> list[str]:
    waiting = len(report.waiting)
    if not waiting:
        return []
    verb = "waits" if waiting == 1 else "wait"
    return [f"{plural(waiting, 'recommendation')} {verb} for a decision."]


def _verdicts(report: PeriodReport) -> list[str]:
    trials = report.trials
    told = []
    if trials.arrived:
        counts = {
            words: sum(1 for one in trials.arrived if one.verdict == verdict)
            for verdict, words in (
                ("worked", "worked"),
                ("did_not_work", "did not work"),
                ("cannot_tell", "could not be told"),
            )
        }
        told.append(
            f"{plural(len(trials.arrived), 'verdict')} arrived: "
            + ", ".join(f"{number} {words}" for words, number in counts.items() if number)
            + "."
        )
    if trials.running:
        due = f", {len(trials.due)} of them due" if trials.due else ""
        told.append(f"{plural(len(trials.running), 'approved change')} being judged{due}.")
    return told


def _money(report: PeriodReport) -> list[str]:
    if not report.costs:
        return []
    total = known_total(report.costs)
    parts = ", ".join(f"{_kind(cost)} {usd(cost.cost_usd)}" for cost in report.costs)
    unpriced = sum(cost.unpriced_run_count for cost in report.costs)
    least = "at least " if unpriced else ""
    more = f"; {plural(unpriced, 'run')} of unknown cost" if unpriced else ""
    return [f"Cost {least}{usd(total)} ({parts}{more})."]


def _kind(cost: Cost) -> str:
    return "scraping" if cost.kind == "scraping" else "Claude"
