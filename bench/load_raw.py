"""How fast, and in how much memory, a landed answer gets into the raw tables.

The yardstick is DuckDB alone: ``read_json`` over the very same landing file, each key that the
models use as a column of text, written into a table of a database file. Ours is measured from the
landing file to the raw tables, and as the whole of what a load does, labels by the account's rules
included. Every measurement runs in a process of its own; speeds are medians.
"""

import argparse
import hashlib
import json
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import yaml
import zstandard

from pipeline.accounts import Platform, add_account, load_account
from pipeline.atomic_files import write_atomically
from pipeline.collect.landing import (
    MANIFEST_SUFFIX,
    Answer,
    Manifest,
    ScrapedAtSource,
    Source,
    SourceKind,
    rows_path,
    weigh,
)
from pipeline.collect.raw import load_landing, load_raw
from pipeline.settings import Settings

RESULTS = Path(__file__).parent / "results"
SEED = 20260901
HANDLE = "quietnights"
TEMPLATES = 2_000
ID_MARK, TIME_MARK = "7000000000000000000", "1700000000"
COLUMNS = (
    "id", "text", "createTime", "createTimeISO", "authorMeta", "musicMeta", "webVideoUrl",
    "videoMeta", "diggCount", "shareCount", "playCount", "collectCount", "commentCount",
    "repostCount", "hashtags", "isPinned", "isSlideshow", "isAd", "slideshowImageLinks",
)  # fmt: skip


def _words(chance: random.Random) -> list[str]:
    return ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 9)))
            for _ in range(4_000)]  # fmt: skip


def label_lists() -> dict[str, list[dict[str, Any]]]:
    """Names with keywords in each dimension; a third of the captions have one of them."""
    words = iter(_words(random.Random(SEED)))
    return {
        key: [{"name": f"{key}_{number}", "keywords": [next(words) for _ in range(4)]}
              for number in range(4)]
        for key in ("formats", "content_pillars", "topics", "cta")
    }  # fmt: skip


def tiktok_lines(count: int) -> Iterator[bytes]:
    """Rows of the size and shape that the TikTok actor gives, each with its own id and caption."""
    chance = random.Random(SEED)
    words = _words(chance)
    templates = [json.dumps(_row(chance, words), ensure_ascii=False, separators=(",", ":")).encode()
                 for _ in range(min(count, TEMPLATES))]  # fmt: skip
    mark, moment = ID_MARK.encode(), TIME_MARK.encode()
    for number in range(count):
        line = templates[number % len(templates)]
        line = line.replace(mark, b"%d" % (7_412_345_678_901_234_567 + 977 * number))
        yield line.replace(moment, b"%d" % (1_725_840_000 + number)) + b"\n"


def _row(chance: random.Random, words: list[str]) -> dict[str, Any]:
    def text(count: int) -> str:
        return " ".join(chance.choices(words, k=count))

    def address(kind: str) -> str:
        return (
            f"https://cdn.example.com/tos-useast5-{kind}/{chance.getrandbits(128):032x}"
            f"~tplv-cropcenter.jpeg?dr=9640&refresh_token={chance.getrandbits(32):08x}"
            f"&x-expires=1780066800&x-signature={chance.getrandbits(112):028x}"
        )

    return {
        "id": ID_MARK,
        "text": f"{text(30)} #sleep #t{TIME_MARK} 😀",
        "textLanguage": "en",
        "createTime": int(TIME_MARK),
        "createTimeISO": "2024-09-09T00:00:00.000Z",
        "isAd": False,
        "authorMeta": {
            "id": "71", "name": HANDLE, "profileUrl": f"https://www.tiktok.com/@{HANDLE}",
            "nickName": "Quiet", "verified": False, "signature": text(10), "bioLink": None,
            "originalAvatarUrl": address("a"), "avatar": address("b"), "privateAccount": False,
            "following": 10, "friends": 3, "fans": 1200, "heart": 12345, "video": 99, "digg": 0,
        },
        "musicMeta": {
            "musicName": "original sound", "musicAuthor": "Quiet", "musicOriginal": True,
            "playUrl": address("m"), "coverMediumUrl": address("n"),
            "originalCoverMediumUrl": address("o"), "musicId": "7400000000000000001",
        },
        "webVideoUrl": f"https://www.tiktok.com/@{HANDLE}/video/{ID_MARK}",
        "mediaUrls": [],
        "videoMeta": {
            "height": 1024, "width": 576, "duration": 31, "coverUrl": address("c"),
            "originalCoverUrl": address("d"), "definition": "540p", "format": "mp4",
            "subtitleLinks": [{"language": "eng-US", "downloadLink": address("s")}],
        },
        "diggCount": chance.randint(0, 9_999),
        "shareCount": chance.randint(0, 99),
        "playCount": chance.randint(0, 999_999),
        "collectCount": chance.randint(0, 99),
        "commentCount": chance.randint(0, 99),
        "mentions": [],
        "hashtags": [{"id": str(number), "name": chance.choice(words)} for number in range(6)],
        "isSlideshow": False,
        "isPinned": False,
        "fromProfileSection": "videos",
    }  # fmt: skip


