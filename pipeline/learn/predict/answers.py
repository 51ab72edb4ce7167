"""What was said about a post: as a person's program reads it, from what is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pipeline.clock import utc_text
from pipeline.learn.predict.gate import MINIMUM_POSTS
from pipeline.learn.predict.scoring import explained_in_words
from pipeline.learn.predict.warehouse_features import Target

LEVEL = 0.8
"""Of the interval."""
Row = Mapping[str, Any]


@dataclass(frozen=True)
class TargetPrediction:
    """What was said about one target."""

    target: Target
    row: dict[str, Any] | None
    """The columns of a stored prediction; None where nothing could be said."""
    model_row: Row | None
    """Of the registry: the model that was asked, whether it serves the account or not."""
    reason: str | None
    """Why no model serves it."""
    is_new: bool
    """Whether it was kept as the first one about the post on its day."""

    @property
    def explained_share(self) -> float | None:
        """How much of the spread around the account's own median was explained out of time.

        By what would have been served of its posts; None where the account has none in the
        registry's figures.
        """
        if self.model_row is None or self.row is None:
            return None
        own = self.model_row["figures"]["accounts"].get(self.row["account_name"])
        return None if own is None else own["explained_share"]

    @property
    def notes(self) -> tuple[str, ...]:
        """What has to be said beside the numbers, a sentence each."""
        told = []
        if self.reason:
            known = self.row["features"].get("known_posts", 0) if self.row else 0
            enough = "" if self.row is None or known else "; the numbers are other accounts'"
            told.append(f"{self.reason[0].upper()}{self.reason[1:]}{enough}.")
        if self.explained_share is not None:
            told.append(explained_in_words(self.explained_share))
        return tuple(told)

    def to_json(self) -> dict[str, Any]:
        """For a program; values in the target's own unit, null where nothing is known."""
        row = self.row
        if row is None:
            return {
                "target": self.target.value,
                "prediction_id": None,
                "expected": None,
                "interval": None,
                "breakout_probability": None,
                "breakout_threshold": None,
                "baseline": None,
                "factors": [],
                "model": None,
                "explained_share": None,
                "note": " ".join(self.notes),
                "is_new": False,
            }
        return {
            "target": self.target.value,
            "prediction_id": row["prediction_id"],
            "expected": row["expected"],
            "interval": {"low": row["low"], "high": row["high"], "level": LEVEL},
            "breakout_probability": row["breakout_probability"],
            "breakout_threshold": row["breakout_threshold"],
            "baseline": {
                "expected": row["baseline_expected"],
                "low": row["baseline_low"],
                "high": row["baseline_high"],
            },
            "factors": list(row["factors"]),
            "model": {
                "name": row["model_name"],
                "version": row["model_version"],
                "trained_at": None
                if row["model_version"] is None or self.model_row is None
                else utc_text(self.model_row["trained_at"]),
            },
            "explained_share": self.explained_share,
            "note": " ".join(self.notes),
            "is_new": self.is_new,
        }


@dataclass(frozen=True)
class Prediction:
    """What was said about one post."""

    account_name: str
    platform: str
    planned_id: str | None
    post_id: str | None
    planned_at: datetime
    predicted_at: datetime
    targets: tuple[TargetPrediction, ...]

    def of(self, target: Target) -> TargetPrediction:
        """What was said about one target."""
        return next(one for one in self.targets if one.target == target)

    @property
    def main(self) -> TargetPrediction:
        """Views where they are known there, else the engagement rate."""
        return next((one for one in self.targets if one.row is not None), self.targets[0])

    def kept(self, new_ids: frozenset[str]) -> "Prediction":
        """The same, knowing which of it was kept as new."""
        return replace(
            self,
            targets=tuple(
                replace(one, is_new=one.row is not None and one.row["prediction_id"] in new_ids)
                for one in self.targets
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """For a program: the main target's answer, and all of them by name."""
        return {
            "account": self.account_name,
            "platform": self.platform,
            "planned_id": self.planned_id,
            "post_id": self.post_id,
            "planned_at": utc_text(self.planned_at),
            "predicted_at": utc_text(self.predicted_at),
            **self.main.to_json(),
            "targets": {one.target.value: one.to_json() for one in self.targets},
        }


def stored_answer(rows: list[dict[str, Any]], models: Mapping[str, Row]) -> Prediction:
    """A prediction from its stored rows, of which there is at least one.

    Args:
        rows: Of one post, one for each target, all said at once.
        models: Rows of the registry by version.
    """
    first = rows[0]
    by_target = {row["target"]: row for row in rows}
    return Prediction(
        account_name=first["account_name"],
        platform=first["platform"],
        planned_id=first["planned_id"],
        post_id=first["post_id"],
        planned_at=first["planned_at"],
        predicted_at=first["predicted_at"],
        targets=tuple(
            TargetPrediction(
                target,
                by_target.get(target.value),
                models.get((by_target.get(target.value) or {}).get("model_version") or ""),
                _stored_reason(by_target.get(target.value)),
                False,
            )
            for target in Target
        ),
    )


def _stored_reason(row: Row | None) -> str | None:
    if row is None:
        return "nothing was known of posts there"
    known = row["features"].get("known_posts", 0)
    if row["model_version"] is not None:
        return None
    if known < MINIMUM_POSTS:
        return f"not enough training data ({known} of {MINIMUM_POSTS})"
    return "the account's own quantiles were served"
