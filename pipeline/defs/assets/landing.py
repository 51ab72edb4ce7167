"""Scrapes: one asset per platform and actor, one partition per account."""

from datetime import timedelta

import dagster as dg

from pipeline.accounts import Platform, load_account
from pipeline.collect.platform_interface import Actor, ActorKind
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.scrape import ScrapeReport, scrape
from pipeline.defs.failures import failure
from pipeline.defs.partitions import accounts, requested_accounts
from pipeline.errors import AfterpostError
from pipeline.settings import Settings

ANSWERED_CHECK = "every_profile_answered"


def landing_key(platform: Platform, kind: ActorKind) -> dg.AssetKey:
    """Asset key of one platform's scrapes, such as ``landing/tiktok_posts``."""
    return dg.AssetKey(["landing", f"{platform.value}_{kind.value}"])


def build_landing_asset(platform: Platform, actor: Actor) -> dg.AssetsDefinition:
    """The asset that scrapes one actor for the run's accounts.

    An account that cannot be scraped does not stop the others: its reason is kept in the check
    of the asset, and the run fails at its end. Only when no account could be scraped does the
    step itself fail.
    """
    key = landing_key(platform, actor.kind)

    @dg.asset(
        key=key,
        group_name="collect",
        partitions_def=accounts,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={"apify", platform.value},
        owners=["team:afterpost"],
        description=(
            f"What {actor.actor_id} answered about each account's {platform.value} profile, "
            "unchanged, as files under warehouse/landing/."
        ),
        freshness_policy=dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
        ),
        check_specs=[
            dg.AssetCheckSpec(
                ANSWERED_CHECK,
                asset=key,
                description="Every account's profile could be scraped in this run.",
            )
        ],
    )
    def landing(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:
        failed: dict[str, AfterpostError] = {}
        reports: list[ScrapeReport] = []
        for name in requested_accounts(context):
            try:
                account = load_account(settings.accounts_dir, name)
                if platform not in account.platform_profiles:
                    context.log.info("%s has no %s profile: not scraped.", name, platform.value)
                    continue
                report = scrape(settings, account, platform, actor)
            except AfterpostError as error:
                context.log.error("%s on %s: %s", name, platform.value, error)
                failed[name] = error
                context.add_asset_metadata(
                    {"summary": f"failed: {error}", "outcome": "failed"}, partition_key=name
                )
                continue
            reports.append(report)
            context.log.info(report.line)
            context.add_asset_metadata(_metadata(report), partition_key=name)
        if failed and not reports:
            raise failure(next(iter(failed.values())))
        return dg.MaterializeResult(
            check_results=[
                dg.AssetCheckResult(
                    check_name=ANSWERED_CHECK,
                    passed=not failed,
                    metadata={name: str(error) for name, error in failed.items()},
                )
            ]
        )

    return landing


def _metadata(report: ScrapeReport) -> dict[str, dg.MetadataValue]:
    manifest = report.manifest
    metadata: dict[str, dg.MetadataValue] = {
        "summary": dg.MetadataValue.text(report.line),
        "outcome": dg.MetadataValue.text(manifest.outcome.value),
        "dagster/partition_row_count": dg.MetadataValue.int(manifest.items_got),
        "posts_seen": dg.MetadataValue.int(manifest.post_count),
        "posts_new": dg.MetadataValue.int(report.new_post_count),
        "items_rejected": dg.MetadataValue.int(manifest.rejected_count),
        "scraped_at": dg.MetadataValue.text(manifest.scraped_at.isoformat()),
    }
    if manifest.run_id:
        metadata["apify_run_id"] = dg.MetadataValue.text(manifest.run_id)
    if manifest.cost_usd is not None:
        metadata["cost_usd"] = dg.MetadataValue.float(float(manifest.cost_usd))
    if manifest.rejected_reasons:
        metadata["rejected_reasons"] = dg.MetadataValue.json(dict(manifest.rejected_reasons))
    return metadata


landing_assets = [
    build_landing_asset(platform, actor)
    for platform, source in SOURCES.items()
    for actor in source.actors
]
