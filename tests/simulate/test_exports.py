"""The world's history as files, its planned posts, and its accounts in another home."""

import csv
import gzip
import hashlib
import io
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.accounts import Platform, load_accounts
from pipeline.simulate.account_files import copy_accounts
from pipeline.simulate.exports import ExportFile, flattened, scrape_times, write_exports
from pipeline.simulate.planned import write_planned
from pipeline.simulate.world import ScrapeKind, World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world()


@pytest.fixture(scope="module")
def exports(world: World, tmp_path_factory: pytest.TempPathFactory) -> list[ExportFile]:
    return write_exports(world, tmp_path_factory.mktemp("exports"))


def _file_time(path: Path) -> datetime:
    stamp = "_".join(path.name.split(".")[0].split("_")[2:])
    return datetime.strptime(stamp + "000", "%Y-%m-%d_%H-%M-%S-%f").replace(tzinfo=UTC)


def _tree_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("first", "second"):
        one = build_world(seed=11)
        write_exports(one, tmp_path / name / "exports")
        write_planned(one, tmp_path / name / "accounts")
    assert _tree_digest(tmp_path / "first") == _tree_digest(tmp_path / "second")


def test_files_are_named_as_the_console_names_them_and_stay_modest(
    exports: list[ExportFile],
) -> None:
    assert exports[0].path.name.startswith("dataset_")
    actors = Counter(file.path.name.split("_")[1] for file in exports)
    assert set(actors) == {
        "tiktok-profile-scraper",
        "instagram-post-scraper",
        "instagram-profile-scraper",
    }
    kinds = Counter("".join(file.path.suffixes) for file in exports)
    assert set(kinds) == {".json", ".jsonl", ".json.gz", ".csv"}
    assert max(kinds, key=lambda kind: kinds[kind]) == ".json"
    assert sum(file.path.stat().st_size for file in exports) < 40_000_000
    assert max(Counter((f.account_name, f.platform) for f in exports).values()) <= 100
    assert [_file_time(file.path) for file in exports] == sorted(
        _file_time(file.path) for file in exports
    )


def test_every_encoding_holds_what_the_actor_answered(
    world: World, exports: list[ExportFile]
) -> None:
    seen = set()
    for file in exports:
        kind = "".join(file.path.suffixes)
        slug = file.path.name.split("_")[1]
        if (kind, slug) in seen:
            continue
        seen.add((kind, slug))
        content = file.path.read_bytes()
        if kind == ".csv":
            rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
        elif kind == ".jsonl":
            rows = [json.loads(line) for line in content.decode().splitlines()]
        else:
            rows = json.loads(gzip.decompress(content) if kind == ".json.gz" else content)
        what: ScrapeKind = "profiles" if slug == "instagram-profile-scraper" else "posts"
        at = _file_time(file.path)
        asked = sum("error" not in row or not row["error"] for row in rows)
        expected = world.scrape_rows(file.account_name, file.platform, what, at, asked)
        if kind == ".csv":
            without_blanks = [{k: v for k, v in row.items() if v != ""} for row in rows]
            expected_flat = [
                {k: v for k, v in flattened(row).items() if v != ""} for row in expected
            ]
            assert without_blanks == expected_flat
        else:
            assert rows == expected
    assert len(seen) >= 8


def test_nearly_all_posts_are_seen_before_and_after_the_standard_ages(world: World) -> None:
    for name, platform in world.profiles:
        times = [*scrape_times(world, name, platform), world.end]
        seen: dict[str, list[float]] = defaultdict(list)
        for number, at in enumerate(times[:-1]):
            limit = {Platform.TIKTOK: (60, 22), Platform.INSTAGRAM: (30, 14)}[platform]
            rows = world.scrape_rows(name, platform, "posts", at, limit[number % 7 > 0])
            for row in rows:
                if "error" not in row:
                    post_at = datetime.fromisoformat(row.get("createTimeISO") or row["timestamp"])
                    seen[row["id"]].append((at - post_at).total_seconds() / 3600)
        posts = [
            post
            for post in world.profile_posts(name, platform)
            if world.start + timedelta(days=9) < post.posted_at < world.end - timedelta(days=11)
            and post.posted_at > times[0]
        ]
        for age, tolerance in ((72.0, 50.0), (168.0, 50.0)):
            near = 0
            for post in posts:
                before = [a for a in seen[post.post_id] if a <= age]
                after = [a for a in seen[post.post_id] if a >= age]
                near += bool(before and after and min(after) - max(before) <= tolerance)
            assert near / len(posts) > 0.97, (name, platform, age)


def test_the_last_scrape_is_not_exported(world: World, exports: list[ExportFile]) -> None:
    newest = max(_file_time(file.path) for file in exports)
    assert timedelta(days=1) < world.end - newest < timedelta(days=3)


def test_most_posts_have_a_planned_folder(world: World, tmp_path: Path) -> None:
    folders = write_planned(world, tmp_path)
    assert len(set(folders)) == len(folders)
    assert 0.64 < len(folders) / len(world.posts) < 0.76
    videos = 0
    for folder in folders:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        assert set(meta) == {
            "published_at",
            "platform",
            "topic",
            "format",
            "pillar",
            "hook_text",
            "hook_score",
            "slide_count",
            "cta",
            "caption",
        }
        assert 0 <= meta["hook_score"] <= 20
        assert datetime.fromisoformat(meta["published_at"]).tzinfo is not None
        if meta["slide_count"] is None:
            videos += 1
            assert not (folder / "carousel_data.json").exists()
        else:
            slides = json.loads((folder / "carousel_data.json").read_text(encoding="utf-8"))
            assert len(slides["slides"]) == meta["slide_count"]
            assert slides["slides"][0]["text"] == meta["hook_text"]
    assert videos


def test_the_account_files_can_be_copied_into_another_home(tmp_path: Path) -> None:
    copy_accounts(tmp_path / "accounts")
    accounts = load_accounts(tmp_path / "accounts")
    assert [account.name for account in accounts] == [
        "dreamtimelullabies",
        "mymomskills",
        "parentplaybook",
        "slumbersongs",
    ]
    for account in accounts:
        assert [item.name for item in account.formats] == [
            "habit_list",
            "step_guide",
            "scripts",
            "boring_habits",
            "how_to",
        ]
        pillars = {item.name for item in account.content_pillars}
        assert pillars >= {
            "sleep_routines",
            "tantrum_management",
            "picky_eating",
            "baby_products",
        }
        assert {item.name for item in account.cta} == {"save_this", "comment", "follow"}
        assert all(
            item.keywords for item in (*account.formats, *account.content_pillars, *account.cta)
        )
    assert len({account.timezone for account in accounts}) == 4
