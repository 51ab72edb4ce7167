"""One profile, one local Apify that can be broken in every way, and what is left afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
from pydantic import SecretStr

from pipeline.accounts import AccountConfig, Platform
from pipeline.clients.state import reading_state
from pipeline.clients.state_attempts import attempts_since
from pipeline.clock import utc_now
from pipeline.collect.landing import manifest_files, read_manifest
from pipeline.collect.outcomes import RunOutcome
from pipeline.collect.platform_interface import Actor
from pipeline.collect.platform_registry import SOURCES
from pipeline.collect.raw import load_raw
from pipeline.collect.scrape import scrape
from pipeline.collect.scrape_report import ScrapeReport
from pipeline.errors import AfterpostError, Retry
from pipeline.settings import Settings
from pipeline.simulate.apify_server import ActorAnswer, ApifyServer, ApiReply, ApiRequest
from tests.collect.samples import make_account, tiktok_row

TOKEN = "apify_api_PLANTEDplanted0123"
POSTS = SOURCES[Platform.TIKTOK].actors[0]
Proceed = Callable[[], ApiReply]


def is_start(request: ApiRequest) -> bool:
    return request.method == "POST" and request.path.endswith("/runs")


def is_wait(request: ApiRequest) -> bool:
    return request.method == "GET" and request.path.startswith("/actor-runs/")


def is_items(request: ApiRequest) -> bool:
    return request.path.endswith("/items")


def is_count(request: ApiRequest) -> bool:
    return request.path.startswith("/datasets/") and not is_items(request)


def is_search(request: ApiRequest) -> bool:
    return request.method == "GET" and request.path.endswith("/runs")


def is_input(request: ApiRequest) -> bool:
    return request.path.endswith("/records/INPUT")


def is_abort(request: ApiRequest) -> bool:
    return request.path.endswith("/abort")


def replying(
    where: Callable[[ApiRequest], bool], *replies: ApiReply, is_carried_out: bool = False
) -> Callable[[ApiRequest, Proceed], ApiReply]:
    """Give the replies in turn, the last for ever, to the requests of one kind.

    Args:
        where: Which requests.
        replies: What they get.
        is_carried_out: Whether the request takes effect all the same.
    """
    left = list(replies)

    def intercept(request: ApiRequest, proceed: Proceed) -> ApiReply:
        if not where(request):
            return proceed()
        if is_carried_out:
            proceed()
        return left.pop(0) if len(left) > 1 else left[0]

    return intercept


def posts(count: int = 3) -> list[dict[str, Any]]:
    return [tiktok_row(number) for number in range(count)]


@dataclass(frozen=True)
class Expected:
    """What must be there after a scrape that went in some way."""

    outcome: RunOutcome
    retry: Retry | None = None
    """None: no error."""
    words: tuple[str, ...] = ()
    """In the message of the error, or of the ledger."""
    scrapes: int = 0
    items: int = 0
    rejected: int = 0
    starts: int = 1
    is_open: bool = False
    """Whether the ledger waits for the run: the next scrape takes it up."""
    cost_usd: str | None = None


@dataclass
class Bench:
    """A home with one account, and the server that it scrapes."""

    settings: Settings
    server: ApifyServer
    account: AccountConfig
    answer: dict[str, Any] = field(default_factory=dict)

    def scrape(self, actor: Actor = POSTS, platform: Platform = Platform.TIKTOK) -> ScrapeReport:
        return scrape(self.settings, self.account, platform, actor)

    def attempts(self) -> list[dict[str, Any]]:
        return attempts_since(self.settings)

    def says(self, items: list[Any], **changes: Any) -> None:
        self.answer = {"items": items, **changes}

    def set_deadline(self, seconds: float) -> None:
        self.settings = self.settings.model_copy(update={"apify_deadline_s": seconds})

    def check(
        self, expected: Expected, actor: Actor = POSTS, platform: Platform = Platform.TIKTOK
    ) -> str:
        """Scrape once, and compare all that is left with what is expected; the message."""
        starts, landed = len(self.server.starts), len(list(manifest_files(self.settings)))
        error: AfterpostError | None = None
        report: ScrapeReport | None = None
        try:
            report = self.scrape(actor, platform)
        except AfterpostError as caught:
            error = caught
        told = str(error) if error else (report.line if report else "")
        assert (error.retry if error else None) == expected.retry, told
        assert "\n" not in told
        assert TOKEN not in told
        attempt = self.attempts()[-1]
        assert attempt["outcome"] == expected.outcome.value, told
        assert (attempt["finished_at"] is None) == expected.is_open, told
        if expected.cost_usd is not None:
            assert attempt["cost_usd"] == expected.cost_usd
        if error:
            assert attempt["message"] == told
        for words in expected.words:
            assert words in told, told
        assert len(self.server.starts) - starts == expected.starts
        manifests = [read_manifest(path) for path in manifest_files(self.settings)]
        assert len(manifests) - landed == expected.scrapes
        if expected.scrapes:
            newest = next(one for one in manifests if one.scrape_id == attempt["scrape_id"])
            assert newest.run_outcome is expected.outcome
        load_raw(self.settings)
        found = self.raw()
        assert found == {
            "scrapes": len(manifests),
            "scrape_items": expected.items,
            "rejected_items": expected.rejected,
            "state_scrape_attempts": len(self.attempts()),
        }
        return told

    def raw(self) -> dict[str, int]:
        """Rows of the raw tables."""
        with duckdb.connect(str(self.settings.database_path), read_only=True) as connection:
            return {
                table: connection.execute(f"select count(*) from raw.{table}").fetchall()[0][0]
                for table in (
                    "scrapes",
                    "scrape_items",
                    "rejected_items",
                    "state_scrape_attempts",
                )
            }


@contextmanager
def open_bench(home: Path, *, has_state: bool = True, **account: Any) -> Iterator[Bench]:
    """A bench whose server answers with three posts until it is told otherwise."""
    bench: Bench

    def answer(actor_id: str, run_input: dict[str, Any]) -> ActorAnswer:
        now = utc_now()
        values = {
            "items": posts(),
            "started_at": now,
            "finished_at": now + timedelta(seconds=1),
            "usage_total_usd": 0.0105,
        }
        return ActorAnswer(**{**values, **bench.answer})

    with ApifyServer(answer) as server:
        settings = Settings(
            home=home,
            apify_token=SecretStr(TOKEN),
            apify_api_base_url=server.url,
            apify_deadline_s=8.0,
            apify_first_retry_s=0.01,
            lock_timeout_s=10.0,
        )
        bench = Bench(settings, server, make_account(settings, **account))
        if has_state:
            with reading_state(settings):
                pass
        yield bench
