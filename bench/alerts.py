"""How often alerts are wrong and how often they are right: `make bench-alerts`.

Quiet accounts (:mod:`pipeline.simulate.quiet_accounts`) go through the product's own rules and
rounds, one round after each daily scrape. Prints each figure beside its line and writes
``bench/results/alerts.json``.

What is counted:

- quiet: account-weeks of 90 days in which any alert is opened, of all kinds together.
- fall: everything posted after a moment reaches a stated part of what it would have. The rule
  says how many posts it needs for that (:func:`pipeline.show.alerts.drops.posts_needed`, from what
  is known when the fall begins; never the true spread). Caught: opened at the latest by the second
  scrape after so many later posts, which cover a week, have reached the compared age. Not promised:
  profiles whose posts differ so much, or come so rarely, that 90 days are too short. Intervals
  right: told 90 % intervals that have the true ratio of the posts they speak of.
- breakout: one post a stated number of the account's robust deviations above its usual. Caught:
  opened by the second scrape after it was posted.
- after a record: how many weeks after a record of 30 times the usual have a performance alert.
"""

import argparse
import json
import platform
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.accounts import AlertKind, AlertThresholds
from pipeline.measure.intervals import share_of
from pipeline.show.alerts.drops import posts_needed
from pipeline.show.alerts.findings import Alert, Figures
from pipeline.show.alerts.posts import POST_KINDS, post_findings
from pipeline.show.alerts.robust import usual_of
from pipeline.show.alerts.rounds import EventKind, turn
from pipeline.show.alerts.series import AGES_HOURS, COMPARED_AGE_HOURS, Floats, ProfileSeries
from pipeline.simulate.quiet_accounts import (
    DAY_S,
    QuietAccount,
    Seen,
    draw_accounts,
    log_count,
    seen,
    with_breakout,
    with_fall,
)

RESULTS = Path(__file__).parent / "results"
SEED = 20261120
ACCOUNTS, DAYS = 200, 90
FALLS = (1 / 2, 1 / 3, 1 / 5)
BREAKOUTS = (4.0, 6.0, 8.0)
DEFINED_FALL = 1 / 3
DEFINED_BREAKOUT = 8.0
MOST_QUIET, FEWEST_CAUGHT = 0.02, 0.90
_FALL_DAYS = (5, 45)
_RECORD = 30.0
_WEEK_S = 7 * DAY_S
_THRESHOLDS = AlertThresholds()
_RATES = {"below 4 posts a week": 4.0, "4 to 10 posts a week": 10.0, "more posts": float("inf")}


@dataclass(frozen=True)
class Opened:
    """One alert that was opened."""

    kind: AlertKind
    subject: str
    at: float
    figures: Figures


def series_at(account: QuietAccount, views: list[Seen], moment: float) -> list[ProfileSeries]:
    """What the warehouse would hold of an account at a moment of scraping."""
    return [_series(account, index, views[index], moment) for index in range(len(account.profiles))]


def _series(account: QuietAccount, index: int, view: Seen, moment: float) -> ProfileSeries:
    profile = account.profiles[index]
    # Posts are in order, and so are the scrapes that first show them.
    there = slice(0, int(np.searchsorted(view.first_seen_at, moment, side="right")))
    posted_at = profile.posted_at[there]
    log_at = {
        age: np.where(view.known_at[age][there] <= moment, view.log_at[age][there], np.nan)
        for age in AGES_HOURS
    }
    is_known = view.known_at[COMPARED_AGE_HOURS][there] <= moment
    return ProfileSeries(
        account_name=account.name,
        platform=profile.platform,
        metric="views" if profile.has_views else "engagement",
        post_ids=np.arange(len(posted_at)).astype(str),
        posted_at=posted_at,
        age_hours=(moment - posted_at) / 3600.0,
        log_now=log_count(profile, moment)[there],
        log_at=log_at,
        engagement_rate=np.where(is_known, view.engagement_rate[there], np.nan),
    )


