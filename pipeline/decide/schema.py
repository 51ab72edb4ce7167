"""The form of performance_context.json: its model, its JSON Schema, its bytes and its id.

Keys that we do not know are kept: people and generators add their own.
"""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pipeline.accounts import AccountConfig
from pipeline.decide.context_id import context_id_of
from pipeline.errors import ContextError
from pipeline.learn.operations import WEIGHT_MAX, WEIGHT_MIN, neutral_values

SCHEMA_PATH = Path(__file__).with_name("context.schema.json")

EXPLORATION_SHARE = 0.5
"""Part of the posts outside of the holdout that try formats as often as they may be the best.
Measured by ``make bench-loop``: a smaller share learns too slowly from few posts."""

HOLDOUT_SHARE = 0.2
"""Part of the posts that still follows the previous context, to see what a change did."""

Weight = Annotated[float, Field(ge=WEIGHT_MIN, le=WEIGHT_MAX, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}")]
"""A date, or a moment that begins with one (ISO 8601)."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class HookInsights(_Part):
    """What is known about first slides."""

    best_styles: list[str] = []
    worst_styles: list[str] = []
    reference_hooks: list[str] = []


class SaveVsShare(_Part):
    """Formats that people keep and formats that people pass on."""

    high_save_formats: list[str] = []
    high_share_formats: list[str] = []


class Timing(_Part):
    """When posts do well."""

    best_dayparts: list[str] = []


class Posterior(_Part):
    """What is known of a format's effect: mean and standard deviation on the log scale."""

    mean: Annotated[float, Field(ge=-2, le=2, allow_inf_nan=False)]
    sd: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Exploration(_Part):
    """How much the generator strays from the context, and what the holdout follows."""

    share: Share = EXPLORATION_SHARE
    holdout_share: Share = HOLDOUT_SHARE
    previous_context_id: str | None = None
    posteriors: dict[str, Posterior] = {}


class ApprovedRecommendation(_Part):
    """A recommendation that changed the context."""

    id: str
    insight: str
    approved_at: Day


class PerformanceContext(_Part):
    """What a content generator may rely on, learned from the account's own posts."""

    schema_version: Literal[1] = Field(default=1, description="Version of this form.")
    account: str | None = Field(default=None, description="Name of the account's folder.")
    context_id: str | None = Field(
        default=None, description="Hash of everything else; stamp it into what you make."
    )
    last_updated: date = Field(description="Day of the last decision, in UTC.")
    sample_size: int = Field(
        default=0, ge=0, description="Posts that the last approved change was measured on."
    )
    warehouse_version: str | None = Field(
        default=None, description="Published build that the last approved change came from."
    )
    format_weights: dict[str, Weight] = Field(
        default_factory=dict,
        description="How often to make each format, relative to the others; 1 is usual.",
    )
    top_pillars: list[str] = Field(default=[], description="Content pillars to prefer.")
    underperforming_pillars: list[str] = Field(
        default=[], description="Content pillars that do worse than the account's usual."
    )
    top_topics: list[str] = Field(default=[], description="Topics to prefer.")
    optimal_slide_count: int | None = Field(
        default=None, ge=1, le=35, description="Slides of a carousel; null when not known."
    )
    hook_insights: HookInsights = HookInsights()
    save_vs_share: SaveVsShare = SaveVsShare()
    timing: Timing = Timing()
    cta: dict[str, Any] = Field(
        default_factory=dict, description="The call to action to end with, under `preferred`."
    )
    experiment_suggestions: list[str] = Field(default=[], description="What to try now and then.")
    exploration: Exploration = Exploration()
    approved_recommendations: list[ApprovedRecommendation] = []
    evidence: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Figures behind each approved recommendation, by its id."
    )
    valid_until: date | None = Field(
        default=None, description="Day after which the evidence is old; null when there is none."
    )


_KEY_ORDER = {key: place for place, key in enumerate(PerformanceContext.model_fields)}


def json_schema() -> dict[str, Any]:
    """The published JSON Schema (draft 2020-12)."""
    schema = PerformanceContext.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_bytes() -> bytes:
    """The content of ``context.schema.json``."""
    return (json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n").encode()


def parse_context(raw: bytes, path: Path) -> tuple[PerformanceContext, dict[str, Any]]:
    """A context from its bytes, as model and as the JSON that it was written as.

    Raises:
        ContextError: Not UTF-8 JSON, or a key has a wrong value; the message names it.
    """
    try:
        context = PerformanceContext.model_validate_json(raw, strict=True)
        document = json.loads(raw, parse_constant=_refuse_constant)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise ContextError(_refusal(path, f"{where}: {what}" if where else what)) from None
    except (ValueError, RecursionError) as error:
        raise ContextError(_refusal(path, str(error))) from None
    return context, document


def _refusal(path: Path, problem: str) -> str:
    return (
        f"{path} is not a valid context ({problem}). It was left as it is: correct it, or put the "
        "last good one back with `afterpost context revert`."
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def render_context(document: Mapping[str, Any]) -> bytes:
    """The bytes of a context: our keys in the schema's order, then others as they were."""
    ordered = sorted(document.items(), key=lambda item: _KEY_ORDER.get(item[0], len(_KEY_ORDER)))
    return (
        json.dumps(dict(ordered), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    ).encode()


def neutral_context(account: AccountConfig, day: date) -> dict[str, Any]:
    """The first context of an account: everything that it lists, nothing preferred."""
    formats = [item.name for item in account.formats]
    values = neutral_values(formats, account.default_slide_count)
    context = PerformanceContext(account=account.name, last_updated=day, **values)
    document = context.model_dump(mode="json")
    return {**document, "context_id": context_id_of(document)}
