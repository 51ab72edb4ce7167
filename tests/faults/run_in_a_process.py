"""The real landing asset in a process of its own: what a worker does with a run."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipeline.settings import Settings

REPOSITORY = Path(__file__).parents[2]


def start_run(
    settings: Settings, dagster_home: Path, tags: Mapping[str, str]
) -> "subprocess.Popen[str]":
    """Run the scrapes of TikTok profiles for the partitions that the tags name.

    Args:
        settings: The home, the state database and the server.
        dagster_home: Where Dagster keeps its runs.
        tags: The run's.

    Returns:
        The process, which prints a JSON object: whether the run succeeded, and the summaries by
        partition.
    """
    token = settings.apify_token
    assert token is not None
    state = {} if settings.state_url is None else {"AFTERPOST_STATE_URL": settings.state_url}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.run_in_a_process", json.dumps(tags)],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **state,
            "AFTERPOST_HOME": str(settings.home),
            "APIFY_TOKEN": token.get_secret_value(),
            "APIFY_API_BASE_URL": settings.apify_api_base_url,
            "DAGSTER_HOME": str(dagster_home),
            "PYTHONWARNINGS": "ignore",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _main(tags: dict[str, str]) -> None:
    import dagster as dg

    from pipeline.accounts import Platform
    from pipeline.collect.platform_interface import ActorKind
    from pipeline.collect.platform_registry import SOURCES
    from pipeline.defs.assets.landing import build_landing_asset
    from pipeline.defs.conduct import Conduct
    from pipeline.defs.partitions import sync_accounts
    from pipeline.settings import load_settings

    settings = load_settings()
    asset = build_landing_asset(
        Platform.TIKTOK, ActorKind.POSTS, [SOURCES[Platform.TIKTOK].actors[0]]
    )
    with dg.DagsterInstance.get() as instance:
        sync_accounts(instance, settings)
        result = dg.materialize(
            [asset],
            instance=instance,
            partition_key=tags.pop("dagster/partition"),
            resources={
                "settings": dg.ResourceDefinition.hardcoded_resource(settings),
                "conduct": dg.ResourceDefinition.hardcoded_resource(Conduct(is_patient=False)),
            },
            tags=tags,
            raise_on_error=False,
        )
    summaries = {
        str(event.partition): str(event.materialization.metadata["summary"].value)
        for event in result.get_asset_materialization_events()
        if "summary" in event.materialization.metadata
    }
    sys.stdout.write(json.dumps({"success": result.success, "summaries": summaries}) + "\n")


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))
