"""What drawn briefs are expected to reach, where a model serves their account."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipeline.accounts import AccountConfig
from pipeline.clients.state_predictions import model_rows
from pipeline.learn.predict.post_features import daypart
from pipeline.learn.predict.requests import PredictionRequest
from pipeline.learn.predict.serving import predict_all
from pipeline.learn.predict.warehouse_features import Target
from pipeline.settings import Settings
from pipeline.show.figure_words import count, percent, platform

if TYPE_CHECKING:
    from pipeline.decide.briefs import Brief
    from pipeline.learn.predict.answers import Prediction

_NAMES = {Target.VIEWS: "views", Target.ENGAGEMENT_RATE: "engagement rate"}


def predictions_of(
    settings: Settings,
    account: AccountConfig,
    briefs: "Sequence[Brief]",
    planned_at: datetime | None,
    now: datetime,
) -> "list[Prediction] | None":
    """What is expected of each brief, in their order; None where no model serves the account.

    The words of the post are not known yet, and count as unknown.

    Nothing is stored: the post that is made of a brief gets its own prediction, with its words.

    Args:
        settings: Where everything is.
        account: Whose briefs.
        briefs: As drawn.
        planned_at: When they are to go out; at the next time of its daypart when left out.
        now: The moment, with its zone.

    Raises:
        NothingPublishedError: No build has been green yet.
    """
    if not any(account.name in row["serves"] for row in model_rows(settings)):
        return None
    requests = [
        PredictionRequest(
            account=account.name,
            platform=brief.platform,
            format=brief.format,
            pillar=brief.pillar,
            hook_style=brief.hook_style,
            cta=brief.cta,
            slide_count=brief.slide_count,
            planned_at=planned_at or _next_time(brief.daypart, account, now),
            # As of a plan, its names are not checked: a context may name what no account lists.
            planned_id=brief.draw_id,
        )
        for brief in briefs
    ]
    said = predict_all(settings, requests, now, store=False)
    return [dataclasses.replace(one, planned_id=None) for one in said]


def _next_time(wanted: str | None, account: AccountConfig, now: datetime) -> datetime | None:
    """The first full hour from now on that lies in a daypart, on the account's clock."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    for ahead in range(1, 25):
        moment = hour + timedelta(hours=ahead)
        if daypart(moment.astimezone(account.zone).hour) == wanted:
            return moment
    return None


def expected_line(said: "Prediction") -> str:
    """What a brief is expected to reach, in one line."""
    told = []
    for one in said.targets:
        if one.row is not None:
            figure = count if one.target is Target.VIEWS else _percent
            told.append(
                f"{figure(one.row['expected'])} {_NAMES[one.target]} ({figure(one.row['low'])} to "
                f"{figure(one.row['high'])}, usually {figure(one.row['baseline_expected'])})"
            )
    return f"expected on {platform(said.platform)} at 7 days: {', '.join(told) or 'not known'}"


def notes_of(predictions: "Sequence[Prediction]") -> list[str]:
    """What has to be said beside the numbers, once for all briefs."""
    return list(
        dict.fromkeys(
            f"{_NAMES[one.target].capitalize()}: {note}"
            for said in predictions
            for one in said.targets
            for note in one.notes
        )
    )


def _percent(rate: float) -> str:
    return percent(rate, 1)
