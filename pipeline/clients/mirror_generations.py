"""What a mirror holds: data files by their content, and generations that name them.

A generation is one manifest, written after all of its files, and ``current`` is written after the
manifest. So whatever ends a mirror at whatever moment, the generation that ``current`` names is
whole. Manifests come from outside: their paths are checked before anything is done with them.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.clients.mirror_store import MirrorStore, ObjectMissingError
from pipeline.errors import MirrorDamagedError, MirrorError

DATA = "data"
GENERATIONS = "generations"
CURRENT = "current"
GENERATIONS_KEPT = 3

ACCOUNTS = "accounts"
LANDING = "warehouse/landing"
MODELS = "warehouse/models"
PUBLISHED = "published"
STATE = "state"
_ROOTS = (ACCOUNTS, LANDING, MODELS, PUBLISHED, STATE)
PLACED = (ACCOUNTS, LANDING, MODELS)
"""What lies in a home under the very same path."""

_NAME = re.compile(r"\d{8}T\d{12}_[0-9a-f]{6}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._=-]")
_LONGEST_PART = 120


def _checked_path(path: str) -> str:
    parts = path.split("/")
    is_below_a_root = any(path.startswith(f"{root}/") for root in _ROOTS)
    # Nothing hidden is ever mirrored, so a manifest that names something hidden is not ours.
    is_plain = all(part and not part.startswith(".") for part in parts)
    if not is_below_a_root or not is_plain or re.search(r"[\\\x00-\x1f\x7f]", path):
        raise ValueError(f"the path {path[:200]!r} leads out of a home's data")
    return path


class MirroredFile(BaseModel):
    """One file of a generation."""

    model_config = ConfigDict(frozen=True)

    path: Annotated[str, AfterValidator(_checked_path)]
    """Relative to the home for what lies there, else below ``published/`` or ``state/``."""
    size: int = Field(ge=0)
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    modified_ns: int = 0
    """Time of the file's last change, in nanoseconds since 1970."""

    @property
    def object_name(self) -> str:
        """Where its content is: never made of the path alone, so never overwritten."""
        *folders, name = [_UNSAFE.sub("_", part)[-_LONGEST_PART:] for part in self.path.split("/")]
        return "/".join([DATA, *folders, f"{self.sha256[:32]}_{name}"])


class Generation(BaseModel):
    """All that one mirror held, as of one moment."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    made_at: datetime
    published_version: str | None
    """The published copy that the tables under ``published/`` are of."""
    inputs: Mapping[str, str]
    """Hashes of the raw tables that the published copy was made from."""
    state_row_counts: Mapping[str, int]
    files: tuple[MirroredFile, ...]

    @cached_property
    def by_path(self) -> Mapping[str, MirroredFile]:
        """The files by path."""
        return {file.path: file for file in self.files}

    def below(self, *roots: str) -> list[MirroredFile]:
        """The files below some folders."""
        starts = tuple(f"{root}/" for root in roots)
        return [file for file in self.files if file.path.startswith(starts)]


def new_name(moment: datetime) -> str:
    """A name for a generation that sorts by time and never repeats."""
    return f"{moment:%Y%m%dT%H%M%S%f}_{secrets.token_hex(3)}"


def manifest_name(generation_name: str) -> str:
    """The object that is a generation's manifest."""
    return f"{GENERATIONS}/{generation_name}.json"


def write_generation(store: MirrorStore, generation: Generation) -> None:
    """Write the manifest, then make it the current one; its files are all there already."""
    document = generation.model_dump(mode="json")
    document["sha256"] = _digest(document)
    store.settle()
    store.write(manifest_name(generation.name), orjson.dumps(document))
    store.settle()
    store.write(CURRENT, f"{generation.name}\n".encode())
    store.settle()


def current_name(store: MirrorStore) -> str | None:
    """Name of the current generation, None where no mirror has ever ended.

    Raises:
        MirrorDamagedError: ``current`` names nothing that can be a generation.
    """
    try:
        name = store.read(CURRENT).decode("utf-8", errors="replace").strip()
    except ObjectMissingError:
        return None
    if not _NAME.fullmatch(name):
        raise MirrorDamagedError(
            f"The file {CURRENT} of the mirror at {store.shown} is damaged."
            f"{_offer(store, without=None)}"
        )
    return name


def generation_names(store: MirrorStore) -> list[str]:
    """Names of all generations, newest first."""
    found = (name.removeprefix(f"{GENERATIONS}/") for name in store.listing(GENERATIONS))
    names = (name.removesuffix(".json") for name in found if name.endswith(".json"))
    return sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)


def read_generation(store: MirrorStore, name: str | None = None) -> Generation:
    """One generation, checked against its own hash.

    Args:
        store: Where it is.
        name: Which; the current one when left out.

    Raises:
        MirrorDamagedError: It is missing, damaged, or leads out of a home; the sentence offers the
            one before.
        MirrorError: There is no mirror there.
    """
    name = name or current_name(store)
    if name is None:
        raise MirrorError(
            f"There is no finished mirror at {store.shown}: run `afterpost mirror` where the home "
            "is, or name another place."
        )
    shown = manifest_name(name)
    if not _NAME.fullmatch(name):
        raise MirrorError(f"{name!r} is no name of a generation.{_offer(store, without=None)}")
    try:
        document = orjson.loads(store.read(shown))
        digest = document.pop("sha256", None)
        is_whole = digest == _digest(document)
        generation = Generation.model_validate(document) if is_whole else None
    except ObjectMissingError:
        raise MirrorDamagedError(
            f"The mirror at {store.shown} has no {shown}.{_offer(store, without=name)}"
        ) from None
    except (ValueError, AttributeError, TypeError) as error:
        reason = _first_error(error) if isinstance(error, ValidationError) else "it is half"
        raise MirrorDamagedError(
            f"{shown} of the mirror at {store.shown} cannot be used: {reason}."
            f"{_offer(store, without=name)}"
        ) from error
    if generation is None or generation.name != name:
        raise MirrorDamagedError(
            f"{shown} of the mirror at {store.shown} is damaged: it does not match its own hash."
            f"{_offer(store, without=name)}"
        )
    return generation


def offer_without(store: MirrorStore, generation: Generation, file: MirroredFile) -> str:
    """The newest older generation that does not need a file which is damaged; says so if none."""
    for name in generation_names(store):
        if name >= generation.name:
            continue
        try:
            older = read_generation(store, name)
        except MirrorDamagedError:
            continue
        if all(one.object_name != file.object_name for one in older.files):
            return f" Restore the one before: --generation {name}."
    return " The older generations need that file too, or there are none."


def _offer(store: MirrorStore, without: str | None) -> str:
    names = [name for name in generation_names(store) if without is None or name < without]
    return f" Restore the one before: --generation {names[0]}." if names else ""


def _digest(document: object) -> str:
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _first_error(error: ValidationError) -> str:
    return error.errors()[0]["msg"].removeprefix("Value error, ")
