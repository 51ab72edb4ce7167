"""A report of a day, a week or a month: everything that it says, before it is written anywhere."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipeline.accounts import load_account
from pipeline.decide.track_record import verdicts
from pipeline.settings import Settings
from pipeline.show.reports.overview import (
    ProfileOverview,
    PublishedBuild,
    profile_overviews,
    published_build,
)
from pipeline.show.reports.periods.calendar import Days, Period
from pipeline.show.reports.periods.followers import Followers, followers
from pipeline.show.reports.periods.money import Cost, Returns, costs, returns
from pipeline.show.reports.periods.movement import Movement, movements, overall, with_directions
from pipeline.show.reports.periods.posts import ReportPost, posts_between, top_and_bottom
from pipeline.show.reports.periods.standing import (
    Trials,
    WaitingDecision,
    trials,
    waiting_decisions,
)

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class ProfileReport:
    """An account on one platform."""

    overview: ProfileOverview
    """What stands of it altogether, as everywhere else."""
    post_count: int
    """Posts of the days that are compared, paid ones included."""
    former_post_count: int
    movements: tuple[Movement, ...]
    followers: Followers | None
    """None where no count was seen."""


@dataclass(frozen=True)
class AccountReport:
    """One account. ``overall`` puts its profiles together."""

    account_name: str
    display_name: str
    timezone: str
    profiles: tuple[ProfileReport, ...]
    overall: tuple[Movement, ...]
    top: tuple[ReportPost, ...]
    bottom: tuple[ReportPost, ...]

    @property
    def post_count(self) -> int:
        """Posts of the days that are compared."""
        return sum(profile.post_count for profile in self.profiles)

    @property
    def former_post_count(self) -> int:
        """Posts of the days before."""
        return sum(profile.former_post_count for profile in self.profiles)


@dataclass(frozen=True)
class AbsentPart:
    """A part that cannot be written, and the data that it would need."""

    part: str
    needs: str


@dataclass(frozen=True)
class PeriodReport:
    """One account, or all of them together."""

    period: Period
    account_name: str | None
    timezone: str | None
    """None where accounts are in several zones: each one's days are its own."""
    build: PublishedBuild | None
    accounts: tuple[AccountReport, ...]
    overall: tuple[Movement, ...]
    top: tuple[ReportPost, ...]
    bottom: tuple[ReportPost, ...]
    waiting: tuple[WaitingDecision, ...]
    trials: Trials
    costs: tuple[Cost, ...]
    returns: Returns | None
    absent: tuple[AbsentPart, ...]

    @property
    def post_count(self) -> int:
        """Posts of the days that are compared, paid ones included."""
        return sum(account.post_count for account in self.accounts)

    @property
    def former_post_count(self) -> int:
        """Posts of the days before."""
        return sum(account.former_post_count for account in self.accounts)

    @property
    def is_of_all(self) -> bool:
        """Whether it is about all accounts rather than a named one."""
        return self.account_name is None

    @property
    def name(self) -> str:
        """Who it is about, for a heading; untrusted."""
        if self.account_name is None:
            number = len(self.accounts)
            return "the only account" if number == 1 else f"all {number} accounts"
        return next((one.display_name for one in self.accounts), "") or self.account_name


def account_zones(connection: "duckdb.DuckDBPyConnection") -> dict[str, tuple[str, str]]:
    """Display name and IANA zone of each account that a published copy knows, by its name."""
    rows = connection.execute(
        "select account_name, coalesce(nullif(display_name, ''), account_name), timezone "
        "from marts.dim_account order by account_name"
    ).fetchall()
    return {name: (shown, zone or "UTC") for name, shown, zone in rows}


