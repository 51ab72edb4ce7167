"""Rows of old scrapes that only the mirror keeps: loads and rebuilds give the same rows."""

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from pipeline.clients.mirror_fetching import _current
from pipeline.clients.mirror_store import open_mirror
from pipeline.collect.home_mirror import planned_mirror
from pipeline.collect.home_restore import planned_restore
from pipeline.collect.landing_pruning import Pruned, prunable, prune
from pipeline.collect.raw import load_landing
from pipeline.errors import LandingError, MirrorDamagedError, MirrorUnreachableError
from pipeline.settings import Settings
from tests.end_to_end.fingerprints import table_fingerprints
from tests.fakes.mirrored_homes import FIRST_SCRAPE, contents, mirrored, scrape, small_home


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return small_home(tmp_path / "home", str(tmp_path / "store"), scrapes=4)


def prune_older_than(settings: Settings, days: int) -> Pruned:
    with planned_mirror(settings) as plan:
        report = plan.carry_out()
        answers = prunable(settings, FIRST_SCRAPE + timedelta(days=days))
        return prune(plan.store, report.generation, answers)


def rows_here(settings: Settings) -> list[str]:
    return sorted(path.name[:8] for path in settings.landing_dir.rglob("*.jsonl.zst"))


def rebuilt(settings: Settings) -> dict[str, str]:
    settings.database_path.unlink(missing_ok=True)
    load_landing(settings)
    return table_fingerprints(settings.database_path, "raw")


def test_a_pruned_home_rebuilds_to_the_same_rows(home: Settings) -> None:
    before = rebuilt(home)

    assert prune_older_than(home, days=3).file_count == 3
    assert rows_here(home) == ["20261004"]
    assert rebuilt(home) == before
    with duckdb.connect(str(home.database_path), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.scrape_items").fetchone() == (12,)
    assert rows_here(home) == ["20261004"], "what was pruned to make room stays so"


def test_a_pruned_home_loads_what_is_new_and_asks_the_mirror_for_nothing(
    home: Settings, tmp_path: Path
) -> None:
    load_landing(home)
    prune_older_than(home, days=3)
    scrape(home, day=5)
    (tmp_path / "store").rename(tmp_path / "unplugged")

    assert load_landing(home).scrapes_loaded == 1


def test_pruning_again_and_mirroring_again_lose_nothing(home: Settings, tmp_path: Path) -> None:
    whole = contents(home)
    prune_older_than(home, days=2)
    assert prune_older_than(home, days=2).file_count == 0
    prune_older_than(home, days=30)
    assert rows_here(home) == []

    with planned_restore(home, open_mirror(home), only_landing=True) as plan:
        plan.carry_out()
    assert contents(home) == whole


def test_rows_stay_here_when_the_mirror_gives_something_else_back(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = mirrored(home)
    store = open_mirror(home)
    monkeypatch.setattr(type(store), "sha256", lambda *_: "0" * 64)

    with pytest.raises(MirrorDamagedError, match="stays here"):
        prune(store, report.generation, prunable(home, FIRST_SCRAPE + timedelta(days=3)))
    assert len(rows_here(home)) == 4


def test_a_copy_that_was_damaged_in_the_mirror_is_stored_again_before_rows_go(
    home: Settings, tmp_path: Path
) -> None:
    report = mirrored(home)
    file = report.generation.below("warehouse/landing")[0]
    path = tmp_path / "store" / "mirror" / file.object_name
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))

    assert prune_older_than(home, days=30).file_count == 4
    assert path.read_bytes() == whole


def test_missing_rows_without_a_mirror_are_one_sentence(home: Settings, tmp_path: Path) -> None:
    prune_older_than(home, days=3)
    home.database_path.unlink(missing_ok=True)
    alone = home.model_copy(update={"storage_url": None})
    unmirrored = home.model_copy(update={"storage_url": str(tmp_path / "nothing")})
    for settings in (alone, unmirrored):
        with pytest.raises(LandingError, match=r"is missing.*restore --landing"):
            load_landing(settings)


def test_a_damaged_copy_in_the_mirror_stops_its_own_scrape_only(
    home: Settings, tmp_path: Path
) -> None:
    prune_older_than(home, days=3)
    generation = _current(home)[1]
    assert generation is not None
    file = generation.below("warehouse/landing")[0]
    path = tmp_path / "store" / "mirror" / file.object_name
    path.write_bytes(b"?")
    home.database_path.unlink()

    with pytest.raises(LandingError, match="damaged in the mirror"):
        load_landing(home)
    with duckdb.connect(str(home.database_path), read_only=True) as connection:
        assert connection.execute("select count(*) from raw.scrapes").fetchone() == (3,)


def test_a_mirror_that_does_not_answer_is_tried_later(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    prune_older_than(home, days=3)
    home.database_path.unlink()
    _current.cache_clear()
    store = type(open_mirror(home))

    def gone(self: object, name: str) -> bytes:
        with self._told("read"):  # type: ignore[attr-defined]
            raise ConnectionError("the link is down")

    monkeypatch.setattr(store, "read", gone)
    with pytest.raises(MirrorUnreachableError, match="the link is down"):
        load_landing(home)
