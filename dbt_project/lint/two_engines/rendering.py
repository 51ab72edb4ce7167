"""The SQL of every model, test and macro as text, with the place in the sources of each piece.

The templates are rendered as for a style check: an engine's macros become calls of functions of
their names, so that what is engine-specific on purpose is told from what is so by accident. No
database and no dbt is started.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import yaml
from jinja2 import Environment, Template, nodes

from dbt_project.lint import adapter

PROJECT = Path(__file__).parents[2]
_MACROS_OF_ENGINES = "engine"
_NO_JINJA = re.compile(r"{%-? *materialization .*?endmaterialization *-?%}", re.DOTALL)
_TEST = re.compile(r"({%-? *)test (\w+)")
_MOST_WRITTEN_OUT = 1_000
"""More values than a macro writes out, so that it writes the query for them."""
_PLACE, _OPEN, _CLOSE = "\ue000{}\ue001", "\ue002", "\ue003"
"""Marks in rendered text: of a place in the sources, and around what an engine's macro made."""
_MARK = re.compile("\ue000(\\d+)\ue001|\ue002|\ue003")


@dataclass(frozen=True)
class Sql:
    """Rendered SQL without marks, and where its pieces come from."""

    text: str
    places: list[tuple[int, str]]
    """From which offset on a piece comes from which ``file:line``, ascending."""
    of_engines: list[tuple[int, int]]
    """From and up to which offsets the text is an engine's macro's own."""

    def place(self, offset: int) -> str:
        """The ``file:line`` of what stands at an offset."""
        index = bisect_right(self.places, offset, key=lambda piece: piece[0]) - 1
        return self.places[max(index, 0)][1]

    def caller(self, offset: int) -> str:
        """The ``file:line`` of the model, test or hook whose text or call of a macro it is."""
        index = bisect_right(self.places, offset, key=lambda piece: piece[0])
        callers = (place for _, place in reversed(self.places[:index]) if "/macros/" not in place)
        return next(callers, self.place(offset))

    def is_of_engine(self, offset: int) -> bool:
        """Whether an engine's macro made what stands at an offset."""
        return any(start <= offset < end for start, end in self.of_engines)


@dataclass
class _Returned(BaseException):
    """How dbt's ``return`` leaves a macro with a value that is no text."""

    value: object


class _Marking(Environment):
    """Jinja whose text tells which line of which file each of its pieces comes from."""

    def __init__(self) -> None:
        super().__init__(extensions=["jinja2.ext.do"])
        self.places: list[str] = []

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for output in tree.find_all(nodes.Output):
            output.nodes = [
                marked for node in output.nodes for marked in self._marked(node, filename or "")
            ]
        return tree

    def _marked(self, node: nodes.Expr, filename: str) -> list[nodes.Expr]:
        if not isinstance(node, nodes.TemplateData):
            return [nodes.TemplateData(self._mark(filename, node.lineno)), node]
        lines = node.data.split("\n")
        data = "\n".join(
            self._mark(filename, node.lineno + index) + line for index, line in enumerate(lines)
        )
        return [nodes.TemplateData(data, lineno=node.lineno)]

    def _mark(self, filename: str, line: int) -> str:
        self.places.append(f"{filename}:{line}")
        return _PLACE.format(len(self.places) - 1)


@dataclass
class _Column:
    def values(self) -> list[str]:
        return ["x"] * _MOST_WRITTEN_OUT


@dataclass
class _Answer:
    """What a query asked while rendering gives: many values."""

    columns: tuple[_Column, ...] = (_Column(),)


