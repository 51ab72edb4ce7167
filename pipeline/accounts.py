"""The accounts: one folder with an ``account.yaml`` each under ``accounts/``.

A wrong key, handle or zone becomes one sentence that names file and line.
"""

import re
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from pipeline.atomic_files import write_atomically
from pipeline.errors import ConfigurationError, UnknownAccountError
from pipeline.platform_names import platform_names

ACCOUNT_NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")
"""Names are folder names, partition keys and parts of paths: nothing that can leave its folder."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,62}$")]


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


if TYPE_CHECKING:

    class Platform(StrEnum):
        """Where an account can post: the names of the files under ``collect/platforms/``."""

        INSTAGRAM = "instagram"
        LINKEDIN = "linkedin"
        REDDIT = "reddit"
        TIKTOK = "tiktok"
        X = "x"
        YOUTUBE = "youtube"

else:
    # Made from the folder, so that a new platform needs no line here.
    Platform = StrEnum("Platform", {name.upper(): name for name in platform_names()})

_HANDLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HANDLES = {
    # Letters of every script, and the middle dot.
    "youtube": (re.compile(r"[\w.·-]{1,64}"), "write it as on the channel's page, without @"),
    "linkedin": (
        re.compile(r"(?:in|company|school|showcase)/[\w.%-]{1,100}"),
        "write in/NAME for a person's profile, company/NAME for a company's page",
    ),
}
"""Platforms whose handles are of another form than most, with what to write."""


class ApprovalPolicy(StrEnum):
    """Who decides about recommendations."""

    MANUAL = "manual"
    AUTO_HIGH = "auto_high"
    AUTO = "auto"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Labelled(_Strict):
    """A format, pillar, topic or call to action, with the words that speak for it."""

    name: Slug
    keywords: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_plain_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value


class Approval(_Strict):
    """How recommendations are decided."""

    policy: ApprovalPolicy = ApprovalPolicy.MANUAL
    reflexion: bool = Field(
        default=False,
        description="Whether the policy also applies corrections of predictions. Off, because "
        "those did not lower the loss of models that are fitted each week: see docs/decisions.md.",
    )


class ScrapeLimits(_Strict):
    """How much a scrape asks for."""

    limit: int = Field(default=30, ge=1, le=1000, description="Newest posts per profile.")
    reels: bool = Field(
        default=False, description="Also ask for Instagram's reels alone, at a price of their own."
    )
    budget_usd_per_month: Decimal | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="Most that all scrapes of the account may cost in a month of its own zone.",
    )


class RecommendLimits(_Strict):
    """What wording recommendations may cost."""

    budget_usd_per_week: Decimal | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Most that the language model may cost in a week, from Monday in the "
        "account's own zone; what it does not cover is worded by the rules.",
    )


class ChatLimits(_Strict):
    """What talking about posts may cost."""

    budget_usd_per_week: Decimal | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Most that the language model may cost in a week of chats and plans, from "
        "Monday in the account's own zone; after that the prompt is offered to copy.",
    )


class AlertKind(StrEnum):
    """What an alert can be about."""

    PERFORMANCE_DROP = "performance_drop"
    LOW_ENGAGEMENT = "low_engagement"
    BREAKOUT = "breakout"
    VERDICT_CONCLUDED = "verdict_concluded"
    EXPERIMENT_CONCLUDED = "experiment_concluded"
    RECOMMENDATIONS_WAITING = "recommendations_waiting"
    SCRAPE_FAILING = "scrape_failing"
    BUDGET_NEAR = "budget_near"
    ACCURACY_DROP = "accuracy_drop"
    POSTING_FAILURES = "posting_failures"
    GENERATION_FAILURES = "generation_failures"
    GENERATION_COST = "generation_cost"


class AlertThresholds(_Strict):
    """From where on something is worth an alert. Shares and rates are fractions."""

    muted: tuple[AlertKind, ...] = ()
    performance_drop: float = Field(default=0.25, ge=0.05, le=0.9)
    low_engagement_rate: float = Field(default=0.01, gt=0, le=0.5)
    breakout_ratio: float = Field(default=3.0, ge=1.5, le=1000)
    recommendations_waiting_days: int = Field(default=7, ge=1, le=365)
    scrape_misses: int = Field(default=2, ge=1, le=100)
    budget_share: float = Field(default=0.8, gt=0, le=1)
    accuracy_drop: float = Field(default=0.05, gt=0, lt=1)
    posting_failure_rate: float = Field(default=0.05, ge=0, lt=1)
    generation_failure_rate: float = Field(default=0.10, ge=0, lt=1)
    generation_cost_usd: Decimal = Field(default=Decimal(10), gt=0, le=100_000)


class AccountConfig(_Strict):
    """One account's ``account.yaml``."""

    name: Slug
    display_name: str = ""
    niche: str = ""
    timezone: str = "UTC"
    platform_profiles: dict[Platform, str] = Field(default_factory=dict)
    content_pillars: tuple[Labelled, ...] = ()
    formats: tuple[Labelled, ...] = ()
    topics: tuple[Labelled, ...] = ()
    cta: tuple[Labelled, ...] = ()
    default_slide_count: int | None = Field(default=None, ge=1, le=35)
    competitors: dict[Platform, tuple[str, ...]] = Field(default_factory=dict)
    alerts: AlertThresholds = AlertThresholds()
    approval: Approval = Approval()
    chat: ChatLimits = ChatLimits()
    recommend: RecommendLimits = RecommendLimits()
    scrape: ScrapeLimits = ScrapeLimits()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in _zones():
            raise ValueError(f"{value!r} is no IANA time zone (write for example America/New_York)")
        return value

    @field_validator("platform_profiles")
    @classmethod
    def _plain_handles(cls, value: dict[Platform, str]) -> dict[Platform, str]:
        handles = {platform: handle.strip().lstrip("@") for platform, handle in value.items()}
        for platform, handle in handles.items():
            pattern, advice = _HANDLES.get(platform.value, (_HANDLE, ""))
            if not pattern.fullmatch(handle):
                raise ValueError(
                    f"{handle!r} is no {platform.value} handle{f': {advice}' if advice else ''}"
                )
        return handles

    @model_validator(mode="after")
    def _names_once(self) -> "AccountConfig":
        for field in ("content_pillars", "formats", "topics", "cta"):
            names = [item.name for item in getattr(self, field)]
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{field} names {', '.join(twice)} more than once")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the account's days and hours are read in."""
        return ZoneInfo(self.timezone)


