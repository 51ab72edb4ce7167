"""What holds for every test: no key, no home and no proxy of the machine that runs them."""

import os
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

hypothesis_settings.register_profile("repeatable", derandomize=True, deadline=None)

_NOT_THE_MACHINES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "AFTERPOST_API_TOKEN",
    "AFTERPOST_TOKEN_FILE",
    "APIFY_TOKEN",
    "APIFY_API_BASE_URL",
    "ANTHROPIC_BASE_URL",
    "AFTERPOST_APIFY_DEADLINE_S",
    "AFTERPOST_APIFY_MAX_CHARGE_USD",
    "AFTERPOST_APIFY_MAX_ITEMS",
    "AFTERPOST_ANTHROPIC_DEADLINE_S",
    "AFTERPOST_ANTHROPIC_BATCHES",
    "AFTERPOST_ANTHROPIC_BATCH_DEADLINE_S",
    "AFTERPOST_RECORD_ANSWERS_DIR",
    "AFTERPOST_LOCK_TIMEOUT_S",
    "AFTERPOST_MODEL",
    "AFTERPOST_STATE_URL",
    "YOUTUBE_API_KEY",
    "YOUTUBE_API_BASE_URL",
    "AFTERPOST_YOUTUBE_DEADLINE_S",
    "SLACK_BOT_TOKEN",
    "SLACK_API_BASE_URL",
    "SLACK_CHANNEL",
    "AFTERPOST_SLACK_DEADLINE_S",
)


def pytest_configure(config: pytest.Config) -> None:
    """Set the environment before any fixture of any scope, and for the programs tests start."""
    hypothesis_settings.load_profile("repeatable")
    for name in _NOT_THE_MACHINES:
        # Empty rather than absent: an absent variable would be read from the repository's .env.
        os.environ[name] = ""
    # A test that forgets its own home finds nothing, rather than the repository's accounts.
    os.environ["AFTERPOST_HOME"] = str(Path(__file__).parent / "no_home")
    os.environ.pop("DAGSTER_HOME", None)
    os.environ.pop("COLUMNS", None)
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    os.environ["DO_NOT_TRACK"] = "1"