def landed_home(folder: Path, count: int) -> tuple[Settings, Manifest, int]:
    """A home with one account and one landed answer; also the answer's unpacked size in bytes."""
    settings = Settings(home=folder)
    add_account(
        settings.accounts_dir, "bench", timezone="UTC", platform_profiles={"tiktok": HANDLE}
    )
    path = settings.accounts_dir / "bench" / "account.yaml"
    path.write_text(path.read_text(encoding="utf-8") + yaml.safe_dump(label_lists()))
    manifest = weigh(
        Answer(
            platform=Platform.TIKTOK,
            account_name="bench",
            handle=load_account(settings.accounts_dir, "bench").platform_profiles[Platform.TIKTOK],
            source=Source.IMPORT,
            source_kind=SourceKind.EXPORT,
            rows=[{}],
            scraped_at=datetime(2026, 9, 1, 8, tzinfo=UTC),
            scraped_at_source=ScrapedAtSource.GIVEN,
        )
    ).manifest
    path = rows_path(settings, manifest)
    path.parent.mkdir(parents=True)
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file, zstandard.ZstdCompressor(level=6).stream_writer(file) as packed:
        for line in tiktok_lines(count):
            digest.update(line)
            size += len(line)
            packed.write(line)
    ids = tuple(sorted(str(7_412_345_678_901_234_567 + 977 * number) for number in range(count)))
    manifest = manifest.model_copy(
        update={
            "items_got": count, "post_count": count, "rejected_count": 0, "rejected_reasons": {},
            "post_ids": ids, "items_sha256": digest.hexdigest(),
        }
    )  # fmt: skip
    document = manifest.model_dump_json(indent=1).encode()
    write_atomically(path.with_name(manifest.scrape_id + MANIFEST_SUFFIX), document)
    return settings, manifest, size


def bare_read(settings: Settings, *, is_stored: bool) -> int:
    """DuckDB alone: read the landing file's rows as columns of text; the number of rows."""
    [path] = settings.landing_dir.rglob("*.jsonl.zst")
    columns = ", ".join(f"{name}: 'varchar'" for name in COLUMNS)
    reader = f"read_json('{path}', format = 'newline_delimited', columns = {{{columns}}})"
    target = settings.home / "bare.duckdb"
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        if is_stored:
            [(count,)] = connection.execute(f"create table t as from {reader}").fetchall()
        else:
            longest = ", ".join(f"max(length({name}))" for name in COLUMNS)
            row = connection.execute(f"select count(*), {longest} from {reader}").fetchone()
            count = row[0] if row else 0
    return int(count)


def our_load(settings: Settings) -> int:
    """The raw load into a new warehouse, from the landing file to the tables; the items loaded."""
    for path in settings.warehouse_dir.glob("*.duckdb*"):
        path.unlink()
    return load_landing(settings).items_loaded


def whole_load(settings: Settings) -> int:
    """The same with everything that a load does beside: accounts, plans, matches, labels."""
    for path in settings.warehouse_dir.glob("*.duckdb*"):
        path.unlink()
    return load_raw(settings).items_loaded


