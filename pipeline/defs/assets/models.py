"""The dbt project as assets, its data tests as asset checks."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from pipeline.defs.assets.model_pages import ModelPages, model_pages
from pipeline.defs.dbt_manifest import current_manifest
from pipeline.defs.failures import failure
from pipeline.defs.pools import WAREHOUSE_POOL
from pipeline.errors import BuildFailedError
from pipeline.measure.build import build_models
from pipeline.measure.dbt_runs import DbtEvent
from pipeline.settings import Settings


class _Translator(DagsterDbtTranslator):
    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:  # noqa: ARG002
        return "measure"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        return ["team:afterpost"]

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Everything that a model reads, but for statistics.

        Views over statistics show whatever these are and need not wait for them, while statistics
        wait for models. Waiting for each other would split the models into several steps, and each
        step builds them all.
        """
        spec = super().get_asset_spec(manifest, unique_id, project)
        statistics = {
            self.get_asset_key(source)
            for source in manifest["sources"].values()
            if source["source_name"] == "stats"
        }
        kept = [dep for dep in spec.deps if dep.asset_key not in statistics]
        is_mart = manifest["nodes"].get(unique_id, {}).get("schema") == "marts"
        return spec.replace_attributes(
            deps=kept, freshness_policy=_DAILY if is_mart else spec.freshness_policy
        )


_DAILY = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=50), warn_window=timedelta(hours=26)
)
"""A build a day, with room for one that failed."""

MANIFEST = current_manifest()
TRANSLATOR = _Translator(
    settings=DagsterDbtTranslatorSettings(
        enable_asset_checks=True, enable_source_tests_as_checks=True
    )
)


@dbt_assets(
    manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR, name="models", pool=WAREHOUSE_POOL
)
def models(
    context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
) -> Iterator[Any]:
    """Build every model and run every data test, in one go.

    A run that selected some of them builds all the same, because only a whole build may be
    published, and reports those that it selected.
    """
    events: list[DbtEvent] = []
    error: BuildFailedError | None = None
    try:
        build = build_models(settings, events.append)
        context.log.info("%s models, %s tests: all green.", build.model_count, build.test_count)
        for warning in build.warnings:
            context.log.warning(warning)
    except BuildFailedError as failed:
        error = failed
    pages = model_pages(context, settings, manifest(), [event["data"] for event in events])
    for event in events:
        message = DbtCoreCliEventMessage(dict(event), {})
        for result in message.to_default_asset_events(
            manifest=MANIFEST, dagster_dbt_translator=TRANSLATOR, context=context
        ):
            if _is_selected(context, result):
                yield _with_more(result, event["data"]["node_info"], pages)
    if error:
        raise failure(error)


@cache
def manifest() -> Mapping[str, Any]:
    """The manifest that the graph is made from."""
    parsed: Mapping[str, Any] = json.loads(MANIFEST.read_text(encoding="utf-8"))
    return parsed


def _with_more(result: Any, node: Mapping[str, Any], pages: ModelPages) -> Any:
    """An event with what the warehouse knows about its model or test."""
    if isinstance(result, dg.Output):
        return result.with_metadata(
            {**result.metadata, **pages.of_models.get(node["unique_id"], {})}
        )
    if isinstance(result, dg.AssetCheckResult):
        more = pages.of_tests.get(node["unique_id"], {})
        return result._replace(metadata={**(result.metadata or {}), **more})
    return result


def _is_selected(context: dg.AssetExecutionContext, result: object) -> bool:
    """Whether the run asked for the asset or check that an event is about."""
    if isinstance(result, dg.Output):
        return result.output_name in context.op_execution_context.selected_output_names
    if isinstance(result, dg.AssetCheckResult):
        key = dg.AssetCheckKey(
            dg.AssetKey.from_coercible(result.asset_key or []), result.check_name or ""
        )
        return key in context.selected_asset_check_keys
    return True
