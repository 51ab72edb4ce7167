"""A worker is killed with runs on it: each ends on the other, nothing is lost or paid twice."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from pydantic import SecretStr

from pipeline.accounts import Platform, load_account
from pipeline.clients.state_attempts import attempts_since
from pipeline.clock import utc_now
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_raw
from pipeline.collect.scrape import scrape
from pipeline.defs.batches import batch_of
from pipeline.defs.ghosts import PROCESS_TAG
from pipeline.defs.partitions import sync_accounts
from pipeline.measure.build import build_models, build_statistics
from pipeline.settings import Settings
from pipeline.simulate.apify_server import ActorAnswer, ApifyServer, ApiReply, ApiRequest
from tests.collect.samples import make_account, tiktok_row
from tests.end_to_end.fingerprints import mart_fingerprints, without_data_tests
from tests.faults.bench import TOKEN, Proceed, is_wait
from tests.scale.dagster_fleet import Fleet, fleet, wait_until
from tests.scale.postgres_server import postgres_is_installed, postgres_server
from tests.scale.rabbitmq_server import rabbitmq_is_installed, rabbitmq_server

LOG = logging.getLogger(__name__)
NAMES = tuple(f"night{number}" for number in range(8))
POSTS = 5
ACTOR = SOURCES[Platform.TIKTOK].actors[0]
_ENDS_WITHIN_S = 240.0

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        not (postgres_is_installed() and rabbitmq_is_installed()),
        reason="needs the Debian packages postgresql and rabbitmq-server",
    ),
]


class Profiles:
    """What the profiles say: the same at every scrape, and each run of a profile with a new id."""

    def __init__(self, scraped_at: datetime) -> None:
        self._scraped_at = scraped_at
        self._starts: Counter[str] = Counter()
        self._guard = threading.Lock()

    def __call__(self, _: str, run_input: dict[str, Any]) -> ActorAnswer:
        (handle,) = run_input["profiles"]
        number = NAMES.index(handle)
        with self._guard:
            self._starts[handle] += 1
            run_id = f"{handle}run{self._starts[handle]}"
        rows = [
            tiktok_row(100 * number + post, playCount=900 + 10 * post + number)
            for post in range(POSTS)
        ]
        for row in rows:
            row["authorMeta"] = {"id": str(number), "name": handle, "fans": 1200}
            row["webVideoUrl"] = f"https://www.tiktok.com/@{handle}/video/{row['id']}"
        return ActorAnswer(
            rows,
            utc_now(),
            self._scraped_at + timedelta(seconds=number),
            usage_total_usd=0.01,
            run_id=run_id,
        )


class InTheMiddle:
    """Holds every wait for a run until it is let go: all runs are paid for and none is over."""

    def __init__(self) -> None:
        self._go_on = threading.Event()

    def __call__(self, request: ApiRequest, proceed: Proceed) -> ApiReply:
        if is_wait(request):
            self._go_on.wait(300)
        return proceed()

    def let_go(self) -> None:
        self._go_on.set()


def make_home(home: Path, server: ApifyServer, **more: Any) -> Settings:
    settings = Settings(
        home=home, apify_token=SecretStr(TOKEN), apify_api_base_url=server.url, **more
    )
    for name in NAMES:
        make_account(settings, name, platform_profiles={"tiktok": name})
    return settings


@contextmanager
def workers_over(settings: Settings, folder: Path) -> Iterator[tuple[Fleet, Settings]]:
    """PostgreSQL, RabbitMQ, code server, daemon and two workers."""
    with postgres_server(folder) as postgres, rabbitmq_server(folder) as broker:
        variables = {
            "APIFY_TOKEN": TOKEN,
            "APIFY_API_BASE_URL": settings.apify_api_base_url,
            "AFTERPOST_STATE_URL": postgres.new_database(),
            "DAGSTER_POSTGRES_URL": postgres.new_database(),
            "CELERY_BROKER_URL": broker.url,
        }
        settings = settings.model_copy(update={"state_url": variables["AFTERPOST_STATE_URL"]})
        with fleet(folder / "fleet", settings.home, variables) as found:
            found.start("worker1")
            found.start("worker2")
            yield found, settings


def processes(instance: dg.DagsterInstance, ids: list[str]) -> dict[str, int]:
    """By run that has begun, the process that it began in."""
    found = {}
    for run_id in ids:
        run = instance.get_run_by_id(run_id)
        if run is not None and PROCESS_TAG in run.tags:
            found[run_id] = int(run.tags[PROCESS_TAG].rpartition(":")[2])
    return found


def families(instance: dg.DagsterInstance, ids: list[str]) -> dict[str, list[dg.DagsterRun]]:
    """By run, it and its repetitions, oldest first."""
    runs = sorted(instance.get_run_records(), key=lambda record: record.create_timestamp)
    return {
        run_id: [
            record.dagster_run
            for record in runs
            if run_id in (record.dagster_run.run_id, record.dagster_run.root_run_id)
        ]
        for run_id in ids
    }


def are_over(instance: dg.DagsterInstance, ids: list[str]) -> bool:
    return all(
        any(run.status is dg.DagsterRunStatus.SUCCESS for run in family)
        and all(run.is_finished for run in family)
        for family in families(instance, ids).values()
    )


def in_the_middle(settings: Settings) -> set[str]:
    """Accounts whose run is paid for, known by its id and not over."""
    return {
        row["account_name"]
        for row in attempts_since(settings)
        if row["run_id"] is not None and row["finished_at"] is None
    }


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.database_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.execute(query).fetchall()


def items(settings: Settings) -> list[tuple[Any, ...]]:
    """Everything that was loaded of what the platform said."""
    return rows(settings, "select * from raw.scrape_items order by all")


def in_one_process(settings: Settings) -> None:
    """The same scrapes and the same build, without Dagster and with the state in a file."""
    for name in NAMES:
        scrape(settings, load_account(settings.accounts_dir, name), Platform.TIKTOK, ACTOR)
    load_raw(settings)
    with without_data_tests():
        build_models(settings)
    build_statistics(settings)


@dataclass(frozen=True)
class Aftermath:
    """What is left when all is over."""

    settings: Settings
    plain: Settings
    """Another home, with the same scrapes and the same build in one process."""
    families: dict[str, list[dg.DagsterRun]]
    on_worker_1: tuple[str, ...]
    """The runs that were in the middle of a scrape on the worker that was killed."""
    on_worker_2: tuple[str, ...]
    last_processes: dict[str, int]
    worker_2: set[int]
    builds: tuple[dg.DagsterRun, ...]
    scraped: Counter[str]
    """Runs that the service was asked for, by account."""
    aborted: tuple[str, ...]
    told: str
    """What sensors said."""


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    folder = tmp_path_factory.mktemp("workers")
    clock = _Clock()
    scraped_at = utc_now().replace(microsecond=0)
    hold = InTheMiddle()
    with (
        ApifyServer(Profiles(scraped_at), token=TOKEN, intercept=hold) as apify,
        workers_over(make_home(folder / "home", apify), folder / "servers") as (found, settings),
        pytest.MonkeyPatch.context() as patch,
    ):
        clock.note("servers started")
        for name in ("DAGSTER_POSTGRES_URL", "CELERY_BROKER_URL"):
            patch.setenv(name, found.environment[name])
        with dg.DagsterInstance.from_config(str(settings.dagster_dir)) as instance:
            sync_accounts(instance, settings)
            ids = found.submit("daily", batch_of(instance, NAMES, 1, utc_now()))
            clock.note("runs queued")
            wait_until(lambda: len(in_the_middle(settings)) == 4, 180, "four runs are paid for")
            begun = processes(instance, ids)
            hands = found.pids("worker1"), found.pids("worker2")
            on_workers = [tuple(one for one in begun if begun[one] in pids) for pids in hands]
            clock.note("four runs are paid for")

            found.kill("worker1")
            hold.let_go()

            killed_at = utc_now().timestamp()
            wait_until(lambda: are_over(instance, ids), _ENDS_WITHIN_S, "all scrapes end")
            clock.note("scrapes over")
            builds = partial(instance.get_runs, dg.RunsFilter(job_name="after_scrapes"))
            wait_until(lambda: bool(builds()), _ENDS_WITHIN_S, "the build is asked for")
            wait_until(lambda: all(run.is_finished for run in builds()), _ENDS_WITHIN_S, "it ends")
            clock.note("build over")
            ends = families(instance, ids)
            for one in on_workers[0]:
                _log_times(instance, ends[one], killed_at)
                said = partial(found.has_said, "code_server", f"The run {one[:8]} of daily failed")
                wait_until(said, 60, "the sensor has looked at the failure")
            last = [family[-1].run_id for family in ends.values()]
            left = Aftermath(
                settings=settings,
                plain=settings.model_copy(update={"home": folder / "plain", "state_url": None}),
                families=ends,
                on_worker_1=on_workers[0],
                on_worker_2=on_workers[1],
                last_processes=processes(instance, last),
                worker_2=found.pids("worker2"),
                builds=tuple(builds()),
                scraped=Counter(start.run_input["profiles"][0] for start in apify.starts),
                aborted=tuple(apify.aborts),
                told=found.output("code_server"),
            )
    with ApifyServer(Profiles(scraped_at), token=TOKEN) as apify:
        in_one_process(make_home(left.plain.home, apify))
    clock.note("plain run over")
    return left


class _Clock:
    def __init__(self) -> None:
        self._began = time.monotonic()

    def note(self, what: str) -> None:
        LOG.info("%5.1f s: %s", time.monotonic() - self._began, what)


def _log_times(instance: dg.DagsterInstance, family: list[dg.DagsterRun], killed_at: float) -> None:
    first, second = (instance.get_run_record_by_id(run.run_id) for run in family)
    assert first is not None
    assert first.end_time is not None
    assert second is not None
    assert second.start_time is not None
    LOG.info(
        "noticed after %.1f s, repeated after %.1f s",
        first.end_time - killed_at,
        second.start_time - killed_at,
    )


def test_both_workers_were_in_the_middle_of_runs(aftermath: Aftermath) -> None:
    assert len(aftermath.on_worker_1) == len(aftermath.on_worker_2) == 2


def test_every_run_ends_on_the_other_worker(aftermath: Aftermath) -> None:
    for run_id, family in aftermath.families.items():
        is_lost = run_id in aftermath.on_worker_1
        assert len(family) == (2 if is_lost else 1)
        assert family[-1].status is dg.DagsterRunStatus.SUCCESS
        assert aftermath.last_processes[family[-1].run_id] in aftermath.worker_2


def test_one_build_follows_the_last_scrape(aftermath: Aftermath) -> None:
    assert [run.status for run in aftermath.builds] == [dg.DagsterRunStatus.SUCCESS]


def test_nobody_is_alerted_for_a_run_that_is_repeated(aftermath: Aftermath) -> None:
    for run_id in aftermath.on_worker_1:
        assert f"The run {run_id[:8]} of daily failed and is repeated." in aftermath.told
    assert "What to do" not in aftermath.told


def test_no_scrape_is_paid_twice(aftermath: Aftermath) -> None:
    assert aftermath.scraped == Counter(NAMES)
    assert aftermath.aborted == ()


def test_the_ledger_has_one_finished_row_for_each_scrape(aftermath: Aftermath) -> None:
    ledger = rows(
        aftermath.settings,
        "select account_name, run_id, outcome, finished_at is not null "
        "from raw.state_scrape_attempts order by all",
    )
    assert ledger == [(name, f"{name}run1", "new_posts", True) for name in NAMES]


def test_no_snapshot_is_lost_or_doubled(aftermath: Aftermath) -> None:
    (count,) = rows(aftermath.settings, "select count(*) from marts.fct_snapshot")
    assert count == (len(NAMES) * POSTS,)
    assert len(items(aftermath.settings)) == len(NAMES) * POSTS
    assert items(aftermath.settings) == items(aftermath.plain)


def test_the_marts_are_those_of_a_plain_run(aftermath: Aftermath) -> None:
    assert mart_fingerprints(aftermath.settings.database_path) == mart_fingerprints(
        aftermath.plain.database_path
    )
