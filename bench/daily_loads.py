"""What one more day of scrapes costs the raw load, after histories of several lengths.

Each account has a listing of its newest posts, scraped once a day; every day it has a new post that
was planned, and now and then a caption is edited. The history is loaded at once, then some more
days one by one, each in a process of its own. Seconds are CPU seconds of that process.
"""

import argparse
import hashlib
import json
import platform
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml
import zstandard

from pipeline.accounts import Platform
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Answer,
    Outcome,
    ScrapedAtSource,
    Source,
    SourceKind,
    rows_path,
    weigh,
)
from pipeline.collect.raw import load_raw
from pipeline.settings import Settings

RESULTS = Path(__file__).parent / "results"
SEED = 20260902
START = datetime(2025, 1, 1, 6, tzinfo=UTC)
FIRST_ID = 7_412_345_678_901_234_567
DAY_S = 86_400
_words = random.Random(SEED)
WORDS = [
    "".join(_words.choices("abcdefghijklmnopqrstuvwxyz", k=_words.randint(2, 9)))
    for _ in range(4_000)
]
LISTS = {
    key: [{"name": f"{key}_{number}", "keywords": WORDS[place + 5 * number :][:5]}
          for number in range(4)]
    for place, key in ((0, "content_pillars"), (100, "formats"), (200, "topics"), (300, "cta"))
}  # fmt: skip


def caption(account: str, number: int, edits: int = 0) -> str:
    """The caption of an account's post, the same whenever it is asked for."""
    chance = random.Random(f"{account} {number} {edits}")
    hook, text = (" ".join(chance.choices(WORDS, k=count)) for count in (9, 22))
    return f"{hook} 😀\n\n{text} #sleep"


def configure(home: Path, accounts: int) -> list[str]:
    """Write the account files; their names."""
    names = [f"account_{number:03}" for number in range(accounts)]
    for name in names:
        folder = home / "accounts" / name
        folder.mkdir(parents=True)
        document = {"name": name, "platform_profiles": {"tiktok": name}, **LISTS}
        (folder / "account.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return names


def land_day(settings: Settings, name: str, day: int, posts: int) -> None:
    """Land what the account's listing shows on one day, and write the plan of its newest post."""
    lines = b"".join(_lines(name, day, posts))
    answer = Answer(
        platform=Platform.TIKTOK,
        account_name=name,
        handle=name,
        source=Source.IMPORT,
        source_kind=SourceKind.EXPORT,
        rows=[],
        scraped_at=START + timedelta(days=day, hours=12),
        scraped_at_source=ScrapedAtSource.GIVEN,
    )
    manifest = weigh(answer).manifest.model_copy(
        update={
            "outcome": Outcome.ITEMS,
            "items_got": posts,
            "post_count": posts,
            "post_ids": tuple(str(FIRST_ID + day + number) for number in range(posts)),
            "items_sha256": hashlib.sha256(lines).hexdigest(),
        }
    )
    path = rows_path(settings, manifest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.ZstdCompressor().compress(lines))
    document = manifest.model_dump_json(indent=1)
    path.with_name(manifest.scrape_id + MANIFEST_SUFFIX).write_text(document, encoding="utf-8")
    newest = day + posts - 1
    folder = settings.accounts_dir / name / "output" / f"plan_{newest:05}"
    folder.mkdir(parents=True)
    meta = {"caption": caption(name, newest), "published_at": _moment(day).isoformat()}
    (folder / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


def _moment(day: int) -> datetime:
    return START + timedelta(days=day)


def _lines(name: str, day: int, posts: int) -> Iterator[bytes]:
    for number in range(day, day + posts):
        edits = 1 if number % 10 == 3 and day >= number else 0
        moment = _moment(number - posts + 1)
        post_id = str(FIRST_ID + number)
        row = {
            "id": post_id,
            "text": caption(name, number, edits),
            "createTime": int(moment.timestamp()),
            "createTimeISO": moment.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "authorMeta": {"id": "71", "name": name, "fans": 1200 + day, "verified": False},
            "videoMeta": {"height": 1024, "width": 576, "duration": 31},
            "webVideoUrl": f"https://www.tiktok.com/@{name}/video/{post_id}",
            "diggCount": 40 + day, "shareCount": 3 + day, "playCount": 900 + 17 * day,
            "collectCount": 12, "commentCount": 5, "hashtags": [{"id": "1", "name": "sleep"}],
        }  # fmt: skip
        yield json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def measured(home: Path) -> dict[str, Any]:
    """One load in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.daily_loads", "--measure", str(home)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _measure(home: Path) -> None:
    started, before = time.perf_counter(), time.process_time()
    report = load_raw(Settings(home=home))
    print(
        json.dumps(
            {
                "wall_s": time.perf_counter() - started,
                "cpu_s": time.process_time() - before,
                "items": report.items_loaded,
                "matches": report.match_count,
                "labels": report.label_count,
                "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def one_history(accounts: int, posts: int, days: int, more: int) -> dict[str, Any]:
    """Load a history, then some more days; the figures of the middle one of these."""
    home = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    try:
        settings = Settings(home=home)
        names = configure(home, accounts)
        for name in names:
            for day in range(days):
                land_day(settings, name, day, posts)
        history = measured(home)
        loads = []
        for day in range(days, days + more):
            for name in names:
                land_day(settings, name, day, posts)
            loads.append(measured(home))
        middle = sorted(loads, key=lambda load: load["cpu_s"])[len(loads) // 2]
        return {"days": days, "history": history, "one_day": middle}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    """Measure, print a table and write ``bench/results/daily_loads.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=4)
    parser.add_argument("--posts", type=int, default=200, help="posts of each listing")
    parser.add_argument("--days", type=int, nargs="+", default=[30, 90, 365])
    parser.add_argument("--more", type=int, default=3, help="days that are loaded one by one")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        _measure(asked.measure)
        return
    print(f"{asked.accounts} accounts, {asked.posts} posts each")
    print(f"{'history':>10}{'its load, CPU s':>18}{'one day, CPU s':>18}{'wall s':>10}{'items':>9}"
          f"{'peak MiB':>10}")  # fmt: skip
    found = []
    for days in asked.days:
        one = one_history(asked.accounts, asked.posts, days, asked.more)
        found.append(one)
        print(f"{days:>10}{one['history']['cpu_s']:>18.2f}{one['one_day']['cpu_s']:>18.2f}"
              f"{one['one_day']['wall_s']:>10.2f}{one['one_day']['items']:>9,}"
              f"{one['history']['peak_mib']:>10,.0f}", flush=True)  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    figures = {
        "accounts": asked.accounts,
        "posts": asked.posts,
        "seed": SEED,
        "versions": {"duckdb": duckdb.__version__, "python": platform.python_version()},
        "histories": found,
    }
    (RESULTS / "daily_loads.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
