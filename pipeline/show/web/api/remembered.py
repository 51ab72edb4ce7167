"""Answers from the published copy, kept while that copy is the current one.

A published version never changes, so neither does an answer that was made from it alone. Asked
again, it costs no query; of many who ask the same at once, one makes it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from fastapi import Response

from pipeline.clients.warehouse import published_version, reading
from pipeline.settings import Settings
from pipeline.show.web.api.answers import Answer, Meta

if TYPE_CHECKING:
    import duckdb

MAX_BYTES = 32 * 1024 * 1024
"""All answers together; the one that was asked for longest ago goes first."""

_JSON = "application/json"


class FromThePublished(Answer):
    """Base of answers that are made from the published copy and nothing else."""

    meta: Meta


class Told(Protocol):
    """An answer that says which version it was made from."""

    @property
    def meta(self) -> Meta | None:
        """Its origin."""

    def model_dump_json(self) -> str:
        """As JSON."""


class Remembered:
    """The answers of one server."""

    def __init__(self, settings: Settings, max_bytes: int = MAX_BYTES) -> None:
        self._settings = settings
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._version = ""
        self._size = 0
        self._answers: OrderedDict[Hashable, bytes] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._held = ExitStack()
        self._held_version = ""

    def answer(
        self,
        key: Hashable,
        make: "Callable[[duckdb.DuckDBPyConnection], Told]",
    ) -> Response:
        """The answer to a question.

        Args:
            key: Everything that it depends on but the copy: the question, its values, the accounts.
            make: Makes it from a connection; errors go through.

        Raises:
            NothingPublishedError: No build has been green yet.
        """
        version = published_version(self._settings)
        with self._lock:
            if version != self._version:
                self._version, self._size = version, 0
                self._answers.clear()
                self._making.clear()
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return Response(found, media_type=_JSON)
            making = self._making.setdefault(key, threading.Lock())
        try:
            with making:
                with self._lock:
                    found = self._answers.get(key) if version == self._version else None
                if found is None:
                    found = self._made(key, make)
        finally:
            with self._lock:
                self._making.pop(key, None)
        return Response(found, media_type=_JSON)

    def _hold_open(self) -> None:
        """Keep the current copy open: a file that is open already is opened again in no time."""
        with self._lock:
            if self._held_version == self._version:
                return
            self._held_version, former = self._version, self._held
            self._held = ExitStack()
            held = self._held
        held.enter_context(reading(self._settings))
        former.close()

    def _made(
        self,
        key: Hashable,
        make: "Callable[[duckdb.DuckDBPyConnection], Told]",
    ) -> bytes:
        self._hold_open()
        with reading(self._settings) as connection:
            made = make(connection)
        content = made.model_dump_json().encode()
        with self._lock:
            # A copy that was published in between is another's answer.
            is_current = made.meta is not None and made.meta.warehouse_version == self._version
            if is_current and len(content) <= self._max_bytes and key not in self._answers:
                self._answers[key] = content
                self._size += len(content)
                while self._size > self._max_bytes:
                    _, gone = self._answers.popitem(last=False)
                    self._size -= len(gone)
        return content
