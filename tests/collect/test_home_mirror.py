"""The mirror of a home: what is in it, what is copied again, and what it refuses."""

import errno
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.atomic_files import write_atomically
from pipeline.clients import mirror_store
from pipeline.clients.mirror_generations import (
    GENERATIONS_KEPT,
    current_name,
    generation_names,
    read_generation,
)
from pipeline.clients.mirror_store import MirrorStore, open_mirror
from pipeline.collect.home_mirror import planned_mirror
from pipeline.errors import (
    ConfigurationError,
    MirrorError,
    MirrorUnreachableError,
    Retry,
    WarehouseLockedError,
)
from pipeline.settings import Settings
from tests.fakes.mirrored_homes import (
    SECRET,
    contents,
    mirrored,
    publish_mart,
    restored,
    scrape,
    small_home,
)


@pytest.fixture(params=["folder", "memory"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    url = str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}/a"
    return small_home(tmp_path / "home", url)


@pytest.fixture
def folder_home(tmp_path: Path) -> Settings:
    return small_home(tmp_path / "home", str(tmp_path / "store"))


def objects(settings: Settings) -> set[str]:
    return set(open_mirror(settings).listing("data"))


def test_everything_that_cannot_be_made_again_comes_back(home: Settings, tmp_path: Path) -> None:
    report = mirrored(home)
    other = restored(home, tmp_path / "other")

    assert contents(other) == contents(home)
    assert len([path for path in contents(other) if "/landing/" in path]) == 6
    assert {path.split("/")[0] for path in report.generation.by_path} == {
        "accounts", "published", "state", "warehouse"
    }  # fmt: skip
    assert report.generation.published_version == "v1"
    plan = next((other.accounts_dir / "lullabies" / "output").iterdir())
    original = home.accounts_dir / "lullabies" / "output" / plan.name
    assert (plan / "meta.json").stat().st_mtime_ns == (original / "meta.json").stat().st_mtime_ns


def test_what_stands_there_is_not_copied_again(folder_home: Settings) -> None:
    first = mirrored(folder_home)
    assert first.copied_count == len({file.object_name for file in first.generation.files})

    assert mirrored(folder_home).copied_count == 0
    scrape(folder_home, day=7)
    assert mirrored(folder_home).copied_count == 2
    publish_mart(folder_home, 2)
    assert mirrored(folder_home).copied_count == 1


def test_what_no_kept_generation_needs_is_removed(home: Settings) -> None:
    for value in range(1, 6):
        publish_mart(home, value)
        mirrored(home)

    store = open_mirror(home)
    names = generation_names(store)
    assert len(names) == GENERATIONS_KEPT
    needed = {file.object_name for name in names for file in read_generation(store, name).files}
    assert objects(home) == needed
    assert sum("dim_post" in name for name in needed) == GENERATIONS_KEPT
    assert current_name(store) == names[0]


def test_strays_stay_for_a_day_since_they_may_be_another_machines(folder_home: Settings) -> None:
    mirrored(folder_home)
    folder = Path(str(folder_home.storage_url)) / "mirror" / "data"
    fresh, old = folder / "fresh", folder / ".half.tmp"
    for path in (fresh, old):
        path.write_bytes(b"?")
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(old, (long_ago, long_ago))
    mirrored(folder_home)

    assert fresh.exists()
    assert not old.exists()


def test_no_secret_reaches_the_mirror(folder_home: Settings) -> None:
    mirrored(folder_home)

    files = [path for path in Path(str(folder_home.storage_url)).rglob("*") if path.is_file()]
    assert len(files) > 20
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET in (folder_home.accounts_dir / "lullabies" / ".env").read_text()


def test_an_object_that_somebody_removed_or_cut_is_copied_again(folder_home: Settings) -> None:
    files = [file for file in mirrored(folder_home).generation.files if "landing" in file.path]
    place = Path(str(folder_home.storage_url)) / "mirror"
    (place / files[0].object_name).unlink()
    (place / files[1].object_name).write_bytes(b"half")

    assert mirrored(folder_home).copied_count == 2
    assert MirrorStore(str(folder_home.storage_url)).sha256(files[1].object_name) == files[1].sha256


def test_a_mirror_that_is_read_back_copies_anew_what_is_damaged(folder_home: Settings) -> None:
    file = mirrored(folder_home).generation.below("accounts")[0]
    path = Path(str(folder_home.storage_url)) / "mirror" / file.object_name
    whole = path.read_bytes()
    path.write_bytes(b"?" * len(whole))

    assert mirrored(folder_home).copied_count == 0
    with planned_mirror(folder_home, reads_back=True) as plan:
        assert plan.carry_out().copied_count == 1
    assert path.read_bytes() == whole


def test_a_corrected_manifest_is_copied_and_the_former_one_kept(
    folder_home: Settings, tmp_path: Path
) -> None:
    before = mirrored(folder_home).generation
    whole = contents(folder_home)
    path = next(folder_home.landing_dir.rglob("*.manifest.json"))
    write_atomically(path, path.read_bytes().replace(b"quietnights", b"quiet.nights"))

    assert mirrored(folder_home).copied_count == 1
    assert contents(restored(folder_home, tmp_path / "new")) == contents(folder_home) != whole
    assert contents(restored(folder_home, tmp_path / "old", before.name)) == whole


def test_a_home_that_lost_its_landing_does_not_take_the_mirrors_along(
    folder_home: Settings, tmp_path: Path
) -> None:
    before = mirrored(folder_home).generation
    lost = next(folder_home.landing_dir.rglob("*.manifest.json"))
    lost.unlink()

    with pytest.raises(MirrorError, match=r"landing files that are not here.*restore --landing"):
        mirrored(folder_home)
    assert read_generation(open_mirror(folder_home)) == before
    restored(folder_home, tmp_path / "other")

    assert len(mirrored(folder_home, accepts_losses=True).generation.files) == len(before.files) - 2


def test_a_home_that_lost_its_state_does_not_take_the_mirrors_along(folder_home: Settings) -> None:
    mirrored(folder_home)
    for path in folder_home.warehouse_dir.glob("state.db*"):
        path.unlink()

    with pytest.raises(MirrorError, match="rows of the state database"):
        mirrored(folder_home)
    mirrored(folder_home, accepts_losses=True)


def test_rows_that_are_missing_here_stay_in_the_mirror(home: Settings, tmp_path: Path) -> None:
    mirrored(home)
    whole = contents(home)
    for path in home.landing_dir.rglob("*.jsonl.zst"):
        path.unlink()
    for _ in range(GENERATIONS_KEPT + 1):
        report = mirrored(home)

    assert (report.copied_count, report.problems) == (0, ())
    assert contents(restored(home, tmp_path / "other")) == whole


def test_rows_that_are_nowhere_are_told_and_the_rest_is_mirrored(folder_home: Settings) -> None:
    lost = next(folder_home.landing_dir.rglob("*.jsonl.zst"))
    lost.unlink()

    report = mirrored(folder_home)
    assert [lost.name in problem for problem in report.problems] == [True]
    assert len([path for path in report.generation.by_path if "landing" in path]) == 5


def test_a_link_to_a_folder_elsewhere_is_mirrored_as_its_content(
    folder_home: Settings, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "generator"
    elsewhere.mkdir()
    (elsewhere / "meta.json").write_text("{}")
    (elsewhere / "round").symlink_to(elsewhere)
    link = folder_home.accounts_dir / "lullabies" / "output" / "linked"
    link.symlink_to(elsewhere)
    mirrored(folder_home)
    other = restored(folder_home, tmp_path / "other")

    copy = other.accounts_dir / "lullabies" / "output" / "linked"
    assert [path.name for path in copy.iterdir()] == ["meta.json"]
    assert not copy.is_symlink()


def test_a_full_disk_leaves_the_former_generation_current(
    folder_home: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, former = contents(folder_home), mirrored(folder_home).generation
    scrape(folder_home, day=8)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(mirror_store, "os", SimpleNamespace(fsync=full))
        with pytest.raises(MirrorUnreachableError, match="No space left on device") as refused:
            mirrored(folder_home)
    assert refused.value.retry is Retry.LATER
    assert read_generation(open_mirror(folder_home)) == former
    assert contents(restored(folder_home, tmp_path / "other")) == whole
    assert not list(Path(str(folder_home.storage_url)).rglob("*.tmp"))
    assert mirrored(folder_home).copied_count == 2


def test_two_mirrors_of_a_home_wait_for_each_other(folder_home: Settings) -> None:
    hurried = folder_home.model_copy(update={"lock_timeout_s": 0.2})
    with planned_mirror(folder_home), pytest.raises(WarehouseLockedError, match="Another process"):
        mirrored(hurried)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (None, "AFTERPOST_STORAGE_URL is not set"),
        ("nosuch://place", "no address"),
        ("{home}/warehouse/copies", "lies in"),
        ("s3://bucket/afterpost", r"pip install afterpost\[scale\]"),
    ],
)
def test_a_place_that_cannot_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str | None, sentence: str
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "s3fs", None)
    settings = Settings(
        home=tmp_path, storage_url=url.replace("{home}", str(tmp_path)) if url else None
    )

    with pytest.raises(ConfigurationError, match=sentence):
        open_mirror(settings)


def test_a_password_in_the_address_is_never_told() -> None:
    assert SECRET not in mirror_store.shown_url(f"sftp://me:{SECRET}@host/place")
    assert mirror_store.shown_url("s3://bucket/place") == "s3://bucket/place"
