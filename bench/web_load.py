"""How the web server does while many read and write and a build runs: `make bench-web`.

A simulated home is built once. Then one process builds and publishes it again and again, one
serves it, and this one is the clients: each asks, waits a moment, asks again. Of ten requests six
read insights, one reads a plan, two tick an item off or open it again, one changes a plan's notes
from the version that it has just read. ``/healthz`` is asked under the same load, for what an
answer takes that does nothing. Prints the figures beside their lines and writes
``bench/results/web_load.json``.

An update is lost when a note that was answered with 200 is not in the plan at the end.
"""

import argparse
import asyncio
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from pipeline.clients.warehouse import published_version
from pipeline.collect.raw import load_raw
from pipeline.measure.build import build_models, build_statistics, publish_build
from pipeline.settings import Settings
from tests.end_to_end.small_world import landed_home

RESULTS = Path(__file__).parent / "results"
ACCOUNT = "dreamtimelullabies"
API = "/api/v1"
MOST_READ_P95_S = 0.150
READS = (
    f"{API}/insights/dashboard?time_period=30d",
    f"{API}/insights/dashboard?time_period=90d&account={ACCOUNT}",
    f"{API}/insights/content?limit=50",
    f"{API}/insights/content?platform=tiktok&order=best&limit=20",
    f"{API}/insights/themes",
    f"{API}/insights/platforms",
)
_PYTHON = sys.executable


