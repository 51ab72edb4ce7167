"""A day's scrapes in several runs, and one build when the last is over."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from pipeline.accounts import add_account
from pipeline.definitions import build_defs
from pipeline.defs.batches import BATCH_TAG, build_after
from pipeline.defs.partitions import (
    ACCOUNTS_TAG,
    RANGE_END,
    RANGE_START,
    accounts_tags,
    sync_accounts,
    tagged_accounts,
)
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, load_settings

NAMES = ("anna", "berta", "clara", "dora", "emma")
WAITING = {"dagster/will_retry": "true"}
_run_ids = (f"00000000-0000-4000-8000-{number:012d}" for number in itertools.count())


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_defs()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings = Settings(home=tmp_path)
    for name in NAMES:
        add_account(settings.accounts_dir, name, timezone="UTC", platform_profiles={"tiktok": name})
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))
    return settings


@pytest.fixture
def instance(home: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp() as found:
        sync_accounts(found, home)
        yield found


def tick(definitions: dg.Definitions, instance: dg.DagsterInstance) -> object:
    with dg.build_schedule_context(
        instance=instance,
        repository_def=definitions.get_repository_def(),
        scheduled_execution_time=datetime(2026, 3, 9, 12, tzinfo=UTC),
    ) as context:
        return definitions.resolve_schedule_def("scrape_and_build_daily")(context)


def a_run(instance: dg.DagsterInstance, names: str, status: str, **tags: str) -> dg.DagsterRun:
    run = dg.DagsterRun(
        job_name="daily",
        run_id=next(_run_ids),
        status=dg.DagsterRunStatus(status),
        tags={BATCH_TAG: "today", ACCOUNTS_TAG: names, **tags},
    )
    instance.run_storage.add_run(run)
    return run


def test_a_day_is_shared_out_over_runs_that_scrape_and_do_nothing_else(
    definitions: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERPOST_ACCOUNTS_PER_RUN", "2")
    requests = tick(definitions, instance)

    assert isinstance(requests, list)
    assert [one.tags[ACCOUNTS_TAG] for one in requests] == ["anna,berta", "clara,dora", "emma"]
    assert [(one.tags[RANGE_START], one.tags[RANGE_END]) for one in requests] == [
        ("anna", "berta"),
        ("clara", "dora"),
        ("emma", "emma"),
    ]
    assert len({one.run_key for one in requests}) == 3
    assert len({one.tags[BATCH_TAG] for one in requests}) == 1
    for one in requests:
        assert {key.path[0] for key in one.asset_selection} == {"landing"}


def test_few_accounts_stay_one_run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AFTERPOST_ACCOUNTS_PER_RUN", "5")
    request = tick(definitions, instance)

    assert isinstance(request, dg.RunRequest)
    assert request.asset_selection is None
    assert BATCH_TAG not in request.tags


def test_what_follows_the_scrapes_is_the_daily_run_without_them(
    definitions: dg.Definitions,
) -> None:
    def keys(job: str) -> set[dg.AssetKey]:
        return set(definitions.resolve_job_def(job).asset_layer.executable_asset_keys)

    scrapes = {key for key in keys("daily") if key.path[0] == "landing"}
    assert scrapes
    assert keys("after_scrapes") == keys("daily") - scrapes


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING", "STARTED"])
def test_the_build_waits_for_the_other_runs(instance: dg.DagsterInstance, status: str) -> None:
    a_run(instance, "anna", status)
    ended = a_run(instance, "berta", "SUCCESS")
    assert isinstance(build_after(instance, ended), dg.SkipReason)


def test_the_build_waits_for_a_run_that_is_about_to_be_repeated(
    instance: dg.DagsterInstance,
) -> None:
    lost = a_run(instance, "anna", "FAILURE", **WAITING)
    ended = a_run(instance, "berta", "SUCCESS")
    assert isinstance(build_after(instance, ended), dg.SkipReason)
    assert isinstance(build_after(instance, lost), dg.SkipReason)

    again = a_run(instance, "anna", "SUCCESS", **{"dagster/parent_run_id": lost.run_id})
    instance.add_run_tags(lost.run_id, {"dagster/auto_retry_run_id": again.run_id})
    assert isinstance(build_after(instance, again), dg.RunRequest)


@pytest.mark.parametrize("status", ["SUCCESS", "FAILURE", "CANCELED"])
def test_the_last_run_asks_for_one_build_of_all_accounts(
    instance: dg.DagsterInstance, status: str
) -> None:
    first, last = a_run(instance, "berta,clara", "FAILURE"), a_run(instance, "emma", status)
    request = build_after(instance, last)

    assert isinstance(request, dg.RunRequest)
    assert request.run_key == "today"
    assert request.tags[ACCOUNTS_TAG] == "berta,clara,emma"
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == ("berta", "emma")
    assert BATCH_TAG not in request.tags

    build = dg.DagsterRun(job_name="after_scrapes", run_id=next(_run_ids), tags=request.tags)
    instance.run_storage.add_run(build)
    assert isinstance(build_after(instance, first), dg.SkipReason)


def test_a_run_of_no_batch_asks_for_nothing(instance: dg.DagsterInstance) -> None:
    run = dg.DagsterRun(job_name="daily", run_id=next(_run_ids))
    assert isinstance(build_after(instance, run), dg.SkipReason)


@pytest.mark.parametrize("text", ["0", "-1", "many"])
def test_a_number_of_accounts_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"AFTERPOST_ACCOUNTS_PER_RUN is .*set it to one"):
        load_settings({"AFTERPOST_ACCOUNTS_PER_RUN": text})


def test_the_names_of_many_accounts_come_back_from_tags_that_postgresql_takes() -> None:
    names = [f"account_{number:05d}" for number in range(1_000)]

    tags = accounts_tags(names)

    assert tagged_accounts(tags) == names
    assert max(len(text.encode()) for text in tags.values()) <= 2_000
    assert len(tags) > 5
    assert tagged_accounts(accounts_tags(["one"])) == ["one"]
    assert tagged_accounts({}) is None
