"""Posts that left the listing, looked up by their addresses."""

import dagster as dg

from pipeline.accounts import Platform, load_account
from pipeline.clients.warehouse import reading
from pipeline.clock import utc_now
from pipeline.collect.cadence import DirectLook, direct_looks
from pipeline.collect.landing import SourceKind
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.scrape import scrape_posts
from pipeline.collect.scrape_report import ScrapeReport
from pipeline.defs.assets.landing import ANSWERED_CHECK
from pipeline.defs.billing import accounts_to_scrape, order_of
from pipeline.defs.partitions import accounts
from pipeline.errors import AfterpostError, NothingPublishedError, PaidMeanwhileError
from pipeline.settings import Settings


def single_posts_key(platform: Platform) -> dg.AssetKey:
    """Asset key of one platform's look-ups, such as ``landing/tiktok_single_posts``."""
    return dg.AssetKey(["landing", f"{platform.value}_single_posts"])


def build_single_posts_asset(platform: Platform) -> dg.AssetsDefinition:
    """The asset that looks one platform's posts up for the run's accounts."""

    @dg.asset(
        key=single_posts_key(platform),
        group_name="collect",
        partitions_def=accounts,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={platform.value, "apify"},
        owners=["team:afterpost"],
        description=(
            "Posts that left the listing, looked up by their addresses at 30, 60 and 90 days of "
            "age, and posts that were missing from two listings."
        ),
        check_specs=[
            dg.AssetCheckSpec(
                ANSWERED_CHECK,
                asset=single_posts_key(platform),
                description="Every account's posts could be looked up in this run.",
            )
        ],
    )
    def single_posts(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:
        errors: dict[str, str] = {}
        order = order_of(context, settings, platform, SourceKind.DIRECT)
        for name in accounts_to_scrape(context, order):
            account = load_account(settings.accounts_dir, name)
            if platform not in account.platform_profiles:
                continue
            looks = _looks(settings, name, platform)
            if not looks:
                context.log.info("%s: no post of %s to look up.", name, platform.value)
                continue
            try:
                report = scrape_posts(
                    settings,
                    account,
                    platform,
                    [one.post_url for one in looks],
                    is_wanted=order.is_wanted,
                )
            except PaidMeanwhileError as passed:
                context.log.info(str(passed))
                continue
            except AfterpostError as error:
                context.log.error("%s on %s: %s", name, platform.value, error)
                errors[name] = str(error)
                continue
            context.log.info(report.line)
            context.add_asset_metadata(
                {
                    "summary": report.line,
                    "posts_asked": len(looks),
                    "posts_found": report.manifest.post_count,
                    "reasons": [one.why for one in looks],
                    **_cost(report),
                },
                partition_key=name,
            )
        # What was listed is built all the same; the run is red at its end.
        return dg.MaterializeResult(
            check_results=[
                dg.AssetCheckResult(check_name=ANSWERED_CHECK, passed=not errors, metadata=errors)
            ]
        )

    return single_posts


def _cost(report: ScrapeReport) -> dict[str, float]:
    cost_usd = report.manifest.cost_usd
    return {} if cost_usd is None else {"cost_usd": float(cost_usd)}


def _looks(settings: Settings, account_name: str, platform: Platform) -> list[DirectLook]:
    try:
        with reading(settings) as connection:
            return direct_looks(connection, account_name, platform, utc_now())
    except NothingPublishedError:
        return []


single_posts_assets = [
    build_single_posts_asset(platform)
    for platform, source in SOURCES.items()
    if source.direct is not None
]
