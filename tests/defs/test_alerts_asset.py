"""Open alerts are a failed check in Dagster, with a row for each, until somebody has seen them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipeline.clients.state_alerts import acknowledge_alert, alert_rows
from pipeline.clock import utc_now
from pipeline.defs.assets.alerts import alerts
from pipeline.errors import AfterpostError
from tests.faults.bench import Bench, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with open_bench(tmp_path, platform_profiles={"tiktok": "quietnights"}) as bench:
        bench.says([{"error": "Profile does not exist <script>", "errorCode": "NOT_FOUND"}])
        for _ in range(3):
            with pytest.raises(AfterpostError):
                bench.scrape()
        yield bench


def _look(bench: Bench) -> tuple[dg.AssetMaterialization, dg.AssetCheckEvaluation]:
    settings = dg.ResourceDefinition.hardcoded_resource(bench.settings)
    result = dg.materialize([alerts], resources={"settings": settings})
    (event,) = result.get_asset_materialization_events()
    (check,) = result.get_asset_check_evaluations()
    return event.materialization, check


def test_an_open_alert_is_a_row_of_a_failed_check_until_it_is_acknowledged(bench: Bench):
    told, check = _look(bench)

    assert told.metadata["opened"].value == 1
    assert not check.passed
    assert check.severity is dg.AssetCheckSeverity.WARN
    table = check.metadata["open"]
    assert isinstance(table, dg.TableMetadataValue)
    (row,) = table.records
    assert row.data["account"] == "lullabies"
    assert row.data["severity"] in ("warning", "critical")

    told, check = _look(bench)
    assert (told.metadata["opened"].value, told.metadata["alerts_open"].value) == (0, 1)

    (alert,) = alert_rows(bench.settings, only_open=True)
    later = utc_now() + timedelta(seconds=1)
    acknowledge_alert(bench.settings, alert["alert_id"], by="me", note=None, at=later)
    _, check = _look(bench)
    assert check.passed
