"""Who a token belongs to, and which accounts it opens.

``AFTERPOST_API_TOKEN`` opens everything. ``AFTERPOST_TOKEN_FILE`` names a YAML file with further
ones, by their hashes, each for some accounts or for all:

    tokens:
      - name: ann
        sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
        accounts: [dreamtimelullabies]
"""

import hashlib
import hmac
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from pipeline.accounts import Slug
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings
from pipeline.show.web.api.callers import Caller

MAIN = "web"
"""Who decides by the main token, or where none is asked for."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Slug
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    accounts: tuple[Slug, ...] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[_Entry, ...]


def asks_for_token(settings: Settings) -> bool:
    """Whether a caller must show a token."""
    return settings.api_token is not None or settings.token_file is not None


def caller_with(settings: Settings, shown: str) -> Caller | None:
    """Who shows a token; None for nobody that we know.

    Every known token is compared, so that the time tells nothing of which it was.

    Args:
        settings: The main token, and the file with others.
        shown: As it came in a header, whose bytes were read as Latin-1.

    Raises:
        ConfigurationError: The file cannot be read, or is not of its form.
    """
    given = [
        hashlib.sha256(shown.encode(encoding, "replace")).hexdigest()
        for encoding in ("utf-8", "latin-1")
    ]
    found: Caller | None = None
    if settings.api_token is not None:
        wanted = settings.api_token.get_secret_value().encode("utf-8", "replace")
        if _is_one_of(given, hashlib.sha256(wanted).hexdigest()):
            found = Caller(MAIN)
    for entry in _entries(settings.token_file):
        if _is_one_of(given, entry.sha256) and found is None:
            accounts = None if entry.accounts is None else frozenset(entry.accounts)
            found = Caller(entry.name, accounts)
    return found


def same_secret(shown: str, wanted: str) -> bool:
    """Whether two secrets are the same, in a time that tells nothing of either, nor its length."""
    digests = (hashlib.sha256(one.encode("utf-8", "replace")).digest() for one in (shown, wanted))
    return hmac.compare_digest(*digests)


def _is_one_of(given: list[str], wanted: str) -> bool:
    first, second = (hmac.compare_digest(one, wanted) for one in given)
    return first or second


def _entries(path: Path | None) -> tuple[_Entry, ...]:
    if path is None:
        return ()
    try:
        return _read(path, path.stat().st_mtime_ns).tokens
    except OSError as error:
        raise ConfigurationError(
            f"AFTERPOST_TOKEN_FILE: {path} cannot be read ({error.strerror})."
        ) from None


@lru_cache(maxsize=4)
def _read(path: Path, _changed_at: int) -> _File:
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise ConfigurationError(f"AFTERPOST_TOKEN_FILE: {path} is no YAML.") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ConfigurationError(
            f"AFTERPOST_TOKEN_FILE: {path}: {where}: {first['msg']}."
        ) from None
