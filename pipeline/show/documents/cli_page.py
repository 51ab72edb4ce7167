"""``docs/cli.md``, made of the commands themselves: ``make docs``."""

import re
import sys
from collections.abc import Iterator
from enum import Enum

import click
import typer

from pipeline.settings import REPOSITORY
from pipeline.show.cli.main import app
from pipeline.show.documents.generated import write_or_check

PAGE = REPOSITORY / "docs" / "cli.md"

_HEAD = """\
# Commands

<!-- Made by `make docs` from the commands themselves. -->

What each command does, with all of its options. `afterpost COMMAND --help` says the same on the
terminal. Exit codes: 0 done, 1 it failed (one sentence on stderr says why), 2 the words do not fit
together, 130 interrupted.
"""


def cli_page() -> str:
    """The whole page: a list of all commands, and a section for each."""
    commands = list(_commands())
    listed = [f"- [`{name}`](#{_anchor(name)}): {_summary(command)}" for name, command in commands]
    sections = [line for name, command in commands for line in _section(name, command)]
    return "\n".join([_HEAD, *listed, "", *sections]).rstrip() + "\n"


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it."""
    root = typer.main.get_command(app)
    yield from _below(root, click.Context(root, info_name="afterpost"))


def _below(group: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        own = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _below(command, own)
        elif not command.hidden:
            yield own.command_path, command


def _section(name: str, command: click.Command) -> list[str]:
    lines = [f"## {name}", "", "```", _usage(name, command), "```", ""]
    lines += [_told(paragraph) + "\n" for paragraph in _paragraphs(command)]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    if options:
        lines += ["| option | what | default |", "|---|---|---|"]
        lines += [
            f"| {_called(option)} | {_cell(option.help or '')} | {_default(option)} |"
            for option in options
        ]
        lines.append("")
    return lines


def _usage(name: str, command: click.Command) -> str:
    words = [name]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            words.append(parameter.make_metavar(click.Context(command)))
        elif parameter.required:
            words.append(f"{parameter.opts[0]} {_value(parameter)}")
    if any(isinstance(p, click.Option) and not p.required for p in command.params):
        words.append("[OPTIONS]")
    return " ".join(words)


def _paragraphs(command: click.Command) -> list[str]:
    text = (command.help or "").split("\f")[0]
    return [" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip()]


def _summary(command: click.Command) -> str:
    return _escaped(_paragraphs(command)[0]) if command.help else ""


def _called(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    value = "" if option.is_flag else f" {_cell(_value(option))}"
    return names + value


def _value(parameter: click.Parameter) -> str:
    if isinstance(parameter.type, click.Choice) and not parameter.metavar:
        return "\\|".join(
            str(choice.value) if isinstance(choice, Enum) else str(choice)
            for choice in parameter.type.choices
        )
    return (parameter.metavar or parameter.type.name.split(" ")[0]).upper()


def _default(option: click.Option) -> str:
    """What stands where nothing is said, when it is the same on every machine."""
    default = option.default
    if isinstance(default, Enum):
        default = default.value
    if default is None or default is False or callable(default) or default in ("", (), []):
        return ""
    return f"`{_cell(str(default))}`"


def _told(paragraph: str) -> str:
    """A paragraph; the command of an example as code."""
    begin, example, command = paragraph.partition("Example: ")
    if not example or begin:
        return _escaped(paragraph)
    return f"{example}`{command}`"


def _cell(text: str) -> str:
    return re.sub(r"(?<!\\)\|", "\\\\|", _escaped(" ".join(text.split())))


def _escaped(text: str) -> str:
    """Angle brackets would be read as HTML."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, cli_page(), sys.argv[1:]))
