"""Metrics of each source by itself: what is counted, and what is absent."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pipeline.clients.claude import Usage
from pipeline.clients.state_model_calls import (
    CallIntent,
    CallOutcome,
    record_call,
    settle_call,
)
from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.alerts.watch import watch
from pipeline.show.monitoring.alerts import open_alerts
from pipeline.show.monitoring.collector import collect_samples
from tests.fakes.recommendations import add_pending
from tests.show.metric_series import NOW, add_attempt, add_plan, series_of, value_of
from tests.show.published_copies import ACCOUNT, publish_night_owls


def test_a_generators_many_providers_are_few_series(tmp_path: Path):
    settings = publish_night_owls(tmp_path)
    add_pending(settings)
    for number in range(1, 29):
        add_plan(settings, number, generation_status="failed", generation_provider=f"p{number}")

    found = [one for one in collect_samples(settings, datetime.now(UTC))
             if one.name == "video_generation_total" and one.value]  # fmt: skip

    assert len({one.labels[1] for one in found}) == 21
    assert sum(one.value for one in found) == 28


def test_open_alerts_are_counted_and_told(tmp_path: Path):
    settings = publish_night_owls(tmp_path)
    for number in range(3):
        add_attempt(settings, number, "failed", "0.01")
    (opened,) = watch(settings, NOW).open

    series = series_of(settings)

    assert value_of(series, "afterpost_alerts_open", severity=opened.severity.value) == 1
    labels = {"account": ACCOUNT, "kind": "scrape_failing", "severity": opened.severity.value}
    assert value_of(series, "afterpost_account_alerts_open", **labels) == 1
    (told,) = open_alerts(settings)
    assert (told["id"], told["message"]) == (opened.alert_id, opened.sentence)
    assert told["acknowledged_at"] is None


def test_questions_to_the_model_are_counted_with_their_cost(tmp_path: Path):
    settings = publish_night_owls(tmp_path)
    for number, outcome in enumerate((CallOutcome.ANSWERED, CallOutcome.REFUSED)):
        intent = CallIntent(
            f"c{number}", ACCOUNT, "recommendations", NOW, "a-model", "sha", Decimal(1)
        )
        assert record_call(settings, intent, None)
        usage = Usage("a-model", input_tokens=1000, output_tokens=200, cost_usd=Decimal("0.0123"))
        is_billed = outcome is CallOutcome.ANSWERED
        settle_call(
            settings, intent.call_id, outcome, answered_at=NOW, usage=usage if is_billed else None
        )

    series = series_of(settings)

    def total(name: str, **labels: str) -> float | None:
        return value_of(
            series, f"afterpost_model_{name}_total", purpose="recommendations", **labels
        )

    assert (total("calls", status="answered"), total("calls", status="refused")) == (1, 1)
    assert (total("tokens", direction="input"), total("tokens", direction="output")) == (1000, 200)
    assert total("cost_usd") == 0.0123


def test_the_share_of_verdicts_that_worked_is_a_fraction_and_a_percentage(tmp_path: Path):
    settings = publish_night_owls(tmp_path)
    with writing(settings, "test") as connection:
        connection.execute(
            "insert into stats.verdicts by name select i::varchar as recommendation_id, "
            "$account as account_name, 'tiktok' as platform, 'format' as dimension, "
            "'scripts' as segment, 'views_7d' as outcome, 'up' as direction, "
            "$now as registered_at, $now as horizon_at, "
            "['worked', 'worked', 'worked', 'did_not_work', 'cannot_tell'][i] as verdict, "
            "true as is_final, 'holdout' as evidence, 9 as n, 9 as control_n, "
            "1.1 as smallest_useful_ratio from range(1, 6) as numbers (i)",
            {"account": ACCOUNT, "now": NOW},
        )
    publish(settings, "v2")

    series = series_of(settings)

    assert value_of(series, "afterpost_verdict_accuracy_ratio") == 0.75
    assert value_of(series, "reflexion_accuracy") == 75
    assert value_of(series, "afterpost_verdicts_decided") == 4
    assert value_of(series, "afterpost_verdicts", account=ACCOUNT, verdict="cannot_tell") == 1
    assert value_of(series, "afterpost_published_info", warehouse_version="v1") == 1


def test_what_is_not_there_has_no_series(tmp_path: Path):
    names = {name for name, _ in series_of(Settings(home=tmp_path))}

    assert names == {"afterpost_info", "afterpost_source_up", "afterpost_disk_free_bytes"}
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"


def test_a_source_that_cannot_be_read_is_down_and_hides_no_other(tmp_path: Path):
    settings = publish_night_owls(tmp_path)
    (settings.dagster_dir / "history").mkdir(parents=True)
    (settings.dagster_dir / "history" / "runs.db").write_bytes(b"no database")

    series = series_of(settings)

    assert value_of(series, "afterpost_source_up", source="dagster") == 0
    assert value_of(series, "afterpost_source_up", source="published") == 1
    assert not [name for name, _ in series if name.startswith("afterpost_run")]
