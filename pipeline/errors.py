"""Every error we raise on purpose.

The class says whether trying again can help, so that assets, command line and web agree without
reading the message. The message says what failed, where, and what to do; it never holds a secret.
"""

from enum import StrEnum


class Retry(StrEnum):
    """Whether the same call can succeed later without anybody changing anything."""

    NEVER = "never"
    LATER = "later"


class AfterpostError(Exception):
    """Base of all expected failures: one clear sentence for a person, no traceback."""

    retry: Retry = Retry.NEVER
    exit_code: int = 1


class UsageError(AfterpostError):
    """The command's words do not fit together."""

    exit_code = 2


class ConfigurationError(AfterpostError):
    """A setting, an account file or a key is wrong or missing."""


class StateUnavailableError(ConfigurationError):
    """The server of the state database does not answer."""

    retry = Retry.LATER


class UnknownAccountError(ConfigurationError):
    """No folder of that name under accounts/."""


class ImportFileError(AfterpostError):
    """A file that cannot be taken in: unreadable, empty, of another platform, not an export."""


class LandingError(AfterpostError):
    """A landing file that is missing, torn or does not match its manifest."""


class ScrapeError(AfterpostError):
    """A scrape that brought nothing."""

    status: int | None = None
    """HTTP status of the service's refusal, where there was one."""
    may_have_started: bool = False
    """The start was asked for and its answer got lost: a run may yet turn up."""
    outcome: str | None = None
    """What the run said, where it ran: a `pipeline.collect.outcomes.RunOutcome`."""


class ScrapeRejectedError(ScrapeError):
    """The platform's service refused the request; the same request will be refused again."""


class BudgetSpentError(ScrapeError):
    """The account's budget for scraping is spent; nothing was started."""


class ScrapeUnavailableError(ScrapeError):
    """The platform's service did not answer, or asked to wait."""

    retry = Retry.LATER


class ScrapeFailedError(ScrapeError):
    """The scrape ran and gave nothing that can be stored: FAILED, only error rows, blocked."""

    retry = Retry.LATER


class RepeatPointlessError(ScrapeFailedError):
    """The scrape ran, and the next will say the same until a person changes something.

    The profile is private, gone or renamed, or the plan does not cover the source.
    """

    retry = Retry.NEVER


class PaidMeanwhileError(AfterpostError):
    """Another process scraped the profile while this one waited for its turn; nothing was paid."""


class ClaimHeldError(AfterpostError):
    """Another process does the same thing and did not finish in time."""

    retry = Retry.LATER


class WarehouseLockedError(AfterpostError):
    """Another process is writing the warehouse and did not finish in time."""

    retry = Retry.LATER


class WarehouseDamagedError(AfterpostError):
    """The warehouse file is not a readable DuckDB database."""


class NothingPublishedError(AfterpostError):
    """There is no published copy yet."""


class PublishedCopyOutdatedError(AfterpostError):
    """The published copy lacks tables or columns that this version of the program reads."""


class LakeError(AfterpostError):
    """Rows of the storage that Spark and DuckDB share that cannot be written or taken over."""


class LakeUnreachableError(LakeError):
    """That storage did not answer, or refused."""

    retry = Retry.LATER


class SparkUnavailableError(AfterpostError):
    """The Spark that is to build the models does not answer, or refuses."""

    retry = Retry.LATER


class BuildFailedError(AfterpostError):
    """A model or a test of the build failed; nothing was published."""


class QueryError(AfterpostError):
    """A person's SQL did not run."""


class ModelUnavailableError(AfterpostError):
    """The language model did not give a usable answer; the reason is in the message."""

    retry = Retry.LATER


class ContextError(AfterpostError):
    """A performance_context.json that is broken, or a change that does not fit it."""


class DecisionError(AfterpostError):
    """A recommendation that cannot be decided: unknown, already decided, out of date."""


class CorrectionError(AfterpostError):
    """A match or label by hand that does not fit: unknown post, plan or name, or taken already."""


class NotConfiguredError(ConfigurationError):
    """A service that is not set up here; what would be sent can only be shown."""


class SlackError(AfterpostError):
    """Slack did not take a message."""

    code: str | None = None
    """Slack's own word for the reason, such as ``channel_not_found``."""


class SlackRefusedError(SlackError):
    """The message was refused for sure, and will be until a person changes something."""


class SlackUnavailableError(SlackError):
    """The message was not taken for sure: Slack was not reached, or asks to wait."""

    retry = Retry.LATER


class SlackUnclearError(SlackError):
    """The answer got lost: the message may have been posted, so it must not be sent again."""


class PlanError(AfterpostError):
    """An action plan that cannot be made or changed as asked."""


class PlanNotFoundError(PlanError):
    """There is no such plan or item."""


class PlanConflictError(PlanError):
    """The plan was changed since it was read; what was asked for was not done."""


class MirrorError(AfterpostError):
    """A mirror that cannot be made or restored as it is; nothing was changed."""


class MirrorDamagedError(MirrorError):
    """A generation, or a file of it, that is missing or not what its manifest says."""


class MirrorUnreachableError(MirrorError):
    """The folder or object store of the mirror did not answer, or refused."""

    retry = Retry.LATER


class HomeInTheWayError(MirrorError):
    """A restore would have to overwrite what a home has."""
