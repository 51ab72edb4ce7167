"""``afterpost health``: how collecting goes, profile by profile."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.show.cli import options, output

if TYPE_CHECKING:
    from pipeline.collect.health import ProfileHealth

_LONGEST_MESSAGE = 300


def health(account: options.Accounts = None, as_json: options.AsJson = False) -> None:
    """Say how each profile does: seen, cost, what to do.

    What the last run said, what the month's runs cost and of which budget, how often in a row
    nothing usable came, and what you can do about it.

    Example: afterpost health --account dreamtimelullabies
    """
    from pipeline.accounts import load_account
    from pipeline.clock import utc_now
    from pipeline.collect.health import profile_health
    from pipeline.settings import load_settings
    from pipeline.show.cli.collect_commands import chosen_accounts

    settings = load_settings()
    names = chosen_accounts(settings, account)
    accounts = [load_account(settings.accounts_dir, name) for name in names]
    profiles = profile_health(settings, accounts, utc_now())
    if as_json:
        output.print_json([_figures(profile) for profile in profiles])
        return
    if not profiles:
        output.say("No account has a profile: add handles to its account.yaml.")
        return
    _show(profiles)


def _show(profiles: "list[ProfileHealth]") -> None:
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
                output.moment(profile.last_seen_at),
                _said(profile),
                str(profile.miss_count),
                _cost(profile),
            ]
            for profile in profiles
        ],
    )
    troubled = [profile for profile in profiles if profile.to_do]
    for profile in troubled:
        output.say()
        output.say(f"{profile.account_name} on {profile.platform.value}: {profile.to_do}")
        if profile.outcome is not None and profile.message:
            output.say_indented(f"  {output.plain(profile.message)[:_LONGEST_MESSAGE]}")
    if not troubled:
        output.say()
        output.say("Nothing to do.")


def _said(profile: "ProfileHealth") -> str:
    from pipeline.collect.outcomes import WORDS

    if profile.outcome is not None:
        return WORDS[profile.outcome]
    return output.MISSING if profile.last_run_at is None else "under way"


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
