"""Predictions in a web server's home: of a plan and of a post that is out, which is scored."""

import json
from datetime import timedelta

from pipeline.clock import utc_now
from pipeline.learn.predict.planned_predictions import predict_planned
from pipeline.learn.predict.requests import PredictionRequest
from pipeline.learn.predict.serving import predict_all
from pipeline.learn.predict.training import train_models
from pipeline.settings import Settings
from tests.fakes.dashboard_copy import OTHER_ACCOUNT
from tests.fakes.published import ACCOUNT
from tests.show.web.copies import POST, publish_changed

PLAN = "2026-11-01_guide"
OTHER = OTHER_ACCOUNT
"""Its plan came after the last run: nothing is said of it yet."""

_SCORED = """
insert into marts.fct_prediction_score by name
select
    '{prediction_id}' as prediction_id, '{account}' as account_name, 'tiktok' as platform,
    '{post_id}' as post_id, 'views_7d' as target, 1234.0 as outcome,
    timestamptz '2026-11-19 08:00Z' as scored_at, true as is_within_interval,
    false as is_within_25_percent
"""


def seed_predictions(settings: Settings) -> None:
    """Train, predict and score, as the jobs do."""
    now = utc_now()
    train_models(settings, now, force=True)
    predict_planned(settings, [ACCOUNT], utc_now())
    platform, _, post_id = POST.partition(":")
    request = PredictionRequest(
        account=ACCOUNT, platform=platform, post_id=post_id, planned_at=now, caption="A post"
    )
    said = predict_all(settings, [request], now)[0]
    assert said.main.row is not None
    scored = _SCORED.format(
        prediction_id=said.main.row["prediction_id"], account=ACCOUNT, post_id=post_id
    )
    publish_changed(settings, "v3", scored)
    folder = settings.accounts_dir / OTHER / "output" / "next"
    folder.mkdir(parents=True)
    meta = {"caption": "<b>Next</b>\nand more", "date": (now + timedelta(days=2)).isoformat()}
    (folder / "meta.json").write_text(json.dumps(meta))
