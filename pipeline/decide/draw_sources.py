"""What a draw is made from: the context, the former one and the account, read from their files."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.decide.briefs import Account
from pipeline.decide.context_id import context_id_of
from pipeline.errors import ContextError

_CONTEXT_FILE = "performance_context.json"


@dataclass(frozen=True)
class Sources:
    """What a draw is made from."""

    context: Mapping[str, Any]
    """The performance context as JSON."""
    account: Account
    previous: Mapping[str, Any] | None = None
    """The context that the holdout follows; without one there is no holdout."""


def read_sources(account_folder: Path | str) -> Sources:
    """The context, the former version that its holdout follows, and the account.

    Raises:
        ContextError: The context or account file is missing or cannot be read.
    """
    folder = Path(account_folder)
    context = _read_context(folder / _CONTEXT_FILE)
    account = read_account(folder / "account.yaml")
    return Sources(context, account, _previous_context(folder / "context_history", context))


@contextmanager
def readable_context(account_folder: Path | str) -> Iterator[None]:
    """Tell in one sentence that the context has values which the block cannot draw from.

    Raises:
        ContextError: It has.
    """
    folder = Path(account_folder)
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ContextError(
            f"{folder / _CONTEXT_FILE} is not a valid context ({error}): `afterpost context check "
            f"{folder.name}` says what is wrong with it."
        ) from error


def read_account(path: Path) -> Account:
    """The formats and pillars of an ``account.yaml``.

    Raises:
        ContextError: The file is missing or not of the known form.
    """
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Account(
            name=document["name"],
            formats=_names(document.get("formats")),
            pillars=_names(document.get("content_pillars")),
            default_slide_count=document.get("default_slide_count"),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ContextError(
            f"{path} cannot be read: `afterpost accounts check` says what is wrong with it."
        ) from None


def _names(listed: Sequence[Any] | None) -> tuple[str, ...]:
    return tuple(item["name"] if isinstance(item, dict) else item for item in listed or ())


def _read_context(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ContextError(
            f"{path} does not exist yet: `afterpost context check {path.parent.name}` makes it."
        ) from None
    except (OSError, ValueError) as error:
        raise ContextError(f"{path} cannot be read ({error}).") from None
    if not isinstance(document, dict):
        raise ContextError(f"{path} holds no object with keys.")
    return document


def _previous_context(folder: Path, context: Mapping[str, Any]) -> dict[str, Any] | None:
    """The former version that the context names; None where it is not there or was changed."""
    wanted = context.get("exploration", {}).get("previous_context_id")
    if not wanted or not folder.is_dir():
        return None
    for path in sorted(folder.glob(f"[0-9]*_{wanted}.json"), reverse=True):
        document = _read_context(path)
        if context_id_of(document) == wanted:
            return document
    return None
