"""Python starts with this file when its folder is on ``PYTHONPATH``: homes keep state on a server.

Every home without a state database of its own choice gets one at the PostgreSQL server of
``AFTERPOST_TEST_STATE_SERVER``, whichever process asks first. So the tests that know nothing of
servers, and the programs that they start, run on one as they are. A file in the home names its
database; a copy of a home gets a copy of it, and a home that is made anew a new one.
"""

import importlib.util
import os
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_MARK = ".state.db-server"
_SETTINGS = "pipeline.settings"


class _AfterImport(MetaPathFinder):
    """Changes the settings when something imports them, and costs other programs nothing."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 (the signature is Python's)
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The module as it is, with the settings changed."""
        if fullname != _SETTINGS:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(_SETTINGS)
        assert spec is not None
        assert spec.loader is not None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            module.Settings.state_database_url = property(
                lambda settings: settings.state_url or _url_of(settings.home)
            )

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


def _url_of(home: Path) -> str:
    server = os.environ["AFTERPOST_TEST_STATE_SERVER"]
    home = home.absolute()
    mark = home / _MARK
    name, _, owner = mark.read_text().partition("\n") if mark.exists() else ("", "", "")
    if owner != str(home):
        name = _made_once(home, mark, server, like=name)
    return f"{server.rsplit('/', 1)[0]}/{name}"


def _made_once(home: Path, mark: Path, server: str, *, like: str) -> str:
    from filelock import FileLock

    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home.parent / f".{home.name}.state.db-server.lock"):
        name, _, owner = mark.read_text().partition("\n") if mark.exists() else ("", "", "")
        if owner != str(home):
            name = _new_database(server, like)
            whole = mark.with_suffix(".new")
            whole.write_text(f"{name}\n{home}")
            whole.replace(mark)
    return name


def _new_database(server: str, like: str) -> str:
    from sqlalchemy.exc import OperationalError

    from tests.scale.postgres_server import end_idle_connections, new_database_at

    for _ in range(50):
        try:
            end_idle_connections(server, like)
            return new_database_at(server, like=like or None)
        except OperationalError as error:
            if "being accessed" not in str(error):
                raise
            time.sleep(0.1)
    raise TimeoutError(f"{like} has been in use for seconds.")


def _with_settings(finders: list[Any]) -> None:
    finders.insert(0, _AfterImport())


if os.environ.get("AFTERPOST_TEST_STATE_SERVER"):
    _with_settings(sys.meta_path)