def watched(account: QuietAccount, until: float = np.inf) -> Iterator[Opened]:
    """Alerts opened in one account, round by round, in order."""
    views = [seen(profile, account.scraped_at) for profile in account.profiles]
    stored: dict[str, Alert] = {}
    looked_at = {(account.name, kind) for kind in POST_KINDS}
    for moment in account.watched:
        if moment > until:
            return
        standing = {(one.kind, one.subject): one.figures for one in stored.values() if one.is_open}
        found = post_findings(
            series_at(account, views, float(moment)), _THRESHOLDS, standing, float(moment)
        )
        if not found and not stored:
            continue
        made = turn(
            list(stored.values()),
            found,
            looked_at=looked_at,
            silenced=(),
            now=datetime.fromtimestamp(float(moment), tz=UTC),
            new_id=lambda finding: f"{finding.subject}@{moment}",  # noqa: B023 (used at once)
        )
        for alert in [*made.new, *made.changed]:
            stored[alert.alert_id] = alert
        for event in made.events:
            if event.event is EventKind.OPENED:
                alert = stored[event.alert_id]
                yield Opened(alert.kind, alert.subject, float(moment), alert.figures)


@dataclass(frozen=True)
class Quiet:
    """Alerts of quiet accounts."""

    account_weeks: float
    weeks_with_alert: int
    opened: dict[str, int]
    share_by_kind_of_account: dict[str, float] = field(default_factory=dict)
    """The same part among accounts with heavy-tailed luck, and by posts a week."""

    @property
    def share(self) -> float:
        """Part of the account-weeks with an alert."""
        return self.weeks_with_alert / self.account_weeks