MEASURED: dict[str, Callable[[Settings], int]] = {
    "bare_scan": lambda settings: bare_read(settings, is_stored=False),
    "bare_store": lambda settings: bare_read(settings, is_stored=True),
    "our_load": our_load,
    "whole_load": whole_load,
}


def measured(name: str, home: Path) -> dict[str, float]:
    """One measurement in a process of its own: seconds, items, peak memory in MiB."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load_raw", "--measure", name, "--home", str(home)],
        check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _measure(name: str, home: Path) -> None:
    settings = Settings(home=home)
    started, began = time.perf_counter(), time.process_time()
    items = MEASURED[name](settings)
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - began
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds, "items": items,
                      "peak_mib": peak_mib}))  # fmt: skip


def _table(rows: list[tuple[str, dict[str, float]]]) -> None:
    print(f"{'':28}{'items':>12}{'seconds':>10}{'CPU s':>10}{'items/s':>12}{'peak MiB':>10}")
    for name, one in rows:
        speed = one["items"] / one["seconds"]
        print(f"{name:28}{one['items']:>12,.0f}{one['seconds']:>10.2f}"
              f"{one['cpu_seconds']:>10.2f}{speed:>12,.0f}{one['peak_mib']:>10,.0f}")  # fmt: skip


def main() -> None:
    """Measure, print a table and write ``bench/results/load_raw.json``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000, help="rows for the speeds")
    parser.add_argument("--many", type=int, default=1_000_000, help="rows for the memory; 0: none")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--measure", choices=sorted(MEASURED), help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        _measure(asked.measure, asked.home)
        return
    folder = Path(tempfile.mkdtemp(prefix="afterpost-bench-"))
    try:
        _, manifest, size = landed_home(folder / "speed", asked.items)
        runs = {name: [] for name in MEASURED}  # type: dict[str, list[dict[str, float]]]
        for _ in range(asked.repeats):  # in turns, so that a busy moment hits all of them
            for name in MEASURED:
                runs[name].append(measured(name, folder / "speed"))
        medians = {
            name: sorted(those, key=lambda one: one["seconds"])[len(those) // 2]
            for name, those in runs.items()
        }
        figures: dict[str, Any] = {
            "items": manifest.items_got,
            "bytes_per_item": round(size / manifest.items_got),
            "seed": SEED,
            "repeats": asked.repeats,
            "versions": {"duckdb": duckdb.__version__, "python": platform.python_version()},
            "runs": medians,
            "ratio_to_bare_store": _ratio(runs, "our_load", "bare_store"),
            "ratio_to_bare_scan": _ratio(runs, "our_load", "bare_scan"),
            "whole_ratio_to_bare_store": _ratio(runs, "whole_load", "bare_store"),
            "whole_ratio_to_bare_scan": _ratio(runs, "whole_load", "bare_scan"),
        }
        rows = [
            ("bare read_json, scan only", medians["bare_scan"]),
            ("bare read_json into a table", medians["bare_store"]),
            ("landing to raw", medians["our_load"]),
            ("whole load with labels", medians["whole_load"]),
        ]
        if asked.many:
            landed_home(folder / "memory", asked.many)
            figures["many"] = measured("whole_load", folder / "memory")
            rows.append(("whole load with labels", figures["many"]))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    _table(rows)
    for name, key in (("landing to raw", ""), ("the whole load", "whole_")):
        print(f"{name} reaches {figures[f'{key}ratio_to_bare_store']:.2f} of bare read_json into a "
              f"table, {figures[f'{key}ratio_to_bare_scan']:.2f} of a scan that keeps "
              "nothing")  # fmt: skip
    print(f"({figures['bytes_per_item']:,} bytes an item, seed {SEED}, DuckDB "
          f"{duckdb.__version__})")  # fmt: skip
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "load_raw.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _ratio(runs: dict[str, list[dict[str, float]]], name: str, yardstick: str) -> float:
    """Items/s of one measurement over the yardstick's, from the medians."""
    ours, theirs = (
        statistics.median(one["seconds"] for one in runs[key]) for key in (name, yardstick)
    )
    return round(theirs / ours, 3)


if __name__ == "__main__":
    main()
