"""Everything that comes from the environment, read once.

Secrets stay ``SecretStr``: they never reach logs, run configuration or metadata.
"""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, SecretStr

from pipeline.errors import ConfigurationError

REPOSITORY = Path(__file__).resolve().parents[1]


class StorageTier(StrEnum):
    """Where things are kept; ``docs/storage.md`` says what each costs."""

    LOCAL = "local"
    """Files of this machine."""
    HYBRID = "hybrid"
    """Files of this machine, copied to another place after each build."""
    CLOUD = "cloud"
    """Raw rows and models in a place that many machines read; Spark builds the models."""


class Settings(BaseModel):
    """Where things are and how the outside world is reached."""

    model_config = ConfigDict(frozen=True)

    home: Path
    """Folder that holds ``accounts/`` and ``warehouse/``."""
    apify_token: SecretStr | None = None
    apify_api_base_url: str = "https://api.apify.com"
    apify_deadline_s: float = 900.0
    """Longest wait for one actor run before it is aborted."""
    apify_max_charge_usd: float = 2.0
    """Most that one actor run may charge."""
    apify_max_items: int = 1000
    """Most rows that one actor run may be asked for, whatever an account's limit says."""
    apify_first_retry_s: float = 0.5
    """Wait before a reading request is repeated; doubles from there."""
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = "https://api.anthropic.com"
    anthropic_deadline_s: float = 120.0
    """Longest wait for one answer of the language model, retries included."""
    anthropic_batches: bool = False
    """Whether the weekly run asks about several accounts in one batch, at half the price."""
    anthropic_batch_deadline_s: float = 3600.0
    """Longest wait for a batch; what has no answer by then is worded by the rules."""
    anthropic_batch_poll_s: float = 20.0
    """Wait between two looks at a batch."""
    anthropic_record_dir: Path | None = None
    """Folder that keeps single questions with their answers, to be replayed without a key."""
    youtube_api_key: SecretStr | None = None
    """Of the YouTube Data API; without one, YouTube is scraped through Apify."""
    youtube_api_base_url: str = "https://www.googleapis.com"
    youtube_deadline_s: float = 120.0
    """Longest wait for all the answers of one channel."""
    slack_bot_token: SecretStr | None = None
    """Of a Slack app with chat:write and files:write; without one, nothing is sent to Slack."""
    slack_api_base_url: str = "https://slack.com/api/"
    slack_channel: str | None = None
    """Channel that reports and alerts go to: its id, or its name with #."""
    slack_deadline_s: float = 60.0
    """Longest wait for Slack to take one message, the waits that it asks for included."""
    model: str = "claude-sonnet-5-5"
    api_token: SecretStr | None = None
    """What a reader of the web server must show; without one it answers everybody who can reach it.
    """
    token_file: Path | None = None
    """YAML with further tokens and the accounts that each opens, for the JSON API."""
    dagster_url: str = "http://127.0.0.1:3000"
    """Where people open Dagster's own pages; the web app links there and asks nothing of it."""
    state_url: str | None = None
    """SQLAlchemy URL of the state database; the default is ``warehouse/state.db``."""
    lock_timeout_s: float = 300.0
    """Longest wait for another writer of the warehouse."""
    accounts_per_run: int | None = None
    """Most accounts that one scheduled run scrapes, where many workers share a day; None for all.
    """
    storage: StorageTier = StorageTier.LOCAL
    storage_url: str | None = None
    """Folder or object store of the tiers ``hybrid`` and ``cloud``, as an fsspec URL."""
    spark_url: str = "thrift://127.0.0.1:10000"
    """Thrift server of the Spark that builds the models in the tier ``cloud``."""

    @property
    def accounts_dir(self) -> Path:
        """One folder per account."""
        return self.home / "accounts"

    @property
    def warehouse_dir(self) -> Path:
        """Everything the program makes, except context files."""
        return self.home / "warehouse"

    @property
    def landing_dir(self) -> Path:
        """What sources answered, unchanged."""
        return self.warehouse_dir / "landing"

    @property
    def database_path(self) -> Path:
        """The warehouse itself; its stem is the catalog name that dbt's views use."""
        return self.warehouse_dir / "afterpost.duckdb"

    @property
    def published_dir(self) -> Path:
        """Read-only copies of green builds."""
        return self.warehouse_dir / "published"

    @property
    def dbt_workspace(self) -> Path:
        """This home's dbt profile, target and logs, so that two homes never share a parse."""
        return self.warehouse_dir / "dbt"

    @property
    def dagster_dir(self) -> Path:
        """Dagster's folder of this home: runs, event logs, schedules."""
        return self.home / ".dagster"

    @property
    def state_database_url(self) -> str:
        """SQLAlchemy URL of the state database."""
        return self.state_url or f"sqlite:///{self.warehouse_dir / 'state.db'}"


