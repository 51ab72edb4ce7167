"""``afterpost health``: how everything is, on one screen."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from pipeline.show.cli import options, output
from pipeline.show.figure_words import MISSING, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.collect.health import ProfileHealth
    from pipeline.show.monitoring.health import HealthItem

_LONGEST_MESSAGE = 300


def health(account: options.Accounts = None, as_json: options.AsJson = False) -> None:
    """Say how everything is, and what needs you.

    The published copy, the last runs, checks, schedules, alerts, disk and keys; then each profile:
    what its last run said, what the month cost and of which budget, how often in a row nothing
    usable came. The exit code is 0 when nothing is to be done, and 1 when something is.

    Example: afterpost health --account dreamtimelullabies
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.settings import load_settings
    from pipeline.show.cli.collect_commands import chosen_accounts
    from pipeline.show.monitoring.health import system_health

    settings = load_settings()
    names = chosen_accounts(settings, account)
    accounts = [load_account(settings.accounts_dir, name) for name in names]
    found = system_health(settings, accounts, utc_now())
    if as_json:
        output.print_json(
            {
                "needs_action": found.needs_action,
                "checks": [vars(item) for item in found.items],
                "profiles": [_figures(profile) for profile in found.profiles],
            }
        )
    else:
        _show_items(found.items)
        if found.profiles:
            output.say()
            _show(found.profiles)
        else:
            output.say()
            output.say("No account has a profile: add handles to its account.yaml.")
        _say_what_to_do(found.items, found.profiles)
    if found.needs_action:
        raise typer.Exit(1)


def _show_items(items: "Sequence[HealthItem]") -> None:
    output.table(
        [("", output.Align.LEFT), ("part", output.Align.LEFT), ("says", output.Align.LEFT)],
        [[item.level.value.upper() if item.to_do else item.level.value, item.name, item.says]
         for item in items],
    )  # fmt: skip


def _say_what_to_do(items: "Sequence[HealthItem]", profiles: "Sequence[ProfileHealth]") -> None:
    for item in items:
        if item.to_do:
            output.say()
            output.say_indented(f"{item.name}: {output.plain(item.to_do)}")
    troubled = [profile for profile in profiles if profile.to_do]
    for profile in troubled:
        output.say()
        output.say(f"{profile.account_name} on {profile.platform.value}: {profile.to_do}")
        if profile.outcome is not None and profile.message:
            output.say_indented(f"  {output.plain(profile.message)[:_LONGEST_MESSAGE]}")
    if not troubled and not any(item.to_do for item in items):
        output.say()
        output.say("Nothing to do.")


def _show(profiles: "Sequence[ProfileHealth]") -> None:
    output.table(
        [
            ("profile", output.Align.LEFT),
            ("last seen", output.Align.LEFT),
            ("last run said", output.Align.LEFT),
            ("misses", output.Align.RIGHT),
            ("this month", output.Align.RIGHT),
        ],
        [
            [
                f"{profile.account_name}\n{profile.platform.value}",
                moment(profile.last_seen_at),
                _said(profile),
                str(profile.miss_count),
                _cost(profile),
            ]
            for profile in profiles
        ],
    )


def _said(profile: "ProfileHealth") -> str:
    from pipeline.collect.outcomes import WORDS

    if profile.outcome is not None:
        return WORDS[profile.outcome]
    return MISSING if profile.last_run_at is None else "under way"


def _cost(profile: "ProfileHealth") -> str:
    spent = _usd(profile.cost_this_month_usd)
    if profile.budget_usd_per_month is None:
        return spent
    return (
        f"{spent}\naccount: {_usd(profile.account_cost_this_month_usd)} of "
        f"{_usd(profile.budget_usd_per_month)}"
    )


def _usd(amount: Decimal) -> str:
    return f"${amount:.2f}"


def _figures(profile: "ProfileHealth") -> dict[str, Any]:
    return {
        "account": profile.account_name,
        "platform": profile.platform.value,
        "handle": profile.handle,
        "last_seen_at": profile.last_seen_at,
        "last_run_at": profile.last_run_at,
        "outcome": profile.outcome,
        "message": profile.message,
        "miss_count": profile.miss_count,
        "cost_this_month_usd": profile.cost_this_month_usd,
        "account_cost_this_month_usd": profile.account_cost_this_month_usd,
        "budget_usd_per_month": profile.budget_usd_per_month,
        "budget_renews_at": profile.budget_renews_at,
        "to_do": profile.to_do,
    }
