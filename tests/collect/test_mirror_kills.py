"""A mirror that is killed at any moment: what restores is a whole generation, never a half one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.clients.mirror_generations import generation_names, read_generation
from pipeline.clients.mirror_store import open_mirror
from pipeline.clients.state_dump import state_row_count
from pipeline.settings import Settings
from tests.fakes.mirrored_homes import (
    contents,
    mirrored,
    publish_mart,
    restored,
    scrape,
    small_home,
)

BEFORE_ITS_END = [
    "write:data:1:before",
    "write:data:1:half",
    "write:data:2:after",
    "write:data:3:half",
    "write:generations:1:before",
    "write:generations:1:half",
    "write:generations:1:after",
    "write:current:1:before",
    "write:current:1:half",
]
AFTER_IT = ["write:current:1:after", "remove:generations:1:before", "remove:data:1:after"]


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of one home with a mirror of three generations, each killed in the fourth."""
    first = tmp_path_factory.mktemp("first")
    home = small_home(first / "home", str(first / "store"))
    for value in range(2, 5):
        publish_mart(home, value)
        mirrored(home)
    scrape(home, day=5)
    publish_mart(home, 5)
    folders: dict[str, Path] = {}
    for moment in (*BEFORE_ITS_END, *AFTER_IT):
        folders[moment] = first.with_name(f"{first.name}_{len(folders)}")
        shutil.copytree(first, folders[moment])
    words = [word for moment, folder in folders.items() for word in (str(folder), moment)]
    result = subprocess.run(
        [sys.executable, "-m", "tests.collect.killed_mirror", *words],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    ends = dict(line.split() for line in result.stdout.splitlines())
    assert ends == dict.fromkeys(folders, "-9")
    return folders


def of(folder: Path) -> Settings:
    return Settings(home=folder / "home", storage_url=str(folder / "store"))


@pytest.mark.parametrize("moment", BEFORE_ITS_END)
def test_a_killed_mirror_leaves_the_former_generation(
    killed: dict[str, Path], tmp_path: Path, moment: str
) -> None:
    home = of(killed[moment])
    assert read_generation(open_mirror(home)).published_version == "v4"
    other = restored(home, tmp_path / "other")

    expected = contents(home)
    newest = [path for path in expected if "/20261006T" in path]
    assert len(newest) == 2
    assert contents(other) == {path: expected[path] for path in expected if path not in newest}
    assert state_row_count(other) == state_row_count(home)


@pytest.mark.parametrize("moment", AFTER_IT)
def test_a_mirror_that_is_killed_after_its_end_is_whole(
    killed: dict[str, Path], tmp_path: Path, moment: str
) -> None:
    home = of(killed[moment])
    store = open_mirror(home)
    assert read_generation(store).published_version == "v5"
    assert contents(restored(home, tmp_path / "other")) == contents(home)
    stored = set(store.listing("data"))
    for name in generation_names(store):
        assert {file.object_name for file in read_generation(store, name).files} <= stored


@pytest.mark.parametrize("moment", ["write:data:2:after", "write:current:1:before"])
def test_the_next_mirror_takes_up_what_a_killed_one_had_copied(
    killed: dict[str, Path], tmp_path: Path, moment: str
) -> None:
    home = of(killed[moment])
    report = mirrored(home)

    assert report.copied_count <= (0 if "current" in moment else 1)
    assert contents(restored(home, tmp_path / "other")) == contents(home)
