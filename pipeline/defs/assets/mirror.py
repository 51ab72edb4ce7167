"""The other copy of a home, in the tiers that have one."""

from collections.abc import Iterator

import dagster as dg

from pipeline.defs.failures import told_to_dagster
from pipeline.settings import Settings, StorageTier


@dg.asset(
    key=["published", "mirror"],
    # After everything of a run that writes the state database or a context file.
    deps=[
        dg.AssetKey(["published", "warehouse"]),
        dg.AssetKey(["decide", "performance_context"]),
        dg.AssetKey(["learn", "reflexion"]),
        dg.AssetKey(["show", "alerts"]),
    ],
    # The last group: it comes after what the others write.
    group_name="show",
    kinds={"file"},
    owners=["team:afterpost"],
    output_required=False,
    description=(
        "All that the home cannot make again, copied to AFTERPOST_STORAGE_URL where "
        "AFTERPOST_STORAGE is not local; `afterpost restore` brings it back."
    ),
)
def mirror(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult]:
    """Mirror the home; in the tier local, do nothing."""
    if settings.storage is StorageTier.LOCAL:
        return
    from pipeline.collect.home_mirror import planned_mirror

    with told_to_dagster(), planned_mirror(settings) as plan:
        report = plan.carry_out()
    for problem in report.problems:
        context.log.warning(problem)
    yield dg.MaterializeResult(
        metadata={
            "generation": report.generation.name,
            "mirror": plan.store.shown,
            "file_count": len(report.generation.files),
            "size_bytes": report.byte_count,
            "files_copied": report.copied_count,
            "bytes_copied": report.copied_bytes,
            "objects_removed": report.removed_count,
        }
    )