@dataclass
class Project:
    """The folders of a dbt project, ready to be rendered."""

    folder: Path = PROJECT
    used_macros: set[str] = field(default_factory=set)
    own_macros: dict[str, str] = field(default_factory=dict)
    """Macros outside of the engines' folder, by name: the file that each stands in."""
    _hooks: list[str] = field(default_factory=list)
    _is_incremental: bool = False
    _asked_for_incremental: bool = False

    def __post_init__(self) -> None:
        self._jinja = _Marking()
        self._settings = yaml.safe_load((self.folder / "dbt_project.yml").read_text("utf-8"))
        self._jinja.globals.update(self._known_to_templates())
        self._tests: list[str] = []
        for path in sorted((self.folder / "macros").rglob("*.sql")):
            self._load_macros(path)
        for path in sorted((self.folder / "tests" / "generic").glob("*.sql")):
            self._load_macros(path)

    def rendered(self) -> Iterator[Sql]:
        """The SQL of all models, tests and hooks; incremental models in both of their forms."""
        for folder in ("models", "tests"):
            for path in sorted((self.folder / folder).rglob("*.sql")):
                if path.parent.name != "generic":
                    yield from self.rendered_text(path.read_text("utf-8"), self._shown(path))
        for name in self._tests:
            yield from self._rendered_test(name)
        for hook in [*self._settings.get("on-run-start", []), *self._hooks]:
            yield from self.rendered_text(hook, "dbt_project.yml")

    def rendered_text(self, text: str, shown: str) -> Iterator[Sql]:
        """The SQL that a template makes: once, or as a first and as a later run makes it."""
        template = self._compiled(text, shown)
        for is_incremental in (False, True):
            self._is_incremental, self._asked_for_incremental = is_incremental, False
            yield self._without_marks(template.render())
            if not self._asked_for_incremental:
                return

    def _rendered_test(self, name: str) -> Iterator[Sql]:
        test = self._jinja.globals[name]
        given = {"model": "a_model", "columns": ["a_key", "b_key"], "column_name": "a_value"}
        told = {"scrapes_of": "a_model", "low": 0, "high": 1}
        arguments = test.arguments
        for values in (given, given | told):
            known = {key: value for key, value in values.items() if key in arguments}
            yield self._without_marks(str(test(**known)))

    def _load_macros(self, path: Path) -> None:
        is_engines = path.parent.name == _MACROS_OF_ENGINES
        source = _NO_JINJA.sub("", path.read_text("utf-8"))
        source = _TEST.sub(r"\1macro test_\2", source).replace("endtest", "endmacro")
        tree = self._jinja._parse(source, None, self._shown(path))
        for macro in list(tree.find_all(nodes.Macro)):
            if "__" in macro.name:
                continue
            alone = nodes.Template([macro], lineno=1)
            alone.set_environment(self._jinja)
            code = self._jinja.compile(alone, filename=str(path))
            loaded = Template.from_code(self._jinja, code, self._jinja.globals)
            # A template of its own each, so that macros of one file call one another through here.
            self._jinja.globals[macro.name] = self._returning(macro, loaded)
            if macro.name.startswith("test_"):
                self._tests.append(macro.name)
            elif not is_engines:
                self.own_macros[macro.name] = f"{self._shown(path)}:{macro.lineno}"

    def _returning(self, macro: nodes.Macro, loaded: Template) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self.used_macros.add(macro.name)
            try:
                return getattr(loaded.module, macro.name)(*arguments, **named)
            except _Returned as returned:
                return returned.value

        call.arguments = [argument.name for argument in macro.args]  # type: ignore[attr-defined]
        return call

    def _compiled(self, text: str, shown: str) -> Template:
        tree = self._jinja._parse(text, None, shown)
        return Template.from_code(
            self._jinja, self._jinja.compile(tree, filename=shown), self._jinja.globals
        )

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.folder.parent).as_posix()

    def _without_marks(self, marked: str) -> Sql:
        text, places, of_engines, opened = "", [], [], []
        ends = [0, *(mark.end() for mark in _MARK.finditer(marked)), len(marked)]
        marks = {mark.end(): mark for mark in _MARK.finditer(marked)}
        for start, end in pairwise(ends):
            mark = marks.get(start)
            if mark and mark[1]:
                places.append((len(text), self._jinja.places[int(mark[1])]))
            elif mark and mark[0] == _OPEN:
                opened.append(len(text))
            elif mark:
                of_engines.append((opened.pop(), len(text)))
            following = marks.get(end)
            text += marked[start : following.start() if following else end]
        return Sql(text, places or [(0, "?:0")], of_engines)

    def _known_to_templates(self) -> dict[str, object]:
        def give_back(value: object) -> None:
            raise _Returned(value)

        def configure(**options: object) -> str:
            hooks = [options.get("pre_hook"), options.get("post_hook")]
            self._hooks.extend(str(hook) for hook in hooks if hook)
            return ""

        def is_incremental() -> bool:
            self._asked_for_incremental = True
            return self._is_incremental

        return {
            "adapter": _Adapter(),
            "config": configure,
            "execute": True,
            "graph": {"nodes": {}},
            "is_incremental": is_incremental,
            "modules": {"re": re},
            "ref": lambda *names: names[-1],
            "return": give_back,
            "run_query": lambda _query: _Answer(),
            "source": lambda schema, table: f"{schema}.{table}",
            "this": "this_model",
            "var": lambda name, default=None: self._settings["vars"].get(name, default),
        }


class _Adapter:
    """The stand-in of the style check, whose calls are marked as an engine's own."""

    @staticmethod
    def dispatch(macro_name: str, *packages: str) -> Callable[..., object]:
        """A stand-in for an engine's macro."""
        made = adapter.dispatch(macro_name, *packages)

        def call(*arguments: object, **named: object) -> object:
            text = made(*arguments, **named)
            if not isinstance(text, str):
                return text
            name, bracket, rest = text.partition("(")
            if name == macro_name:
                return f"{_OPEN}{name}{_CLOSE}{bracket}{rest}"
            return f"{_OPEN}{text}{_CLOSE}"

        return call
