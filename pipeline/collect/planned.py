"""Planned posts: what the generator wrote under ``accounts/<name>/output/<folder>/``.

``meta.json`` and ``carousel_data.json`` are read leniently: every key may be missing, and a value
of the wrong kind counts as missing. A folder whose files do not parse is reported and left out.
"""

import math
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.accounts import AccountConfig
from pipeline.collect.jsontext import clean_json, parse_json
from pipeline.collect.platform_rows import one_line
from pipeline.settings import Settings

_META = "meta.json"
_CAROUSEL = "carousel_data.json"
PLAN_FILES = (_META, _CAROUSEL)
_MOST_SLIDES = 1000
_MOST_BYTES = 16 << 20


@dataclass(frozen=True)
class PlannedPost:
    """One post that the generator made; missing is None."""

    account_name: str
    planned_id: str
    """The name of its folder."""
    platform: str | None = None
    planned_at: datetime | None = None
    """In UTC with its zone; a plain date is that day's beginning in the account's zone."""
    topic: str | None = None
    format: str | None = None
    pillar: str | None = None
    hook_text: str | None = None
    hook_score: float | None = None
    slide_count: int | None = None
    cta: str | None = None
    caption: str | None = None
    context_id: str | None = None
    pick_probability: float | None = None
    """Chance that the generator had to pick this, between 0 and 1."""
    hook_style: str | None = None
    ai_confidence: float | None = None
    """How sure the generator was of what it wrote, a fraction."""
    source_credibility: float | None = None
    """How far the generator trusted its sources, a fraction."""
    content_quality_score: float | None = None
    """The generator's own mark for the post, a fraction."""
    experiment_id: str | None = None
    experiment_arm: str | None = None
    assignment_id: str | None = None
    """With the two above: for which arm of which experiment the post was made, by its draw."""

    def row(self) -> dict[str, Any]:
        """The row of ``raw.planned_posts``."""
        return dict(vars(self))


@dataclass(frozen=True)
class PlannedPosts:
    """What was read of one account's output folder."""

    posts: tuple[PlannedPost, ...]
    problems: tuple[str, ...]
    """One sentence per folder that could not be read."""


class UnreadablePlanError(Exception):
    """A file of a planned post that cannot be used; the text says why."""


def read_planned_posts(settings: Settings, account: AccountConfig) -> PlannedPosts:
    """All planned posts of one account, in order of folder name. Never raises for a bad folder."""
    posts: list[PlannedPost] = []
    problems: list[str] = []
    for folder in plan_folders(settings, account):
        try:
            posts.append(read_plan(account, folder))
        except UnreadablePlanError as error:
            problems.append(problem_with(folder, error))
    return PlannedPosts(tuple(posts), tuple(problems))


def plan_folders(settings: Settings, account: AccountConfig) -> list[Path]:
    """The folders of an account's planned posts, in order of name."""
    try:
        with os.scandir(settings.accounts_dir / account.name / "output") as entries:
            folders = [one for one in entries if one.is_dir() and not one.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [Path(folder.path) for folder in sorted(folders, key=lambda one: one.name)]


def problem_with(folder: Path, error: UnreadablePlanError) -> str:
    """The sentence about a folder that cannot be read."""
    return f"Planned post {folder} was left out: {error}."


def read_plan(account: AccountConfig, folder: Path) -> PlannedPost:
    """The planned post of one folder.

    Raises:
        UnreadablePlanError: Its files are missing or do not parse.
    """
    meta = _read_object(folder / _META)
    carousel = _read_object(folder / _CAROUSEL)
    if meta is None and carousel is None:
        raise UnreadablePlanError(f"it has neither {_META} nor {_CAROUSEL}")
    meta, carousel = meta or {}, carousel or {}
    slides = carousel.get("slides")
    slides = slides if isinstance(slides, list) else []
    planned_at = _time(meta, account.zone)
    platform = _text(meta.get("platform"))
    return PlannedPost(
        account_name=account.name,
        planned_id=folder.name,
        platform=platform.casefold() if platform else None,
        planned_at=planned_at,
        topic=_text(meta.get("topic")) or _text(carousel.get("topic")),
        format=_text(meta.get("format")) or _text(carousel.get("format")),
        pillar=_text(meta.get("pillar")) or _text(meta.get("content_pillar")),
        hook_text=_text(meta.get("hook_text")) or _slide_text(slides),
        hook_score=_number(meta.get("hook_score")),
        slide_count=_slide_count(meta.get("slide_count")) or _slide_count(len(slides)),
        cta=_text(meta.get("cta")),
        caption=_text(meta.get("caption")),
        context_id=_text(meta.get("context_id")),
        pick_probability=_probability(meta),
        hook_style=_text(meta.get("hook_style")),
        ai_confidence=_fraction(meta.get("ai_confidence")),
        source_credibility=_fraction(meta.get("source_credibility")),
        content_quality_score=_fraction(meta.get("content_quality_score")),
        **_experiment(meta.get("experiment")),
    )


def _read_object(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, None when there is no such file."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UnreadablePlanError(f"{path.name} is larger than {_MOST_BYTES >> 20} MB")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadablePlanError(f"{path.name} cannot be read ({one_line(error)})") from error
    try:
        # Through cleaned text: nothing below has to mind NaN or half characters.
        document = parse_json(clean_json(parse_json(text)))
    except ValueError as error:
        line = getattr(error, "lineno", "?")
        words = one_line(getattr(error, "msg", error))
        raise UnreadablePlanError(
            f"{path.name} is not valid JSON (line {line}: {words})"
        ) from error
    except RecursionError as error:
        raise UnreadablePlanError(f"{path.name} is nested too deeply") from error
    if not isinstance(document, dict):
        raise UnreadablePlanError(f"{path.name} holds no object with keys")
    return document


def _time(meta: dict[str, Any], zone: ZoneInfo) -> datetime | None:
    for key in ("published_at", "date", "created_at"):
        text = _text(meta.get(key))
        if text is None:
            continue
        try:
            moment = datetime.fromisoformat(text)
            local = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            return local.astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def _text(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _experiment(stamp: object) -> dict[str, str | None]:
    """The columns of an experiment's stamp, each missing where it is no text."""
    said = stamp if isinstance(stamp, dict) else {}
    return {
        "experiment_id": _text(said.get("experiment_id")),
        "experiment_arm": _text(said.get("arm")),
        "assignment_id": _text(said.get("assignment_id")),
    }


def _slide_text(slides: list[Any]) -> str | None:
    if not slides:
        return None
    first = slides[0]
    if not isinstance(first, dict):
        return _text(first)
    for key in ("text", "hook_text", "title", "headline"):
        found = _text(first.get(key))
        if found:
            return found
    return None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _fraction(value: object) -> float | None:
    number = _number(value)
    return number if number is not None and 0 <= number <= 1 else None


def _probability(meta: dict[str, Any]) -> float | None:
    """The chance of the draw; what was drawn cannot have had a chance of 0."""
    found = (_fraction(meta.get(key)) for key in ("pick_probability", "draw_probability"))
    return next((number for number in found if number), None)


def _slide_count(value: object) -> int | None:
    number = _number(value)
    if number is None or number != int(number) or not 1 <= number <= _MOST_SLIDES:
        return None
    return int(number)
