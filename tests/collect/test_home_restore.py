"""Restores: all or nothing, checked, never over what a home has, and never out of it."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from pipeline.clients.mirror_generations import generation_names, manifest_name
from pipeline.clients.mirror_store import open_mirror
from pipeline.clients.state_dump import state_row_count
from pipeline.collect import home_restore, placing
from pipeline.collect.home_restore import planned_restore
from pipeline.errors import HomeInTheWayError, MirrorDamagedError, MirrorError
from pipeline.settings import Settings
from tests.fakes.filled_state import fill_state
from tests.fakes.mirrored_homes import contents, mirrored, restored, scrape, small_home


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    settings = small_home(tmp_path / "home", str(tmp_path / "store"))
    mirrored(settings)
    return settings


def place_of(settings: Settings) -> Path:
    return Path(str(settings.storage_url)) / "mirror"


def is_untouched(folder: Path) -> bool:
    names = {".restoring", "locks", ".writer.lock", ".writer.holder.json"}
    found = {path.name for path in (folder / "warehouse").iterdir()}
    return found <= names and not (folder / "accounts").exists()


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "missing":
        path.unlink()
    elif how == "cut":
        path.write_bytes(content[:-1])
    else:
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("how", ["missing", "other bytes", "cut"])
def test_a_damaged_file_is_named_and_the_one_before_is_offered(
    home: Settings, tmp_path: Path, how: str
) -> None:
    whole, before = contents(home), mirrored(home).generation.name
    scrape(home, day=9)
    newest = mirrored(home).generation
    file = newest.below("warehouse/landing")[-1]
    damage(place_of(home) / file.object_name, how)

    with pytest.raises(MirrorDamagedError) as refused:
        restored(home, tmp_path / "other")
    assert file.path in str(refused.value)
    assert f"--generation {before}" in str(refused.value)
    assert is_untouched(tmp_path / "other")
    assert contents(restored(home, tmp_path / "other", before)) == whole


@pytest.mark.parametrize("root", ["accounts", "state", "warehouse/models"])
def test_a_damaged_file_that_all_generations_need_is_named(
    home: Settings, tmp_path: Path, root: str
) -> None:
    file = mirrored(home).generation.below(root)[0]
    damage(place_of(home) / file.object_name, "other bytes")

    with pytest.raises(MirrorDamagedError, match="older generations need that file too") as refused:
        restored(home, tmp_path / "other")
    assert file.path in str(refused.value)
    assert is_untouched(tmp_path / "other")


def test_a_manifest_that_was_changed_or_cut_is_refused(home: Settings, tmp_path: Path) -> None:
    before = mirrored(home).generation.name
    newest = mirrored(home).generation.name
    path = place_of(home) / manifest_name(newest)
    whole = path.read_bytes()

    for damaged in (whole[:-40], whole.replace(b'"size":', b'"size":1', 1), b"", b"[]", b"null"):
        path.write_bytes(damaged)
        with pytest.raises(MirrorDamagedError, match=newest) as refused:
            restored(home, tmp_path / "other")
        assert f"--generation {before}" in str(refused.value)
    (place_of(home) / "current").write_bytes(b"\x00\xff")
    with pytest.raises(MirrorDamagedError, match="current"):
        restored(home, tmp_path / "other")
    assert is_untouched(tmp_path / "other")


@pytest.mark.parametrize(
    "path",
    [
        "accounts/../../outside.txt",
        "/etc/cron.d/outside",
        "warehouse/landing/../../../outside",
        "accounts/lullabies/.env",
        ".env",
        "accounts//account.yaml",
        "accounts/lullabies/..\\..\\outside",
        "accounts/lullabies/a\x00b",
        "dbt_project/dbt_project.yml",
    ],
)
def test_no_path_of_a_manifest_leads_out_of_a_homes_data(
    home: Settings, tmp_path: Path, path: str
) -> None:
    def hostile(document: dict[str, Any]) -> None:
        document["files"][0]["path"] = path

    rewrite_manifest(home, hostile)
    with pytest.raises(MirrorDamagedError, match="leads out"):
        restored(home, tmp_path / "other")
    assert not (tmp_path / "outside.txt").exists()
    assert not (tmp_path / "outside").exists()


def rewrite_manifest(settings: Settings, change: Any) -> None:
    """What somebody with access to the place could write: a manifest with the right hash."""
    store = open_mirror(settings)
    name = manifest_name(generation_names(store)[0])
    document = orjson.loads(store.read(name))
    del document["sha256"]
    change(document)
    sorted_document = orjson.dumps(document, option=orjson.OPT_SORT_KEYS)
    document["sha256"] = hashlib.sha256(sorted_document).hexdigest()
    store.write(name, orjson.dumps(document))


def test_nothing_is_written_through_a_link_that_leads_out(home: Settings, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "other" / "accounts").mkdir(parents=True)
    (tmp_path / "other" / "accounts" / "lullabies").symlink_to(elsewhere)

    with pytest.raises(HomeInTheWayError, match="by a link"):
        restored(home, tmp_path / "other")
    assert list(elsewhere.iterdir()) == []


def test_a_home_with_data_is_left_as_it_is(home: Settings, tmp_path: Path) -> None:
    other = small_home(tmp_path / "other", str(home.storage_url), scrapes=5)
    (other.accounts_dir / "lullabies" / "account.yaml").write_text("mine: 1\n")
    before = contents(other)

    with pytest.raises(HomeInTheWayError, match=r"has data.*--force"):
        restored(home, other.home)
    assert contents(other) == before


def test_force_sets_what_is_in_the_way_aside_and_deletes_nothing(
    home: Settings, tmp_path: Path
) -> None:
    other = small_home(tmp_path / "other", str(home.storage_url), scrapes=5)
    fill = other.accounts_dir / "second"
    fill.mkdir()
    (fill / "account.yaml").write_text("mine: 1\n")
    (other.accounts_dir / "lullabies" / "account.yaml").write_text("mine: 2\n")
    warehouse = other.database_path.read_bytes()
    with planned_restore(other, open_mirror(other), force=True) as plan:
        plan.carry_out()

    assert contents(other) == contents(home)
    aside = other.home / plan.aside
    assert (aside / "accounts/second/account.yaml").read_text() == "mine: 1\n"
    assert (aside / "accounts/lullabies/account.yaml").read_text() == "mine: 2\n"
    assert (aside / "warehouse/afterpost.duckdb").read_bytes() == warehouse
    assert len(list(aside.rglob("*.jsonl.zst"))) == 2
    assert not (aside / "warehouse/state.db").exists(), "the same rows need not go"


def test_a_home_that_only_lost_its_landing_gets_it_back_and_keeps_newer_decisions(
    home: Settings,
) -> None:
    before = contents(home)
    for path in home.landing_dir.rglob("*.jsonl.zst"):
        path.unlink()
    (home.accounts_dir / "lullabies" / "performance_context.json").write_text('{"newer": 1}')

    with pytest.raises(HomeInTheWayError, match="--landing"):
        restored(home, home.home)
    with planned_restore(home, open_mirror(home), only_landing=True) as plan:
        plan.carry_out()

    context = "accounts/lullabies/performance_context.json"
    assert contents(home) == {**before, context: b'{"newer": 1}'}
    assert len(plan.files) == 3


def test_a_state_database_with_other_rows_is_never_joined(home: Settings, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'elsewhere.db'}"
    other = home.model_copy(update={"home": tmp_path / "other", "state_url": url})
    fill_state(other, rows_per_table=1)
    count = state_row_count(other)

    for force in (False, True):
        with (
            pytest.raises(HomeInTheWayError, match="AFTERPOST_STATE_URL"),
            planned_restore(other, open_mirror(other), force=force),
        ):
            pass
    assert state_row_count(other) == count
    assert is_untouched(other.home)


def test_an_interrupted_fetch_goes_on_where_it_was(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = home.model_copy(update={"home": tmp_path / "other"})
    left = iter(range(4))

    def interrupted() -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    with (
        pytest.raises(KeyboardInterrupt),
        planned_restore(target, open_mirror(target)) as plan,
    ):
        plan.carry_out(interrupted)
    assert is_untouched(target.home)
    fetched = [path for path in (target.warehouse_dir / ".restoring").rglob("*") if path.is_file()]
    stamps = {path: path.stat().st_ino for path in fetched if not path.name.startswith(".")}
    assert len(stamps) >= 5

    kept: dict[Path, int] = {}
    place: Any = getattr(home_restore, "place")  # noqa: B009 (imported there)

    def looked_at(*arguments: Any) -> None:
        kept.update({path: path.stat().st_ino for path in stamps})
        place(*arguments)

    monkeypatch.setattr(home_restore, "place", looked_at)
    assert contents(restored(home, target.home)) == contents(home)
    assert kept == stamps, "what was fetched is not fetched again"


@pytest.mark.parametrize("step", ["_set_aside", "restore_state", "_put", "sync_folder", "rmtree"])
@pytest.mark.parametrize("call", [1, 2])
def test_an_interrupted_placement_is_finished_by_the_next_restore(
    home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    target = home.model_copy(update={"home": tmp_path / "other"})
    stray = target.accounts_dir / "lullabies" / "account.yaml"
    stray.parent.mkdir(parents=True)
    stray.write_text("mine: 1\n")
    (target.accounts_dir / "lullabies" / "performance_context.json").write_text("mine")
    owner: Any = SimpleNamespace(rmtree=shutil.rmtree) if step == "rmtree" else placing
    real, calls = getattr(owner, step), 0

    def interrupted(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(owner, step, interrupted)
        if step == "rmtree":
            patch.setattr(placing, "shutil", owner)
        try:
            with planned_restore(target, open_mirror(target), force=True) as plan:
                plan.carry_out()
        except KeyboardInterrupt:
            pass
        else:
            assert calls < call
    with planned_restore(target, open_mirror(target)) as again:
        again.carry_out()

    assert contents(target) == contents(home)
    assert state_row_count(target) == state_row_count(home)
    aside = target.home / plan.aside / "accounts/lullabies"
    assert (aside / "account.yaml").read_text() == "mine: 1\n"
    assert (aside / "performance_context.json").read_text() == "mine"
    assert not (target.warehouse_dir / ".restoring").exists()


def test_where_no_mirror_is_there_is_nothing_to_restore(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", storage_url=str(tmp_path / "store"))

    with pytest.raises(MirrorError, match="no finished mirror"):
        restored(settings, tmp_path / "other")
    assert not os.path.exists(tmp_path / "store")  # noqa: PTH110


def test_the_manifest_says_what_each_file_is(home: Settings) -> None:
    name = (place_of(home) / "current").read_text().strip()
    document = json.loads((place_of(home) / manifest_name(name)).read_text())

    for file in document["files"]:
        (path,) = place_of(home).rglob(f"{file['sha256'][:32]}_*{file['path'].split('.')[-1]}")
        assert path.stat().st_size == file["size"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == file["sha256"]
