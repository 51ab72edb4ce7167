"""``afterpost export`` and ``afterpost build --as-of``: words, files and exit codes."""

import json
from pathlib import Path

import pytest

from pipeline.clients.table_exports import ExportFormat, export_tables
from pipeline.clients.warehouse import publish, writing
from pipeline.settings import Settings
from pipeline.show.cli.main import main
from tests.fakes.contract_tables import contracts
from tests.fakes.reported_world import publish_world


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path / "home"))
    settings = Settings(home=tmp_path / "home")
    with writing(settings, "test") as connection:
        connection.execute("create table marts.dim_post as select '=1+1' as caption, 7 as n")
        connection.execute("create table stats.build_info as select 'v1' as warehouse_version")
    publish(settings, "v1")
    return settings


def test_every_table_is_written_and_told(home: Settings, tmp_path: Path, capsys) -> None:
    assert main(["export", "--to", str(tmp_path / "out"), "--json"]) == 0

    (told,) = json.loads(capsys.readouterr().out)
    assert told["table"] == "marts.dim_post"
    assert told["row_count"] == 1
    assert Path(told["file"]).read_bytes()[:4] == b"PAR1"


def test_a_spreadsheet_gets_text_and_no_formula(home: Settings, tmp_path: Path, capsys) -> None:
    assert main(["export", "dim_post", "--format", "csv", "--to", str(tmp_path / "out")]) == 0

    assert (tmp_path / "out" / "marts.dim_post.csv").read_text() == "caption,n\n'=1+1,7\n"
    assert "Wrote 1 file to" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "exit_code", "sentence"),
    [
        (["export", "--format", "xlsx"], 2, "parquet, csv"),
        (["export", "nothing", "--to", "{out}"], 1, "no table 'nothing'"),
        (["build", "--as-of", "2026-01-01"], 2, "give both or neither"),
        (["build", "--home", "{out}"], 2, "give both or neither"),
        (["build", "--as-of", "yesterday", "--home", "{out}"], 2, "is no moment"),
        (["build", "--as-of", "2999-01-01", "--home", "{out}"], 2, "in the future"),
        (["build", "--as-of", "2026-01-01", "--home", "{home}"], 2, "the home itself"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_is_one_sentence(
    home: Settings, tmp_path: Path, capsys, words: list[str], exit_code: int, sentence: str
) -> None:
    places = {"{out}": str(tmp_path / "out"), "{home}": str(home.home)}

    assert main([places.get(word, word) for word in words]) == exit_code

    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert sentence in " ".join(error.split())


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_mart_and_statistic_of_the_contracts_has_its_file(tmp_path: Path, form: str) -> None:
    settings = publish_world(tmp_path / "home")
    written = export_tables(settings, tmp_path / "out", export_format=ExportFormat(form))

    promised = set(contracts()) - {"stats.build_info", "stats.model_build"}
    assert len(promised) > 30
    assert promised <= {one.table for one in written}
    assert all(one.path.stat().st_size for one in written)
