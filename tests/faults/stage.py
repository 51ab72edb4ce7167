"""All scenarios, each under an account of its own in one home, then one load and one build."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from pipeline.clients.state_attempts import attempts_since, update_attempt
from pipeline.clock import utc_now
from pipeline.collect.landing import Manifest, manifests
from pipeline.collect.platform_interface import Actor
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_raw
from pipeline.errors import AfterpostError
from pipeline.measure.build import build_models
from pipeline.simulate.apify_server import ApiReply, ApiRequest
from tests.collect.samples import make_account
from tests.faults.bench import Bench, Proceed, open_bench
from tests.faults.scenarios import FAULT, GOOD, NEXT, Break, Row, Scenario

_NAME = "quietnights"
"""The profile's name in the tables' rows."""
_LONGEST_HANG_S = 30.0
_DAY = timedelta(days=1)
_RUN = timedelta(seconds=1)
_AFTER = {FAULT: timedelta(seconds=1), NEXT: timedelta(seconds=6)}
"""When the runs begin, after the scrape: each has a second of its own."""


@dataclass(frozen=True)
class Step:
    """What one scrape said and wrote."""

    told: str
    error: AfterpostError | None
    attempt: Mapping[str, Any]
    """The ledger's newest row right after it."""
    manifest: Manifest | None
    """What it landed of its own run."""
    run_ids: tuple[str, ...]
    """Runs that were begun."""
    requests: tuple[ApiRequest, ...]
    aborts: tuple[str, ...]
    took_s: float


@dataclass
class Performance:
    """One scenario as it went."""

    scenario: Scenario
    account_name: str
    handle: str
    steps: dict[str, Step] = field(default_factory=dict)
    ended_at: dict[datetime, str] = field(default_factory=dict)
    """Which scrape's run ended at a moment, by the server's clock."""
    unbroken: list[Break] = field(default_factory=list)
    """Breaks that no request met: the scenario would show nothing."""
    crash: Exception | None = None
    """What was raised that is no error of ours."""

    @property
    def fault(self) -> Step:
        """The scrape that met the fault."""
        if self.crash:
            raise self.crash
        return self.steps[FAULT]


@dataclass
class Stage:
    """What all scenarios left."""

    performances: dict[str, Performance]
    warehouse: duckdb.DuckDBPyConnection
    url: str

    def rows(self, sql: str, one: Performance) -> list[tuple]:
        """Rows of a query with the account's name as its one parameter."""
        return self.warehouse.execute(sql, [one.account_name]).fetchall()


class _Breaking:
    """The breaks of one scrape, standing before the server."""

    def __init__(self, breaks: Sequence[Break], handle: str) -> None:
        self._breaks = breaks
        self._handle = handle.encode()
        self.hits = [0] * len(breaks)
        self._is_over = threading.Event()

    def __call__(self, request: ApiRequest, proceed: Proceed) -> ApiReply:
        for number, one in enumerate(self._breaks):
            if not one.where(request) or self.hits[number] == one.times:
                continue
            self.hits[number] += 1
            if one.is_carried_out:
                proceed()
            if one.hangs:
                self._is_over.wait(_LONGEST_HANG_S)
            reply = one.reply(request, proceed) if callable(one.reply) else one.reply
            return replace(reply, body=reply.body.replace(_NAME.encode(), self._handle))
        return proceed()

    def let_go(self) -> None:
        """End what hangs."""
        self._is_over.set()


@contextmanager
def perform(home: Path, scenarios: Sequence[Scenario]) -> Iterator[Stage]:
    """Play all scenarios one after the other, then load and build once."""
    with open_bench(home) as bench:
        plain = bench.settings
        performances: dict[str, Performance] = {}
        for number, scenario in enumerate(scenarios):
            one = Performance(scenario, scenario.name, f"night{number:03d}")
            performances[scenario.name] = one
            try:
                _play(bench, one)
            except Exception as error:  # told by the scenario's own test
                one.crash = error
            bench.settings = plain
        bench.server.intercept = None
        load_raw(plain)
        build_models(plain)
        with duckdb.connect(str(plain.database_path), read_only=True) as warehouse:
            yield Stage(performances, warehouse, bench.server.url)


