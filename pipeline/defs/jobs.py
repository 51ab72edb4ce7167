"""Jobs: the parts of the loop that run together."""

import dagster as dg

from pipeline.defs.assets.contexts import performance_context
from pipeline.defs.assets.landing import landing_assets
from pipeline.defs.assets.models import models
from pipeline.defs.assets.published import published_warehouse
from pipeline.defs.assets.raw import raw_tables
from pipeline.defs.assets.recommendations import recommendations
from pipeline.defs.assets.scrape_report import scrape_report
from pipeline.defs.assets.single_posts import single_posts_assets
from pipeline.defs.assets.statistics import segment_effects

_BUILD = dg.AssetSelection.assets(raw_tables, models, segment_effects, published_warehouse)

scrape = dg.define_asset_job(
    "scrape",
    selection=dg.AssetSelection.assets(*landing_assets),
    description="Scrape the accounts' profiles into landing files.",
)

build = dg.define_asset_job(
    "build",
    selection=_BUILD | dg.AssetSelection.assets(performance_context),
    description="Load what has landed, build the models and statistics, publish.",
)

daily = dg.define_asset_job(
    "daily",
    selection=(
        dg.AssetSelection.assets(*landing_assets)
        | _BUILD
        | dg.AssetSelection.assets(performance_context, scrape_report)
    ),
    description="Scrape, build, publish: the daily run over all accounts.",
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