def period_report(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    period: Period,
    account_name: str | None,
) -> PeriodReport:
    """Put the report of a period together.

    Args:
        settings: Where the state database is.
        connection: To a published copy.
        period: Which.
        account_name: Only this account; all when left out.
    """
    known = account_zones(connection)
    chosen = {name: one for name, one in known.items() if account_name in (None, name)}
    if account_name is not None and not chosen:  # not built yet
        account = load_account(settings.accounts_dir, account_name)
        chosen = {account_name: (account.display_name or account_name, account.timezone)}
    compared, former = period.compared, period.former
    posts = posts_between(connection, former.first, compared.last, account_name)
    seen = followers(connection, compared, account_name)
    overviews = [
        overview
        for overview in profile_overviews(connection, account_name)
        if overview.account_name in chosen
    ]
    profiles = _profiles(overviews, posts, compared, former, seen)
    accounts = [_account(name, *chosen[name], profiles, posts, compared) for name in chosen]
    accounts, whole = _directed(accounts)
    build = published_build(connection)
    zones = {name: ZoneInfo(zone) for name, (_, zone) in known.items()} | {"*": ZoneInfo("UTC")}
    own = [post for post in posts if post.local_date in compared]
    top, bottom = top_and_bottom(own)
    names = {account.timezone for account in accounts}
    earned = returns(own)
    return PeriodReport(
        period=period,
        account_name=account_name,
        timezone=names.pop() if len(names) == 1 else None,
        build=build,
        accounts=tuple(accounts),
        overall=whole,
        top=tuple(top),
        bottom=tuple(bottom),
        waiting=tuple(waiting_decisions(settings, account_name)),
        trials=trials(
            verdicts(connection, account_name), period, zones, build.as_of if build else None
        ),
        costs=tuple(costs(connection, period.days, period.previous.days, account_name)),
        returns=earned,
        absent=_absent(earned),
    )


def report_json(report: PeriodReport, summary: Sequence[str]) -> dict[str, Any]:
    """The report as plain data, with nothing left out but the workings."""
    period = report.period
    whole = dataclasses.asdict(report)
    whole["period"] = {
        "kind": period.kind.value,
        "key": period.key,
        "first_day": period.days.first,
        "last_day": period.days.last,
        "compared": dataclasses.asdict(period.compared),
        "former": dataclasses.asdict(period.former),
    }
    whole["summary"] = list(summary)
    _drop_workings(whole)
    return whole


def _drop_workings(value: object) -> None:
    if isinstance(value, dict):
        value.pop("contrast", None)
        for item in value.values():
            _drop_workings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _drop_workings(item)


def _profiles(
    overviews: Sequence[ProfileOverview],
    posts: Sequence[ReportPost],
    compared: Days,
    former: Days,
    seen: Mapping[tuple[str, str], Followers],
) -> list[ProfileReport]:
    by_profile: dict[tuple[str, str], list[ReportPost]] = {}
    for post in posts:
        by_profile.setdefault((post.account_name, post.platform), []).append(post)
    found = []
    for overview in overviews:
        own = by_profile.get((overview.account_name, overview.platform), [])
        here = [post for post in own if post.local_date in compared]
        before = [post for post in own if post.local_date in former]
        found.append(
            ProfileReport(
                overview=overview,
                post_count=len(here),
                former_post_count=len(before),
                movements=tuple(movements(here, before)),
                followers=seen.get((overview.account_name, overview.platform)),
            )
        )
    return found


def _account(
    name: str,
    display_name: str,
    timezone: str,
    profiles: Sequence[ProfileReport],
    posts: Sequence[ReportPost],
    compared: Days,
) -> AccountReport:
    own = tuple(profile for profile in profiles if profile.overview.account_name == name)
    top, bottom = top_and_bottom(
        [post for post in posts if post.account_name == name and post.local_date in compared]
    )
    return AccountReport(
        account_name=name,
        display_name=display_name,
        timezone=timezone,
        profiles=own,
        overall=tuple(overall([profile.movements for profile in own])),
        top=tuple(top),
        bottom=tuple(bottom),
    )


def _directed(
    accounts: Sequence[AccountReport],
) -> tuple[list[AccountReport], tuple[Movement, ...]]:
    """The accounts with what their movements may say, and the movement of all together."""
    profiles = [profile for account in accounts for profile in account.profiles]
    whole = overall([profile.movements for profile in profiles])
    # What the report is about is one question, each account another and each profile a third:
    # that many profiles are looked at makes the headline no less certain.
    own = iter(with_directions([profile.movements for profile in profiles]))
    together = iter(with_directions([account.overall for account in accounts]))
    (headline,) = with_directions([whole])
    directed = [
        dataclasses.replace(
            account,
            profiles=tuple(
                dataclasses.replace(profile, movements=tuple(next(own)))
                for profile in account.profiles
            ),
            overall=tuple(next(together)),
        )
        for account in accounts
    ]
    return directed, tuple(headline)


def _absent(earned: Returns | None) -> tuple[AbsentPart, ...]:
    found = [
        AbsentPart("competitors", "posts of competitors; none are collected"),
    ]
    if earned is None:
        found.insert(
            0,
            AbsentPart(
                "return on cost",
                "revenue or link clicks from the platforms' own exports "
                "(afterpost import FILE --native)",
            ),
        )
    return tuple(found)
