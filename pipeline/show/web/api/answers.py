"""What all answers have in common: figures that JSON can hold, and where they come from."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from pipeline.settings import Settings
from pipeline.show.reports.insights.missing import REASONS
from pipeline.show.reports.overview import published_build

if TYPE_CHECKING:
    import duckdb


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure = Annotated[float | None, BeforeValidator(_finite)]
"""A number, or null where it is not known; NaN and infinities, which JSON lacks, are null."""

Limit = Annotated[int, Field(ge=1, le=200, description="At most so many.")]
Offset = Annotated[int, Field(ge=0, le=1_000_000, description="After so many.")]


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    @classmethod
    def all_of(cls, rows: Iterable[object]) -> list[Self]:
        """One answer per row: a dataclass with the fields' names, or a mapping."""
        return [cls.model_validate(row) for row in rows]

    @field_validator("*", mode="after", check_fields=False)
    @classmethod
    def _in_utc(cls, value: Any) -> Any:
        """Moments in UTC, so that they are told with ``Z``."""
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
        return value


class Request(BaseModel):
    """Base of all bodies: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class Reason(Answer):
    """Why a field is null."""

    code: str
    message: str

    @classmethod
    def of(cls, code: str) -> "Reason":
        """One of the known reasons."""
        return cls(code=code, message=REASONS[code])


class Meta(Answer):
    """Where the figures of an answer come from."""

    accounts: list[str]
    warehouse_version: str | None
    """The published copy; null where the figures are not of the warehouse."""
    built_at: datetime | None
    as_of: datetime | None
    """The newest scrape in it, which periods are counted back from."""
    is_simulated: bool
    """Whether the numbers are made up: this is a demo's home."""
    missing: dict[str, Reason] = {}
    """Why a field of the answer is null, by its name."""


def meta_of(
    settings: Settings,
    connection: "duckdb.DuckDBPyConnection",
    accounts: Sequence[str],
    missing: Mapping[str, Reason] | None = None,
) -> Meta:
    """The origin of figures that were read from a connection."""
    build = published_build(connection)
    return Meta(
        accounts=list(accounts),
        warehouse_version=build.warehouse_version if build else None,
        built_at=build.built_at if build else None,
        as_of=build.as_of if build else None,
        is_simulated=is_demo_home(settings),
        missing=dict(missing or {}),
    )


def is_demo_home(settings: Settings) -> bool:
    """Whether a demo made this home, so that its numbers are made up."""
    from pipeline.show.cli.demo import MARKER

    return (settings.home / MARKER).is_file()


class PageInfo(Answer):
    """Which part of a list this is."""

    total: int
    limit: int
    offset: int