def _play(bench: Bench, one: Performance) -> None:
    scenario = one.scenario
    bench.account = make_account(
        bench.settings,
        one.account_name,
        platform_profiles={scenario.platform.value: scenario.handle_form.format(one.handle)},
    )
    began_at = utc_now() - timedelta(hours=scenario.hours_ago)
    if scenario.good_rows:
        _answer(bench, one, GOOD, scenario.good_rows, began_at - _DAY)
        one.steps[GOOD] = _scrape(bench, one, ())
    _answer(bench, one, FAULT, scenario.rows, began_at + _AFTER[FAULT], **scenario.run)
    changes: dict[str, Any] = {"apify_deadline_s": scenario.deadline_s}
    if scenario.url:
        changes["apify_api_base_url"] = scenario.url
    plain = bench.settings
    bench.settings = plain.model_copy(update=changes)
    one.steps[FAULT] = fault = _scrape(bench, one, scenario.breaks)
    bench.settings = plain
    if scenario.next is None:
        return
    if scenario.hours_ago:
        for step, intended_at in ((fault, began_at), (one.steps[GOOD], began_at - _DAY)):
            update_attempt(plain, step.attempt["attempt_id"], {"intended_at": intended_at})
    _answer(bench, one, NEXT, scenario.next.rows, utc_now() + _AFTER[NEXT])
    one.steps[NEXT] = _scrape(bench, one, scenario.next.breaks)


def _answer(
    bench: Bench, one: Performance, when: str, rows: Sequence[Row], at: datetime, **run: Any
) -> None:
    """Have the server answer with rows of this scenario's profile, in a run begun at ``at``."""
    text = json.dumps(rows)
    for name in (_NAME, "QuietNights"):
        text = text.replace(name, one.handle)
    times = {"started_at": at, "finished_at": at + _RUN, **run}
    one.ended_at[(times["finished_at"] or at).replace(microsecond=0)] = when
    bench.says(json.loads(text), **times)


def _scrape(bench: Bench, one: Performance, breaks: Sequence[Break]) -> Step:
    scenario, server = one.scenario, bench.server
    breaking = _Breaking(breaks, one.handle)
    server.intercept = breaking
    starts, requests, aborts = len(server.starts), len(server.requests), len(server.aborts)
    landed = {manifest.scrape_id for manifest in _landed(bench, scenario)}
    before = time.monotonic()
    error: AfterpostError | None = None
    try:
        told = bench.scrape(_actor(bench, scenario), scenario.platform).line
    except AfterpostError as caught:
        told, error = str(caught), caught
    took_s = time.monotonic() - before
    breaking.let_go()
    one.unbroken += [
        one_break for one_break, hits in zip(breaks, breaking.hits, strict=True) if not hits
    ]
    new = [manifest for manifest in _landed(bench, scenario) if manifest.scrape_id not in landed]
    return Step(
        told=told,
        error=error,
        attempt=attempts_since(bench.settings, one.account_name)[-1],
        manifest=new[-1] if new else None,
        run_ids=tuple(start.run_id for start in server.starts[starts:]),
        requests=tuple(server.requests[requests:]),
        aborts=tuple(server.aborts[aborts:]),
        took_s=took_s,
    )


def _landed(bench: Bench, scenario: Scenario) -> list[Manifest]:
    return manifests(bench.settings, scenario.platform, bench.account.name)


def _actor(bench: Bench, scenario: Scenario) -> Actor:
    """The actor that is asked about the scenario's profile."""
    handle = bench.account.platform_profiles[scenario.platform]
    return next(
        actor
        for actor in SOURCES[scenario.platform].actors
        if actor.kind is scenario.kind and actor.is_used(bench.settings, bench.account, handle)
    )
