"""A report as titles, sentences and tables: what the terminal, the page and the paper all show."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.show import figure_words
from pipeline.show.figure_words import MISSING, times
from pipeline.show.reports.graphemes import shortened
from pipeline.show.reports.periods import wording
from pipeline.show.reports.periods.movement import Direction, Movement
from pipeline.show.reports.periods.posts import ReportPost
from pipeline.show.reports.periods.ranking import ranked_accounts, ranked_decisions
from pipeline.show.reports.periods.report import AccountReport, PeriodReport, ProfileReport
from pipeline.show.reports.periods.summary import executive_summary
from pipeline.show.reports.slack_text import one_line

_LONGEST_CAPTION = 140
_TRIALS_SHOWN = 20
_DECISIONS_SHOWN = 20


@dataclass(frozen=True)
class Cell:
    """What stands in one place of a table. All text is untrusted: whoever shows it escapes it."""

    text: str
    small: str = ""
    """A second, quieter line."""
    address: str | None = None
    """Where a click leads; as the platform gave it, so it has to be checked."""
    is_number: bool = False
    tone: str = ""
    """up or down, where the words say so as well."""
    is_code: bool = False


@dataclass(frozen=True)
class Part:
    """A titled part: sentences, then a table where it has one."""

    title: str
    sentences: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    is_detail: bool = False
    """Whether a short form of the report leaves it out."""


@dataclass(frozen=True)
class Document:
    """The whole report."""

    title: str
    subtitle: str
    summary: tuple[str, ...]
    parts: tuple[Part, ...]
    context: tuple[str, ...]


def document_of(report: PeriodReport) -> Document:
    """Everything that a report says, in reading order."""
    kind = report.period.kind.value.capitalize()
    days, former = report.period.compared.words, report.period.former.words
    parts = [_accounts(report)] if report.is_of_all else []
    parts += [
        _platforms(report),
        _posts("Top posts", report.top, report),
        _posts("Bottom posts", report.bottom, report),
        _waiting(report),
        _verdicts(report),
        _experiments(report),
        _costs(report),
        _returns(report),
        _absent(report),
    ]
    return Document(
        title=f"{kind} report: {one_line(report.name)}",
        subtitle=f"{report.period.title}; posts of {days} against those of {former}",
        summary=tuple(executive_summary(report)),
        parts=tuple(part for part in parts if part.rows or part.sentences),
        context=(*wording.context_words(report), wording.LEGEND),
    )


def _accounts(report: PeriodReport) -> Part:
    return Part(
        "Accounts",
        columns=("account", "posts", "reach", "engagement rate"),
        rows=tuple(
            (
                Cell(account.account_name, _zone(account, report)),
                _counted(account.post_count, account.former_post_count),
                *(_movement(movement) for movement in account.overall),
            )
            for account in ranked_accounts(report.accounts)
        ),
    )


def _counted(now: int, before: int) -> Cell:
    return Cell(f"{now:,}", f"before {before:,}", is_number=True)


def _zone(account: AccountReport, report: PeriodReport) -> str:
    return account.timezone if report.timezone is None else ""


def _platforms(report: PeriodReport) -> Part:
    return Part(
        "Platforms",
        columns=("platform", "what", "now", "change"),
        rows=tuple(
            row
            for account in ranked_accounts(report.accounts)
            for profile in account.profiles
            for row in _platform(account, profile, report)
        ),
        is_detail=report.is_of_all,
    )


def _platform(
    account: AccountReport, profile: ProfileReport, report: PeriodReport
) -> list[tuple[Cell, ...]]:
    """A row per figure; the first one names the profile."""
    overview, seen = profile.overview, profile.followers
    name = figure_words.platform(overview.platform)
    rows = [
        (
            Cell(wording.outcome_at_age(movement), wording.n_words(movement)),
            _middle(movement),
            _movement(movement, with_n=False),
        )
        for movement in profile.movements
    ]
    rows.append(
        (
            Cell("Posts"),
            _counted(profile.post_count, profile.former_post_count),
            Cell(""),
        )
    )
    if seen is not None:
        since = "" if seen.change is None else figure_words.signed(seen.change)
        rows.append(
            (
                Cell("Followers"),
                Cell(figure_words.count(seen.follower_count), is_number=True),
                Cell(since, f"since {figure_words.day_of_year(seen.since)}" if since else ""),
            )
        )
    usual, what = wording.usual_figures(overview)
    rows.append((Cell("The usual post", what), Cell(usual, is_number=True), Cell("")))
    first = Cell(
        f"{account.account_name}, {name}" if report.is_of_all else name,
        f"@{one_line(overview.handle)}" if overview.handle else "",
    )
    return [(first if place == 0 else Cell(""), *row) for place, row in enumerate(rows)]


def _middle(movement: Movement) -> Cell:
    now, before = wording.middle_posts(movement)
    return Cell(now, f"before {before}", is_number=True)


def _movement(movement: Movement, *, with_n: bool = True) -> Cell:
    if movement.ratio is None:
        return Cell(f"{wording.arrow(movement)} not enough data", wording.lacking_words(movement))
    told = wording.direction_words(movement)
    is_clear = movement.direction in (Direction.UP, Direction.DOWN)
    return Cell(
        f"{wording.arrow(movement)} {wording.ratio_words(movement)}",
        f"{told}; {wording.n_words(movement)}" if with_n else told,
        tone=movement.direction.value if is_clear else "",
    )


def _posts(title: str, posts: Sequence[ReportPost], report: PeriodReport) -> Part:
    def where(post: ReportPost) -> str:
        names = [figure_words.platform(post.platform), post.format or ""]
        if report.is_of_all:
            names.insert(0, post.account_name)
        return ", ".join(one_line(name) for name in names if name)

    return Part(
        title,
        columns=("post", "times its usual", "score"),
        rows=tuple(
            (
                Cell(
                    shortened(one_line(post.caption or ""), _LONGEST_CAPTION) or "(no caption)",
                    f"{where(post)}, {post.local_date:%a} {post.local_date.day} "
                    f"{post.local_date:%b}",
                    address=post.post_url,
                ),
                Cell(
                    times(post.outlier_multiple),
                    f"of {post.peer_count or 0:,} posts at "
                    f"{figure_words.standard_age(post.score_age_hours or 0)}",
                    is_number=True,
                ),
                Cell(MISSING if post.score is None else f"{post.score:.0f}", is_number=True),
            )
            for post in posts
        ),
    )


def _waiting(report: PeriodReport) -> Part:
    chosen = ranked_decisions(report.waiting)
    left = len(chosen) - _DECISIONS_SHOWN
    return Part(
        "Waiting for a decision",
        sentences=(f"{left} more: afterpost review --account NAME",) if left > 0 else (),
        columns=("proposal", "confidence"),
        rows=tuple(
            (
                Cell(one_line(one.insight), one.command, is_code=True),
                Cell(one.confidence, figure_words.plural(one.sample_size, "post")),
            )
            for one in chosen[:_DECISIONS_SHOWN]
        ),
    )


def _experiments(report: PeriodReport) -> Part:
    trials = report.trials
    left = len(trials.running) - _TRIALS_SHOWN
    return Part(
        "Experiments: approved changes being judged",
        sentences=(f"{left} more: afterpost verdicts",) if left > 0 else (),
        columns=("change", "how it stands"),
        rows=tuple(
            (
                Cell(f"{one.account_name}: {one_line(wording.trial_words(one))}"),
                Cell(wording.progress_words(one), "due" if one in trials.due else ""),
            )
            for one in trials.running[:_TRIALS_SHOWN]
        ),
    )


def _verdicts(report: PeriodReport) -> Part:
    return Part(
        "Verdicts that arrived",
        columns=("change", "verdict"),
        rows=tuple(
            (
                Cell(f"{one.account_name}: {one_line(wording.trial_words(one))}"),
                Cell(wording.verdict_words(one)),
            )
            for one in report.trials.arrived[:_TRIALS_SHOWN]
        ),
    )


def _costs(report: PeriodReport) -> Part:
    return Part(
        "Costs",
        columns=("for", "period", "runs"),
        rows=tuple(
            (
                Cell("scraping" if cost.kind == "scraping" else "Claude"),
                Cell(
                    figure_words.usd(cost.cost_usd),
                    f"before {figure_words.usd(cost.former_cost_usd)}",
                    is_number=True,
                ),
                Cell(
                    f"{cost.run_count:,}",
                    f"{cost.unpriced_run_count:,} of unknown cost"
                    if cost.unpriced_run_count
                    else "",
                    is_number=True,
                ),
            )
            for cost in report.costs
        ),
    )


def _returns(report: PeriodReport) -> Part:
    told = wording.returns_words(report)
    return Part("Return", sentences=(f"{told[0].upper()}{told[1:]}.",) if told else ())


def _absent(report: PeriodReport) -> Part:
    return Part(
        "What is not in it",
        sentences=tuple(f"No part on {one.part}: it needs {one.needs}." for one in report.absent),
    )
