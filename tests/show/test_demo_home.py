"""The demo's folder: it deletes only what a demo made."""

import pytest

from pipeline.show.cli.demo import MARKER, start_afresh
from pipeline.show.cli.main import main


def test_a_new_folder_is_made_and_marked(tmp_path):
    start_afresh(tmp_path / "deep" / "demo")

    assert [path.name for path in (tmp_path / "deep" / "demo").iterdir()] == [MARKER]


def test_what_a_former_demo_made_is_removed(tmp_path):
    home = tmp_path / "demo"
    start_afresh(home)
    (home / "warehouse" / "landing").mkdir(parents=True)
    (home / "warehouse" / "landing" / "file").write_text("old")
    (home / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept").touch()

    start_afresh(home)

    assert [path.name for path in home.iterdir()] == [MARKER]
    assert (tmp_path / "elsewhere" / "kept").exists()


@pytest.mark.parametrize("content", ["accounts", "photo.jpg"])
def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path, capsys, content):
    (tmp_path / content).mkdir()

    assert main(["demo", "--home", str(tmp_path)]) == 1

    assert "was not made by a demo" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [content]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path, capsys):
    target = tmp_path / "demo"
    target.write_text("mine")

    assert main(["demo", "--home", str(target)]) == 1

    assert target.read_text() == "mine"


def test_an_empty_folder_may_be_used(tmp_path):
    start_afresh(tmp_path)

    assert (tmp_path / MARKER).is_file()
