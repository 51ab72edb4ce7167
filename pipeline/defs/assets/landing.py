"""Scrapes: one asset per platform and actor, one partition per account."""

from collections.abc import Sequence
from datetime import timedelta

import dagster as dg

from pipeline.accounts import Platform
from pipeline.collect.attempts import outcome_of_error
from pipeline.collect.landing import SourceKind
from pipeline.collect.outcomes import WORDS
from pipeline.collect.platform_interface import Actor, ActorKind
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.retries import MOST_RETRIES, decide_retry
from pipeline.collect.scrape_report import ScrapeReport
from pipeline.collect.scrape_round import ProfileProgress, Round, scrape_round
from pipeline.defs.billing import accounts_to_scrape, order_of
from pipeline.defs.conduct import Conduct
from pipeline.defs.failures import failure_of_all
from pipeline.defs.metadata import markdown_table
from pipeline.defs.partitions import accounts
from pipeline.settings import Settings

ANSWERED_CHECK = "every_profile_answered"


def landing_key(platform: Platform, kind: ActorKind) -> dg.AssetKey:
    """Asset key of one platform's scrapes, such as ``landing/tiktok_posts``."""
    return dg.AssetKey(["landing", f"{platform.value}_{kind.value}"])


def build_landing_asset(
    platform: Platform, kind: ActorKind, actors: Sequence[Actor]
) -> dg.AssetsDefinition:
    """The asset that scrapes a platform's actors of one kind for the run's accounts.

    Which of them is asked about an account, if any, follows from settings and account.

    An account that cannot be scraped does not stop the others: its reason is kept in the check
    of the asset, and the run fails at its end. Only when no account could be scraped does the
    step itself fail; before that it is tried again with growing waits, where each error can pass
    by itself and nobody stands in front of the run.
    """
    key = landing_key(platform, kind)

    @dg.asset(
        key=key,
        group_name="collect",
        partitions_def=accounts,
        backfill_policy=dg.BackfillPolicy.single_run(),
        kinds={platform.value, *(actor.service.value for actor in actors)},
        owners=["team:afterpost"],
        description=(
            f"What {' or '.join(actor.actor_id for actor in actors)} answered about each account's "
            f"{platform.value} profile, unchanged, as files under warehouse/landing/."
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
        context: dg.AssetExecutionContext,
        settings: dg.ResourceParam[Settings],
        conduct: dg.ResourceParam[Conduct],
    ) -> dg.MaterializeResult:
        def tell(progress: ProfileProgress) -> None:
            _log(context, progress)
            conduct.tell(progress)

        found = Round({}, {})
        order = order_of(context, settings, platform, SourceKind(kind.value))
        names = accounts_to_scrape(context, order)
        for actor in actors:
            part = scrape_round(settings, names, platform, actor, tell, order.is_wanted)
            found = Round(found.reports | part.reports, found.errors | part.errors)
            for name, sentence in part.passed_over.items():
                context.log.info(sentence)
                context.add_asset_metadata({"summary": sentence}, partition_key=name)
        if found.is_lost:
            errors = list(found.errors.values())
            again = decide_retry(errors, context.retry_number, first_wait_s=conduct.first_wait_s)
            problem = failure_of_all(found.errors)
            if conduct.is_patient and again.is_worth_it:
                context.log.warning("Trying again in %.0f s: %s", again.wait_s, problem.description)
                raise dg.RetryRequested(
                    max_retries=MOST_RETRIES, seconds_to_wait=again.wait_s
                ) from problem
            raise problem
        unanswered = {name: str(error) for name, error in found.errors.items()} | {
            name: report.line for name, report in found.reports.items() if report.needs_attention
        }
        return dg.MaterializeResult(
            check_results=[
                dg.AssetCheckResult(
                    check_name=ANSWERED_CHECK, passed=not unanswered, metadata=unanswered
                )
            ]
        )

    return landing


def _log(context: dg.AssetExecutionContext, progress: ProfileProgress) -> None:
    """One profile's part of the event log."""
    name, report, error = progress.account_name, progress.report, progress.error
    if error is not None:
        context.log.error("%s on %s: %s", name, progress.platform.value, error)
        context.add_asset_metadata(
            {
                "summary": f"failed: {error}",
                "scrape": dg.MetadataValue.md(markdown_table(_COLUMNS, [("failed", error)])),
                "outcome": outcome_of_error(error).value,
                "retry": error.retry.value,
            },
            partition_key=name,
        )
    elif report is not None:
        is_odd = report.needs_attention or report.is_drift_new
        (context.log.warning if is_odd else context.log.info)(report.line)
        context.add_asset_metadata(_metadata(report), partition_key=name)


def _metadata(report: ScrapeReport) -> dict[str, dg.MetadataValue]:
    manifest = report.manifest
    metadata: dict[str, dg.MetadataValue] = {
        "summary": dg.MetadataValue.text(report.line),
        "scrape": dg.MetadataValue.md(markdown_table(_COLUMNS, _lines(report))),
        "outcome": dg.MetadataValue.text(report.outcome.value),
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
    if manifest.drift:
        metadata["drift"] = dg.MetadataValue.json(dict(manifest.drift))
    if manifest.rejected_reasons:
        metadata["rejected_reasons"] = dg.MetadataValue.json(dict(manifest.rejected_reasons))
    return metadata


_COLUMNS = ("what", "value")


def _lines(report: ScrapeReport) -> list[tuple[str, object]]:
    """A scrape in a few lines, for a person."""
    manifest = report.manifest
    lines: list[tuple[str, object]] = [
        ("profile", f"{manifest.handle} on {manifest.platform.value}"),
        ("the run said", WORDS[report.outcome]),
        ("scraped", f"{manifest.scraped_at:%Y-%m-%d %H:%M} UTC"),
        ("posts", f"{len(manifest.post_ids)}, of them {report.new_post_count} new"),
        ("rows", f"{manifest.items_got} of at most {manifest.items_asked or 'any number'}"),
        ("cost", "not known" if manifest.cost_usd is None else f"${manifest.cost_usd:.4f}"),
    ]
    if report.follower_count is not None:
        lines.append(("followers", f"{report.follower_count:,}"))
    if manifest.rejected_reasons:
        reasons = ", ".join(f"{why}: {count}" for why, count in manifest.rejected_reasons.items())
        lines.append(("rejected", reasons))
    if manifest.drift:
        keys = ", ".join(key for keys in manifest.drift.values() for key in keys)
        lines.append(("the source's rows differ", keys))
    return lines


landing_assets = [
    build_landing_asset(platform, kind, [one for one in source.actors if one.kind is kind])
    for platform, source in SOURCES.items()
    for kind in dict.fromkeys(actor.kind for actor in source.actors)
]
