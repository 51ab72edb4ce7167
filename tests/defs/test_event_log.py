"""What the quick event log writes is what Dagster's own reads."""

from pathlib import Path

import dagster as dg

from pipeline.defs.event_log import open_dagster_instance


@dg.asset(check_specs=[dg.AssetCheckSpec("some", asset="counted")])
def counted() -> dg.MaterializeResult:
    """Some rows, checked."""
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed=True, check_name="some")]
    )


def test_dagsters_own_log_reads_the_events_and_goes_on_with_them(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with open_dagster_instance(tmp_path) as instance:
        result = dg.materialize([counted], instance=instance)
        written = [entry.message for entry in instance.all_logs(result.run_id)]

    with dg.DagsterInstance.from_config(str(tmp_path)) as own:
        assert [entry.message for entry in own.all_logs(result.run_id)] == written
        event = own.get_latest_materialization_event(dg.AssetKey("counted"))
        assert event is not None
        assert event.asset_materialization is not None
        assert event.asset_materialization.metadata["rows"].value == 3
        again = dg.materialize([counted], instance=own)

    assert len(written) > 5
    with open_dagster_instance(tmp_path) as instance:
        assert instance.get_run_by_id(again.run_id) is not None
        assert len(instance.all_logs(again.run_id)) == len(written)


def test_an_instance_with_a_storage_of_its_own_keeps_its_events_there(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "dagster.yaml").write_text(
        f"telemetry: {{enabled: false}}\nstorage: {{sqlite: {{base_dir: {elsewhere}}}}}\n",
        encoding="utf-8",
    )
    with open_dagster_instance(tmp_path) as instance:
        result = dg.materialize([counted], instance=instance)

    assert (elsewhere / "history" / "runs" / f"{result.run_id}.db").exists()
    assert not (tmp_path / "history").exists()
