"""One source, asked about several accounts: nobody's trouble stops the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pipeline.accounts import Platform, load_account
from pipeline.collect.platform_interface import Actor
from pipeline.collect.retries import stops_the_others
from pipeline.collect.scrape import IsWanted, always, scrape, used_actors
from pipeline.collect.scrape_report import ScrapeReport
from pipeline.errors import AfterpostError, PaidMeanwhileError, RepeatPointlessError
from pipeline.settings import Settings


@dataclass(frozen=True)
class ProfileProgress:
    """What became of one profile, or that its turn has come (neither report nor error)."""

    account_name: str
    platform: Platform
    source_kind: str
    report: ScrapeReport | None = None
    error: AfterpostError | None = None

    @property
    def is_over(self) -> bool:
        """Whether it is done with, well or not."""
        return self.report is not None or self.error is not None


Tell = Callable[[ProfileProgress], None]


@dataclass(frozen=True)
class Round:
    """What the accounts gave, by account name."""

    reports: dict[str, ScrapeReport]
    errors: dict[str, AfterpostError]
    passed_over: dict[str, str] = field(default_factory=dict)
    """Who was not scraped since it was not wanted any more, with the sentence that says so."""

    @property
    def is_lost(self) -> bool:
        """Whether there was somebody to ask about, and nothing came."""
        return bool(self.errors) and not self.reports


def scrape_round(
    settings: Settings,
    names: Iterable[str],
    platform: Platform,
    actor: Actor,
    tell: Tell,
    is_wanted: IsWanted = always,
) -> Round:
    """Scrape the accounts that have a profile on the platform, one after the other.

    Args:
        settings: Where to land and how to reach the source.
        names: Accounts; those without the profile, or for whom another actor is used, are passed
            over.
        platform: Which profile.
        actor: One of the platform's actors.
        tell: Called when an account's turn comes, and when it is over.
        is_wanted: Whether an account is still to be scraped when its turn has come.
    """
    found = Round({}, {})
    refusal: AfterpostError | None = None
    for name in names:
        progress = ProfileProgress(name, platform, actor.kind.value)
        try:
            account = load_account(settings.accounts_dir, name)
            if actor not in used_actors(settings, account, platform):
                continue
            if refusal is not None:
                raise RepeatPointlessError(f"Not asked after another account's refusal: {refusal}")
            tell(progress)
            report = scrape(settings, account, platform, actor, is_wanted=is_wanted)
        except PaidMeanwhileError as passed:
            found.passed_over[name] = str(passed)
            continue
        except AfterpostError as error:
            if refusal is None and stops_the_others(error):
                refusal = error
            found.errors[name] = error
            tell(ProfileProgress(name, platform, actor.kind.value, error=error))
            continue
        found.reports[name] = report
        tell(ProfileProgress(name, platform, actor.kind.value, report=report))
    return found


def profile_count(settings: Settings, names: Iterable[str], platforms: Iterable[Platform]) -> int:
    """How many scrapes a run over the accounts and platforms is, for a progress bar.

    Raises:
        ConfigurationError: An account file is wrong.
    """
    chosen = tuple(platforms)
    accounts = [load_account(settings.accounts_dir, name) for name in names]
    return sum(
        len(used_actors(settings, account, platform)) for account in accounts for platform in chosen
    )