def account_names(accounts_dir: Path) -> list[str]:
    """Names of all folders with an ``account.yaml``, sorted; folders of other names are ignored."""
    if not accounts_dir.is_dir():
        return []
    return sorted(
        folder.name
        for folder in accounts_dir.iterdir()
        if ACCOUNT_NAME_PATTERN.fullmatch(folder.name) and (folder / "account.yaml").is_file()
    )


def account_dir(accounts_dir: Path, name: str) -> Path:
    """The folder of an existing account.

    Raises:
        UnknownAccountError: The name is no account, or not even a possible name.
    """
    folder = accounts_dir / name
    if not ACCOUNT_NAME_PATTERN.fullmatch(name) or not (folder / "account.yaml").is_file():
        known = ", ".join(account_names(accounts_dir)) or "none yet"
        raise UnknownAccountError(
            f"There is no account {name!r} in {accounts_dir} (accounts: {known}). "
            "Add it with `afterpost accounts add NAME`."
        )
    return folder


def load_account(accounts_dir: Path, name: str) -> AccountConfig:
    """One account's configuration.

    Raises:
        UnknownAccountError: No such account.
        ConfigurationError: The file is not valid; the message names file, line and key.
    """
    return read_account_file(account_dir(accounts_dir, name) / "account.yaml")


def load_accounts(accounts_dir: Path) -> list[AccountConfig]:
    """All accounts, sorted by name. Raises as :func:`load_account`."""
    return [load_account(accounts_dir, name) for name in account_names(accounts_dir)]


def read_account_file(path: Path) -> AccountConfig:
    """Parse and check one ``account.yaml``.

    Raises:
        ConfigurationError: Not readable, not YAML, or a key or value is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}.") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "it does not parse"
        raise ConfigurationError(f"{path}{where}: not valid YAML ({problem}).") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path}: expected keys such as `name:` and `timezone:`.")
    try:
        account = AccountConfig.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        keys = ".".join(str(part) for part in first["loc"]) or "the file"
        line = _line_of(root, first["loc"])
        what = (
            "is no known key"
            if first["type"] == "extra_forbidden"
            else first["msg"].removeprefix("Value error, ")
        )
        more = f" ({error.error_count() - 1} more problems)" if error.error_count() > 1 else ""
        raise ConfigurationError(f"{path}, line {line}: {keys}: {what}.{more}") from error
    if account.name != path.parent.name:
        raise ConfigurationError(
            f"{path}, line {_line_of(root, ('name',))}: name is {account.name!r} but the folder "
            f"is {path.parent.name!r}: make them the same."
        )
    return account


def add_account(
    accounts_dir: Path, name: str, *, timezone: str, platform_profiles: dict[str, str]
) -> Path:
    """Create ``accounts/<name>/account.yaml``, checked before anything is written.

    Returns:
        The path of the new file.

    Raises:
        ConfigurationError: The name is taken or impossible, or a value is wrong.
    """
    if not ACCOUNT_NAME_PATTERN.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot be an account name: use a-z, 0-9 and _, starting with a letter "
            "or a digit, at most 63 characters."
        )
    folder = accounts_dir / name
    path = folder / "account.yaml"
    if path.exists():
        raise ConfigurationError(f"Account {name!r} exists already: edit {path}.")
    values: dict[str, Any] = {
        "name": name,
        "display_name": name,
        "timezone": timezone,
        "platform_profiles": {key: value.lstrip("@") for key, value in platform_profiles.items()},
    }
    try:
        AccountConfig.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        what = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(
            f"Account {name!r} was not added: {'.'.join(map(str, first['loc']))}: {what}."
        ) from error
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    write_atomically(path, text.encode())
    return path


def _line_of(root: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """Line of the deepest key of ``location`` that the document has, counted from 1."""
    node = root
    line = 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            found = next((pair for pair in node.value if pair[0].value == str(part)), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line
