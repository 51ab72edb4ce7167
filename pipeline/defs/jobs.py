"""Jobs: the parts of the loop that run together."""

import dagster as dg

from pipeline.defs.assets.alerts import alerts
from pipeline.defs.assets.contexts import performance_context
from pipeline.defs.assets.dashboards import dashboard_of_all, dashboards
from pipeline.defs.assets.experiments import experiments
from pipeline.defs.assets.landing import landing_assets
from pipeline.defs.assets.mirror import mirror
from pipeline.defs.assets.models import models
from pipeline.defs.assets.predictions import (
    prediction_features,
    prediction_models,
    predictions,
)
from pipeline.defs.assets.published import published_warehouse
from pipeline.defs.assets.raw import raw_tables
from pipeline.defs.assets.recommendations import recommendations
from pipeline.defs.assets.reflexion import reflexion
from pipeline.defs.assets.reports import report_assets
from pipeline.defs.assets.scrape_report import scrape_report
from pipeline.defs.assets.single_posts import single_posts_assets
from pipeline.defs.assets.statistics import statistics
from pipeline.show.reports.periods.calendar import PeriodKind

_BUILD = dg.AssetSelection.assets(
    raw_tables, models, statistics, published_warehouse, alerts, mirror
)
_AFTER_SCRAPES = _BUILD | dg.AssetSelection.assets(performance_context, scrape_report, reflexion)

scrape = dg.define_asset_job(
    "scrape",
    selection=dg.AssetSelection.assets(*landing_assets),
    description="Scrape the accounts' profiles into landing files.",
)

build = dg.define_asset_job(
    "build",
    selection=_BUILD | dg.AssetSelection.assets(performance_context),
    description="Load what has landed, build the models and statistics, publish, look for alerts.",
)

daily = dg.define_asset_job(
    "daily",
    selection=dg.AssetSelection.assets(*landing_assets) | _AFTER_SCRAPES,
    description=(
        "Scrape, build, score predictions, publish, look for alerts: the daily run over all "
        "accounts."
    ),
)

after_scrapes = dg.define_asset_job(
    "after_scrapes",
    selection=_AFTER_SCRAPES,
    description="The daily run without its scrapes, where those are shared out over many runs.",
)

single_posts = dg.define_asset_job(
    "single_posts",
    selection=(
        dg.AssetSelection.assets(*single_posts_assets)
        | _BUILD
        | dg.AssetSelection.assets(scrape_report)
    ),
    description="Look up posts that left the listing, build, publish.",
)

weekly_recommendations = dg.define_asset_job(
    "weekly_recommendations",
    selection=dg.AssetSelection.assets(recommendations, performance_context),
    description="Turn the published findings into recommendations.",
)

check_alerts = dg.define_asset_job(
    "check_alerts",
    selection=dg.AssetSelection.assets(alerts),
    description="Look for alerts in what is published and in the ledgers, and tell about them.",
)

manage_experiments = dg.define_asset_job(
    "manage_experiments",
    selection=dg.AssetSelection.assets(experiments, alerts),
    description="Start, read and conclude experiments, propose what follows, look for alerts.",
)

train_predictions = dg.define_asset_job(
    "train_predictions",
    selection=dg.AssetSelection.assets(prediction_features, prediction_models),
    description="Write what is known of posts, and fit the prediction models that are due.",
)

predict_posts = dg.define_asset_job(
    "predict_posts",
    selection=dg.AssetSelection.assets(predictions),
    description="Say what planned posts, and young posts without a plan, will reach.",
)

write_dashboards = dg.define_asset_job(
    "write_dashboards",
    selection=dg.AssetSelection.assets(dashboards, dashboard_of_all),
    description="Write every account's dashboard, and the one over all of them.",
)

daily_report, weekly_report, monthly_report = (
    dg.define_asset_job(
        f"{period.value}_report",
        selection=dg.AssetSelection.assets(asset),
        description=f"Send the {period.value} report, once per period.",
    )
    for period, asset in zip(PeriodKind, report_assets, strict=True)
)