@dataclass
class Seen:
    """What the clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    versions: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    """Those that were answered with 200."""

    def p(self, kind: str, share: float) -> float:
        """A quantile of the times of one kind."""
        ordered = sorted(self.seconds.get(kind, [0.0]))
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def _asked(
    client: httpx2.AsyncClient, seen: Seen, kind: str, method: str, url: str, **more: Any
) -> httpx2.Response:
    started = time.perf_counter()
    answer = await client.request(method, url, **more)
    seen.seconds.setdefault(kind, []).append(time.perf_counter() - started)
    seen.statuses[answer.status_code] += 1
    return answer


async def _note(client: httpx2.AsyncClient, seen: Seen, url: str, word: str) -> None:
    for _ in range(50):
        plan = (await _asked(client, seen, "read", "GET", url)).json()
        body = {"version": plan["version"], "notes": f"{plan['notes'] or ''} {word}"[-7_000:]}
        answer = await _asked(client, seen, "write", "PATCH", url, json=body)
        if answer.status_code == 200:
            seen.notes.append(word)
            return


async def _client(
    base: str, seen: Seen, plans: list[dict[str, Any]], number: int, ends: float, wait_s: float
) -> None:
    rng = random.Random(number)
    async with httpx2.AsyncClient(base_url=base, timeout=30) as client:
        await asyncio.sleep(rng.random() * wait_s)
        count = 0
        while time.monotonic() < ends:
            plan = rng.choice(plans)
            draw = rng.random()
            if draw < 0.6:
                answer = await _asked(client, seen, "read", "GET", rng.choice(READS))
                if answer.status_code == 200:
                    seen.versions.add(answer.json()["meta"]["warehouse_version"])
            elif draw < 0.7:
                await _asked(client, seen, "read", "GET", f"{API}/action-plans/{plan['id']}")
            elif draw < 0.9:
                item = rng.choice(plan["items"])["id"]
                word = rng.choice(("complete", "uncomplete"))
                url = f"{API}/action-items/{item}/{word}"
                await _asked(client, seen, "write", "PATCH", url)
            else:
                count += 1
                await _note(client, seen, f"{API}/action-plans/{plan['id']}", f"n{number}.{count}")
            await _asked(client, seen, "healthz", "GET", "/healthz")
            await asyncio.sleep(wait_s * (0.5 + rng.random()))


async def _load(base: str, clients: int, seconds: float, wait_s: float) -> tuple[Seen, list[str]]:
    seen = Seen()
    async with httpx2.AsyncClient(base_url=base, timeout=30) as client:
        plans = []
        for number in range(10):
            body = {
                "account": ACCOUNT,
                "name": f"plan {number}",
                "items": [{"title": f"step {place}"} for place in range(8)],
            }
            plans.append((await client.post(f"{API}/action-plans", json=body)).json())
        ends = time.monotonic() + seconds
        await asyncio.gather(
            *(_client(base, seen, plans, number, ends, wait_s) for number in range(clients))
        )
        kept: list[str] = []
        for plan in plans:
            told = (await client.get(f"{API}/action-plans/{plan['id']}")).json()
            kept += (told["notes"] or "").split()
    return seen, kept


def _wait_for(base: str) -> None:
    for _ in range(600):
        try:
            if httpx2.get(f"{base}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def _built(home: Path) -> Settings:
    settings = landed_home(home)
    load_raw(settings)
    build_models(settings)
    build_statistics(settings)
    publish_build(settings)
    return settings


def _build_again_and_again(home: Path) -> None:
    settings = Settings(home=home, lock_timeout_s=60)
    while True:
        build_models(settings)
        build_statistics(settings)
        publish_build(settings)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--wait", type=float, default=1.0, help="Mean pause of a client, seconds.")
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--home", type=Path, help="A built home; a simulated one when left out.")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.build:
        _build_again_and_again(asked.build)
        return
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder) / "home"
        settings = Settings(home=home) if asked.home else _built(home)
        base = f"http://127.0.0.1:{asked.port}"
        environment = {"AFTERPOST_HOME": str(home), "PATH": "/usr/bin:/bin"}
        serve = ["-m", "pipeline.show.cli.main", "web", "--port", str(asked.port)]
        build = ["-m", "bench.web_load", "--build", str(home)]
        before = published_version(settings)
        processes = [
            subprocess.Popen([_PYTHON, *words], env=environment, stdout=subprocess.DEVNULL)
            for words in (serve, build)
        ]
        try:
            _wait_for(base)
            seen, kept = asyncio.run(_load(base, asked.clients, asked.seconds, asked.wait))
        finally:
            for process in processes:
                process.terminate()
                process.wait()
    _show(asked, seen, kept, before)


def _show(asked: argparse.Namespace, seen: Seen, kept: list[str], before: str) -> None:
    lost = sorted(set(seen.notes) - set(kept))
    broken = sum(count for status, count in seen.statuses.items() if status >= 500)
    total = sum(len(times) for times in seen.seconds.values())
    print(
        f"{asked.clients} clients, {asked.seconds:.0f} s, {total / asked.seconds:.0f} requests/s, "
        f"mean pause {asked.wait:g} s, a build running all the time"
    )
    for kind in ("read", "write", "healthz"):
        print(
            f"  {kind:<8} n {len(seen.seconds.get(kind, [])):>6}   "
            f"median {1e3 * seen.p(kind, 0.5):6.1f} ms   p95 {1e3 * seen.p(kind, 0.95):6.1f} ms"
        )
    line = "ok" if seen.p("read", 0.95) < MOST_READ_P95_S else "MISSED"
    print(f"  p95 of reads under {1e3 * MOST_READ_P95_S:.0f} ms: {line}")
    print(f"  answers of 500 and more: {broken}; statuses {dict(sorted(seen.statuses.items()))}")
    print(f"  lost updates: {len(lost)} of {len(seen.notes)}")
    print(f"  versions that readers saw: {len(seen.versions)}")
    RESULTS.mkdir(exist_ok=True)
    result = {
        "python": platform.python_version(),
        "clients": asked.clients,
        "seconds": asked.seconds,
        "pause_s": asked.wait,
        "requests_per_s": total / asked.seconds,
        "first_version": before,
        "versions_seen": len(seen.versions),
        "lost_updates": len(lost),
        "answers_over_500": broken,
        **{
            f"{kind}_{name}_s": seen.p(kind, share)
            for kind in ("read", "write", "healthz")
            for name, share in (("p50", 0.5), ("p95", 0.95))
        },
    }
    (RESULTS / "web_load.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