def quiet(accounts: list[QuietAccount], days: int) -> Quiet:
    """Count account-weeks in which an alert is opened."""
    weeks, kinds = 0, Counter[str]()
    classes: dict[str, list[int]] = {}
    for account in accounts:
        found = list(watched(account))
        kinds.update(one.kind.value for one in found)
        own = len({int((one.at - account.begins_at) // _WEEK_S) for one in found})
        weeks += own
        for name in _classes(account):
            classes.setdefault(name, []).append(own)
    shares = {name: sum(own) / (len(own) * days / 7) for name, own in sorted(classes.items())}
    return Quiet(len(accounts) * days / 7, weeks, dict(kinds), shares)


def _classes(account: QuietAccount) -> list[str]:
    span = (account.scraped_at[-1] - account.scraped_at[0]) / _WEEK_S
    weekly = sum(len(profile.posted_at) for profile in account.profiles) / span
    is_heavy = any(profile.is_heavy_tailed for profile in account.profiles)
    rate = next(name for name, most in _RATES.items() if weekly < most)
    return ["heavy tails" if is_heavy else "log-normal", rate]


@dataclass(frozen=True)
class Caught:
    """Planted changes that were told in time, of those that were planted."""

    caught: int
    planted: int
    not_promised: int = 0
    """Accounts of which the rule says beforehand that it cannot tell within the period."""
    posts_needed: tuple[int, ...] = ()
    ratios: tuple[float, ...] = ()
    """How many times the usual what was planted is."""
    intervals_right: int = 0
    """Alerts whose 90 % interval has the true ratio of the posts that they speak of."""

    @property
    def share(self) -> float:
        """Part that was caught."""
        return self.caught / self.planted if self.planted else float("nan")


def falls(accounts: list[QuietAccount], ratio: float, seed: int) -> Caught:
    """Plant a fall in each profile that it can be promised for, and look when it is told."""
    rng = np.random.default_rng([seed, 1])
    caught = planted = not_promised = right = 0
    needs: list[int] = []
    for account in accounts:
        at = account.begins_at + float(rng.uniform(*_FALL_DAYS)) * DAY_S
        views = [seen(profile, account.scraped_at) for profile in account.profiles]
        now = float(account.scraped_at[account.scraped_at <= at][-1])
        for before, view, profile in zip(
            series_at(account, views, now), views, account.profiles, strict=True
        ):
            needed = _needed(before, ratio)
            due = None if needed is None else _due(account, profile.posted_at, view, at, needed)
            if needed is None or due is None:
                not_promised += 1
                continue
            fallen = with_fall(account, at, ratio)
            told = [
                one
                for one in watched(fallen, until=due)
                if one.kind is AlertKind.PERFORMANCE_DROP and one.subject == before.subject
            ]
            planted += 1
            needs.append(needed)
            in_time = [one for one in told if at <= one.at <= due]
            if in_time:
                caught += 1
                right += _is_right(in_time[0], profile.posted_at, view, at, ratio)
    return Caught(caught, planted, not_promised, tuple(needs), intervals_right=right)


def _is_right(one: Opened, posted_at: Floats, view: Seen, at: float, ratio: float) -> bool:
    """Whether the interval has the mean log ratio of the posts in it, fallen and not."""
    is_known = view.known_at[COMPARED_AGE_HOURS] <= one.at
    late = posted_at[is_known][-int(one.figures["late_n"]) :]
    truth = float(ratio ** np.mean(late >= at))
    return bool(one.figures["ratio_low"] <= truth <= one.figures["ratio_high"])


def _needed(before: ProfileSeries, ratio: float) -> int | None:
    values = before.log_at[COMPARED_AGE_HOURS]
    values = values[~np.isnan(values)][-60:]
    usual = usual_of(values) if len(values) >= 20 else None
    return None if usual is None else posts_needed(usual, ratio)


def _due(
    account: QuietAccount, posted_at: Floats, view: Seen, at: float, needed: int
) -> float | None:
    """The second scrape at which enough fallen posts, over a week, are old enough."""
    fallen = np.flatnonzero((posted_at >= at) & np.isfinite(view.known_at[COMPARED_AGE_HOURS]))
    for last in range(needed - 1, len(fallen)):
        if posted_at[fallen[last]] - posted_at[fallen[0]] >= _WEEK_S:
            known = view.known_at[COMPARED_AGE_HOURS][fallen[last]]
            later = account.scraped_at[account.scraped_at >= known]
            return float(later[1]) if len(later) > 1 else None
    return None


def breakouts(accounts: list[QuietAccount], deviations: float, seed: int) -> dict[str, Caught]:
    """Plant one breakout per account, and look whether it is told; by tail of the luck."""
    rng = np.random.default_rng([seed, 2])
    counts = {"normal": [0, 0], "t4": [0, 0]}
    ratios: dict[str, list[float]] = {"normal": [], "t4": []}
    for account in accounts:
        draws = rng.random(2)
        index = int(draws[0] * len(account.profiles))
        profile = account.profiles[index]
        last = account.scraped_at[-1] - 3 * DAY_S
        candidates = np.flatnonzero(
            (profile.posted_at >= account.begins_at + 5 * DAY_S) & (profile.posted_at < last)
        )
        candidates = candidates[candidates >= 25]
        if not len(candidates):
            continue
        post = int(candidates[int(draws[1] * len(candidates))])
        due = account.scraped_at[account.scraped_at > profile.posted_at[post]][1]
        subject = f"{profile.platform}/{post}"
        planted = with_breakout(account, index, post, deviations)
        start = max(account.begins_at, float(profile.posted_at[post]) - DAY_S)
        told = watched(_from(planted, start), until=float(due))
        tail = "t4" if profile.is_heavy_tailed else "normal"
        counts[tail][0] += any(one.subject == subject for one in told)
        counts[tail][1] += 1
        ratios[tail].append(float(np.exp(deviations * profile.spread)))
    return {
        tail: Caught(caught, planted, ratios=tuple(ratios[tail]))
        for tail, (caught, planted) in counts.items()
    }


def after_records(accounts: list[QuietAccount], seed: int) -> Quiet:
    """Performance alerts in the four weeks after a record that was planted in each account."""
    rng = np.random.default_rng([seed, 3])
    weeks = 0
    kinds = Counter[str]()
    for account in accounts:
        profile = account.profiles[0]
        at = account.begins_at + float(rng.uniform(20, 50)) * DAY_S
        post = min(int(np.searchsorted(profile.posted_at, at)), len(profile.posted_at) - 1)
        record = with_breakout(account, 0, post, float(np.log(_RECORD)) / profile.spread)
        end = float(profile.posted_at[post]) + 4 * _WEEK_S
        found = [
            one
            for one in watched(_from(record, at), until=end)
            if one.kind is AlertKind.PERFORMANCE_DROP
        ]
        kinds.update(one.kind.value for one in found)
        weeks += len({int((one.at - at) // _WEEK_S) for one in found})
    return Quiet(4.0 * len(accounts), weeks, dict(kinds))


def _from(account: QuietAccount, start: float) -> QuietAccount:
    """The same account, watched from a later moment on."""
    return QuietAccount(account.name, account.profiles, account.scraped_at, start)


def run(count: int, days: int, seed: int) -> dict[str, Any]:
    """All figures of one world."""
    accounts = draw_accounts(count, days=days, seed=seed)
    result: dict[str, Any] = {
        "accounts": count, "days": days, "seed": seed,
        "numpy": np.__version__, "python": platform.python_version(),
    }  # fmt: skip
    found = quiet(accounts, days)
    result["quiet"] = {**vars(found), "share": found.share}
    record = after_records(accounts, seed)
    result["after_record"] = {**vars(record), "share": record.share}
    result["falls"] = [_as_row(falls(accounts, ratio, seed), size=ratio) for ratio in FALLS]
    result["breakouts"] = [
        _as_row(caught, size=size, tail=tail)
        for size in BREAKOUTS
        for tail, caught in breakouts(accounts, size, seed).items()
    ]
    return result


def _as_row(caught: Caught, **what: Any) -> dict[str, Any]:
    interval = share_of(caught.caught, caught.planted) if caught.planted else None
    needs = np.array(caught.posts_needed or [np.nan])
    return {
        **what,
        "caught": caught.caught,
        "planted": caught.planted,
        "not_promised": caught.not_promised,
        "share": caught.share,
        "share_low": interval.low if interval else None,
        "share_high": interval.high if interval else None,
        "intervals_right_share": caught.intervals_right / max(1, caught.caught),
        "posts_needed_median": float(np.median(needs)),
        "times_usual_median": float(np.median(caught.ratios)) if caught.ratios else None,
    }


def _show(result: dict[str, Any]) -> None:
    quiet_row, record = result["quiet"], result["after_record"]
    print(f"{result['accounts']} quiet accounts over {result['days']} days, seed {result['seed']}")
    print(f"  account-weeks with an alert  {quiet_row['share']:8.2%}   at most {MOST_QUIET:.0%}")
    for kind, n in sorted(quiet_row["opened"].items()):
        print(f"    {kind:<24} {n:6d} alerts in {quiet_row['account_weeks']:.0f} account-weeks")
    for name, share in quiet_row["share_by_kind_of_account"].items():
        print(f"    {name:<24} {share:7.2%}")
    print(f"  weeks after a record         {record['share']:8.2%}   at most {MOST_QUIET:.0%}")
    for row in result["falls"]:
        line = "at least 90%" if row["size"] == DEFINED_FALL else ""
        print(
            f"  fall to {row['size']:.0%} of the usual      {row['share']:8.1%}   {line:<13} "
            f"n={row['planted']}, {row['posts_needed_median']:.0f} posts, "
            f"{row['not_promised']} not promised; intervals right "
            f"{row['intervals_right_share']:.0%}"
        )
    for row in result["breakouts"]:
        line = "at least 90%" if row["size"] == DEFINED_BREAKOUT else ""
        print(
            f"  breakout {row['size']:.0f} deviations {row['tail']:<6} {row['share']:8.1%}   "
            f"{line:<13} n={row['planted']}, {row['times_usual_median']:.0f} times the usual"
        )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    started = time.monotonic()
    result = run(given.accounts, given.days, given.seed)
    result["seconds"] = time.monotonic() - started
    _show(result)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "alerts.json").write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
