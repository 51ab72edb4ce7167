"""A mirror in an object store that speaks S3, and a state database that changes its engine."""

from datetime import timedelta
from pathlib import Path

import pytest

from pipeline.clients.mirror_generations import (
    GENERATIONS_KEPT,
    generation_names,
    read_generation,
)
from pipeline.clients.mirror_store import MirrorStore, open_mirror
from pipeline.clients.state_dump import dump_hashes, dump_state
from pipeline.collect.home_mirror import planned_mirror
from pipeline.collect.home_restore import planned_restore
from pipeline.collect.landing_pruning import prunable, prune
from pipeline.collect.raw import load_landing
from pipeline.errors import HomeInTheWayError, MirrorDamagedError, MirrorUnreachableError
from pipeline.settings import Settings
from tests.end_to_end.fingerprints import table_fingerprints
from tests.fakes.mirrored_homes import (
    FIRST_SCRAPE,
    contents,
    mirrored,
    publish_mart,
    restored,
    scrape,
    small_home,
)
from tests.scale.postgres_server import PostgresServer, postgres_server


def test_a_home_comes_back_from_an_object_store(bucket: str, tmp_path: Path) -> None:
    home = small_home(tmp_path / "home", f"{bucket}/one")
    first = mirrored(home)

    assert contents(restored(home, tmp_path / "other")) == contents(home)
    assert mirrored(home).copied_count == 0
    for value in range(2, 3 + GENERATIONS_KEPT):
        publish_mart(home, value)
        assert mirrored(home).copied_count == 1
    store = open_mirror(home)
    kept = [read_generation(store, name) for name in generation_names(store)]
    assert len(kept) == GENERATIONS_KEPT
    assert first.generation.name not in {generation.name for generation in kept}
    needed = {file.object_name for generation in kept for file in generation.files}
    assert set(store.listing("data")) == needed
    assert contents(restored(home, tmp_path / "latest")) == contents(home)


def test_damage_in_an_object_store_is_named(bucket: str, tmp_path: Path) -> None:
    home = small_home(tmp_path / "home", f"{bucket}/two")
    before = mirrored(home).generation
    scrape(home, day=9)
    newest = mirrored(home).generation
    (rows,) = [file for file in newest.files if "/20261010T" in file.path and "zst" in file.path]
    store = open_mirror(home)
    store.write(rows.object_name, b"x" * rows.size)

    with pytest.raises(MirrorDamagedError, match=f"--generation {before.name}"):
        restored(home, tmp_path / "other")
    store.remove(rows.object_name)
    with pytest.raises(MirrorDamagedError, match="is missing in the mirror"):
        restored(home, tmp_path / "other")
    assert mirrored(home).copied_count == 1
    assert contents(restored(home, tmp_path / "other")) == contents(home)


def test_pruned_rows_are_read_from_an_object_store(bucket: str, tmp_path: Path) -> None:
    home = small_home(tmp_path / "home", f"{bucket}/three", scrapes=4)
    load_landing(home)
    before = table_fingerprints(home.database_path, "raw")
    with planned_mirror(home) as plan:
        report = plan.carry_out()
        old = prunable(home, FIRST_SCRAPE + timedelta(days=3))
        assert prune(plan.store, report.generation, old).file_count == 3
    home.database_path.unlink()
    load_landing(home)

    assert table_fingerprints(home.database_path, "raw") == before
    assert len(list(home.landing_dir.rglob("*.zst"))) == 1


@pytest.mark.parametrize("url", ["s3://no-such-bucket/x", "s3://bucket/y"])
def test_a_store_that_refuses_or_is_gone_is_one_sentence(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    import s3fs

    assert bucket
    home = small_home(tmp_path / "home", url, scrapes=1)
    if "no-such" not in url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()

    with pytest.raises(MirrorUnreachableError, match=f"The mirror at {url} cannot be"):
        mirrored(home)
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_state_database_comes_back_on_the_other_engine(tmp_path: Path) -> None:
    """From a file to a server and to a file again: the same rows, ids and types."""
    home = small_home(tmp_path / "home", str(tmp_path / "store"))
    mirrored(home)
    with postgres_server(tmp_path / "server") as server:
        on_server = home.model_copy(update={"state_url": server.new_database()})
        target = restored(on_server, tmp_path / "other")
        assert hashes(target, tmp_path / "a") == hashes(home, tmp_path / "b")
        assert contents(target) == contents(home)

        publish_mart(target, 1)
        second = target.model_copy(update={"storage_url": str(tmp_path / "second")})
        mirrored(second)
        back = second.model_copy(update={"state_url": None})
        last = restored(back, tmp_path / "last")
        assert hashes(last, tmp_path / "c") == hashes(home, tmp_path / "d")

        with (
            pytest.raises(HomeInTheWayError, match="AFTERPOST_STATE_URL"),
            planned_restore(
                home.model_copy(
                    update={"home": tmp_path / "late", "state_url": server_with_a_row(server, home)}
                ),
                MirrorStore(str(tmp_path / "store")),
            ),
        ):
            pass


def server_with_a_row(server: PostgresServer, home: Settings) -> str:
    """URL of a database that holds something else already."""
    from tests.fakes.filled_state import fill_state

    url = server.new_database()
    fill_state(home.model_copy(update={"state_url": url}), rows_per_table=1)
    return url


def hashes(settings: Settings, folder: Path) -> dict[str, str]:
    folder.mkdir()
    dump_state(settings, folder)
    found = dump_hashes(folder)
    assert len(found) > 20
    return found