_VARIABLES = {
    "AFTERPOST_HOME": "home",
    "APIFY_TOKEN": "apify_token",
    "APIFY_API_BASE_URL": "apify_api_base_url",
    "AFTERPOST_APIFY_DEADLINE_S": "apify_deadline_s",
    "AFTERPOST_APIFY_MAX_CHARGE_USD": "apify_max_charge_usd",
    "AFTERPOST_APIFY_MAX_ITEMS": "apify_max_items",
    "ANTHROPIC_API_KEY": "anthropic_api_key",
    "ANTHROPIC_BASE_URL": "anthropic_base_url",
    "AFTERPOST_ANTHROPIC_DEADLINE_S": "anthropic_deadline_s",
    "AFTERPOST_ANTHROPIC_BATCHES": "anthropic_batches",
    "AFTERPOST_ANTHROPIC_BATCH_DEADLINE_S": "anthropic_batch_deadline_s",
    "AFTERPOST_RECORD_ANSWERS_DIR": "anthropic_record_dir",
    "YOUTUBE_API_KEY": "youtube_api_key",
    "YOUTUBE_API_BASE_URL": "youtube_api_base_url",
    "AFTERPOST_YOUTUBE_DEADLINE_S": "youtube_deadline_s",
    "SLACK_BOT_TOKEN": "slack_bot_token",
    "SLACK_API_BASE_URL": "slack_api_base_url",
    "SLACK_CHANNEL": "slack_channel",
    "AFTERPOST_SLACK_DEADLINE_S": "slack_deadline_s",
    "AFTERPOST_MODEL": "model",
    "AFTERPOST_API_TOKEN": "api_token",
    "AFTERPOST_DAGSTER_URL": "dagster_url",
    "AFTERPOST_TOKEN_FILE": "token_file",
    "AFTERPOST_STATE_URL": "state_url",
    "AFTERPOST_LOCK_TIMEOUT_S": "lock_timeout_s",
    "AFTERPOST_ACCOUNTS_PER_RUN": "accounts_per_run",
    "AFTERPOST_STORAGE": "storage",
    "AFTERPOST_STORAGE_URL": "storage_url",
    "AFTERPOST_SPARK_URL": "spark_url",
}


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment and, below it, from ``.env`` in the repository.

    Args:
        environment: Variables by name; the process's own when left out.

    Raises:
        ConfigurationError: A variable has a value of the wrong type, or lacks one that it needs.
    """
    if environment is None:
        from_file = {k: v for k, v in dotenv_values(REPOSITORY / ".env").items() if v}
        environment = {**from_file, **os.environ}
    values: dict[str, object] = {
        field: environment[variable]
        for variable, field in _VARIABLES.items()
        if environment.get(variable)
    }
    home = Path(str(values.get("home", REPOSITORY))).expanduser().resolve()
    values["home"] = home
    for variable, field in _VARIABLES.items():
        if field.endswith(("_s", "_usd")) and field in values:
            try:
                number = float(str(values[field]))
            except ValueError:
                number = -1.0
            if not number > 0:
                raise ConfigurationError(
                    f"{variable} is {values[field]!r}, which is no number above 0: "
                    "set it to a number or remove it."
                )
            values[field] = number
    if "anthropic_batches" in values:
        values["anthropic_batches"] = _switch(
            "AFTERPOST_ANTHROPIC_BATCHES", str(values["anthropic_batches"])
        )
    for variable in ("AFTERPOST_APIFY_MAX_ITEMS", "AFTERPOST_ACCOUNTS_PER_RUN"):
        if _VARIABLES[variable] in values:
            text = str(values[_VARIABLES[variable]])
            values[_VARIABLES[variable]] = _whole_number(variable, text)
    _check_storage(values)
    if "token_file" in values and "api_token" not in values:
        raise ConfigurationError(
            "AFTERPOST_TOKEN_FILE is set and AFTERPOST_API_TOKEN is not: set it too. It opens the "
            "pages and the metrics, which the other tokens do not."
        )
    return Settings.model_validate(values)


def _check_storage(values: Mapping[str, object]) -> None:
    tier = str(values.get("storage", StorageTier.LOCAL))
    if tier not in list(StorageTier):
        raise ConfigurationError(
            f"AFTERPOST_STORAGE is {tier!r}: set it to one of {', '.join(StorageTier)}, or "
            "remove it."
        )
    if tier != StorageTier.LOCAL and "storage_url" not in values:
        raise ConfigurationError(
            f"AFTERPOST_STORAGE is {tier!r} and AFTERPOST_STORAGE_URL is not set: set it to the "
            "folder or object store that holds the copies, such as s3://bucket/afterpost."
        )
    spark_url = str(values.get("spark_url", "thrift://127.0.0.1:10000"))
    if not re.fullmatch(r"thrift://[^/:@]+:[0-9]{1,5}", spark_url):
        raise ConfigurationError(
            f"AFTERPOST_SPARK_URL is {spark_url!r}: set it to thrift://HOST:PORT, or remove it."
        )


def _whole_number(variable: str, text: str) -> int:
    if not (text.strip().isdecimal() and int(text) > 0):
        raise ConfigurationError(
            f"{variable} is {text!r}, which is no whole number above 0: set it to one or remove it."
        )
    return int(text)


def _switch(variable: str, text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if text.strip().lower() not in words:
        raise ConfigurationError(f"{variable} is {text!r}: set it to 1 or 0, or remove it.")
    return words[text.strip().lower()]
