"""The command line as a whole: help, exit codes, and what the README says of it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import typer

from pipeline.show.cli.main import app, main

REPOSITORY = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "pipeline.show.cli.main"]
HEAVY = (
    "alembic", "anthropic", "apify_client", "dagster", "dbt", "duckdb", "httpx2", "numpy",
    "pydantic", "rapidfuzz", "scipy", "sklearn", "sqlalchemy",
)  # fmt: skip
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def _commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, by its words."""

    def below(words: tuple[str, ...], command: click.Command) -> Iterator:
        if isinstance(command, click.Group):
            for name, inner in command.commands.items():
                yield from below((*words, name), inner)
        else:
            yield words, command

    yield from below((), typer.main.get_command(app))


COMMANDS = dict(_commands())


def _words(words: tuple[str, ...]) -> str:
    return " ".join(words)


def test_help_loads_nothing_heavy():
    code = (
        "import json, sys\n"
        "from pipeline.show.cli.main import main\n"
        "assert main(['--help']) == 0\n"
        "sys.stderr.write(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )

    result = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert set(json.loads(result.stderr)) & set(HEAVY) == set()
    assert "Usage: afterpost" in result.stdout


def test_the_commands_are_those_of_the_design():
    assert {words[0] for words in COMMANDS} == {
        "demo", "accounts", "scrape", "import", "health", "build", "recommend", "analyze",
        "dashboard", "report", "alerts", "review", "context", "draw", "predict", "reflexion",
        "verdicts", "experiment", "feedback", "match", "label", "sql", "export", "metrics", "web",
        "rebuild", "mirror", "restore", "state",
    }  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=_words)
def test_a_command_explains_itself_and_its_options(words, capsys):
    command = COMMANDS[words]

    assert main([*words, "--help"]) == 0

    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help or parameter.metavar == "ID", f"{words} {parameter.opts}"
    summary = command.get_short_help_str(limit=200)
    assert len(summary) <= 60, f"{summary!r} is cut in the list of commands"


def test_every_command_that_the_readme_names_exists():
    code = re.findall(r"```\w*\n.*?```|`[^`\n]+`", README, re.DOTALL)
    named = set(re.findall(r"afterpost ((?:[a-z]+ ?){1,2})", "\n".join(code)))

    for words in (tuple(found.split()) for found in named):
        assert words in COMMANDS or words[:1] in COMMANDS, f"README: afterpost {' '.join(words)}"


@pytest.mark.parametrize("words", COMMANDS, ids=_words)
def test_the_readme_names_every_command(words):
    if words == ("demo",):
        assert "make demo" in README
    else:
        assert f"afterpost {' '.join(words)}" in README


def test_every_option_that_the_readme_names_exists():
    known = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in parameter.opts
    } | {"--help"}

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", README)) <= known


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["accounts", "nonsense"],
        ["import"],
        ["import", "file.json"],
        ["analyze"],
        ["analyze", "--all", "--account", "a"],
        ["analyze", "--account", "a", "--focus", "nonsense"],
        ["scrape"],
        ["scrape", "--all", "--account", "a"],
        ["review"],
        ["predict"],
        ["predict", "--planned", "--hook", "a hook"],
        ["sql", "select 1", "--json", "--csv"],
        ["context", "show"],
        ["context", "show", "a", "--account", "b"],
        ["demo", "--seed", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_one_sentence_and_exit_2(words, capsys):
    assert main(words) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", captured.err)


@pytest.mark.parametrize(
    "words",
    [
        ["import", "file.json", "--account", "nobody"],
        ["analyze", "--account", "nobody"],
        ["scrape", "--account", "nobody"],
        ["recommend", "--account", "nobody"],
        ["review", "--account", "nobody"],
        ["predict", "--account", "nobody"],
        ["context", "show", "nobody"],
        ["context", "revert", "--account", "nobody"],
        ["analyze", "--account", "../../etc"],
    ],
    ids=" ".join,
)
def test_an_unknown_account_is_one_sentence_and_exit_1(words, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("AFTERPOST_HOME", str(tmp_path))

    assert main(words) == 1

    captured = capsys.readouterr()
    assert re.fullmatch(r"error: There is no account [^\n]+\n", captured.err)
    assert list(tmp_path.iterdir()) == []


def test_no_words_at_all_show_the_help_and_exit_2(capsys):
    assert main([]) == 2

    assert "Usage: afterpost" in capsys.readouterr().err


def test_a_reader_that_goes_away_is_no_error():
    reading, writing = os.pipe()
    os.close(reading)

    with os.fdopen(writing, "wb") as closed_pipe:
        result = subprocess.run(
            [*PROGRAM, "accounts", "list"],
            cwd=REPOSITORY,
            stdout=closed_pipe,
            stderr=subprocess.PIPE,
            check=False,
        )

    assert result.stderr == b""
    assert result.returncode == 141


def test_an_interrupt_is_one_line_and_exit_130():
    # Programs started in the background of a shell inherit an ignored SIGINT.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pipeline.show.cli.main import main; raise SystemExit(main(['sql']))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert (process.returncode, out) == (130, b"")
    assert err.count(b"\n") == 1


def test_output_survives_a_terminal_without_unicode(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "AFTERPOST_HOME": str(tmp_path)}

    result = subprocess.run(
        [*PROGRAM, "analyze", "--help"],
        cwd=REPOSITORY, env=environment, capture_output=True, check=False,
    )  # fmt: skip

    assert (result.returncode, result.stderr) == (0, b"")
