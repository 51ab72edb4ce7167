"""Files of the lake: a folder or an object store that many programs read at once.

A reader that lists a folder sees a Parquet file whole or not at all: in a folder it is written
under another name and renamed, and an object store shows what was put only when all of it is there.
"""

import os
import secrets
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb

from pipeline.atomic_files import sync_folder, write_atomically
from pipeline.clients.mirror_store import shown_url
from pipeline.errors import AfterpostError, LakeError, LakeUnreachableError

_OBJECT_STORES = frozenset(
    {"memory", "s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "http"}
)
"""Where a file that is put appears in one step."""
_TEMPORARY = ".tmp"


class Lake:
    """One folder below the storage's URL, with paths relative to it."""

    def __init__(self, url: str, area: str) -> None:
        """Open the folder ``<url>/<area>``; nothing is made or asked yet.

        Args:
            url: A folder's path or an fsspec URL.
            area: ``raw``, ``stats`` or ``models``.

        Raises:
            LakeError: The URL is of no storage that is installed, or has a wildcard in it.
        """
        import fsspec

        try:
            files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise LakeError(
                f"The storage {shown_url(url)} cannot be opened ({error}). Check "
                "AFTERPOST_STORAGE_URL; object stores take `pip install 'afterpost[scale]'`."
            ) from error
        if set("*?[]{}") & set(root):
            raise LakeError(
                f"The storage {shown_url(url)} has one of * ? [ ] {{ }} in its name, which readers "
                "take for a pattern: give it another name."
            )
        self.files: Any = files
        self.root = f"{root.rstrip('/')}/{area}"
        protocols = files.protocol
        self.protocols = frozenset({protocols} if isinstance(protocols, str) else protocols)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of this machine."""
        return "file" in self.protocols

    def url(self, path: str = "") -> str:
        """What DuckDB opens a path by."""
        full = f"{self.root}/{path}".rstrip("/")
        return full if self.is_folder else str(self.files.unstrip_protocol(full))

    def sizes(self, folder: str = "") -> dict[str, int]:
        """Bytes of every file below a folder, by path, hidden and temporary ones included."""
        start = f"{self.root}/{folder}".rstrip("/")
        with _asked():
            self.files.invalidate_cache()
            try:
                found = self.files.find(start, detail=True)
            except FileNotFoundError:
                return {}
        prefix = len(self.root) + 1
        return {path[prefix:]: int(entry["size"]) for path, entry in found.items()}

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder of that name."""
        with _asked():
            return bool(self.files.exists(f"{self.root}/{path}"))

    def read(self, path: str) -> bytes | None:
        """A small file's content; None when there is none."""
        with _asked():
            try:
                return bytes(self.files.cat_file(f"{self.root}/{path}"))
            except FileNotFoundError:
                return None

    def replace(self, path: str, content: bytes) -> None:
        """Write a small file in one step."""
        if self.is_folder:
            write_atomically(Path(f"{self.root}/{path}"), content)
            return
        with tempfile.TemporaryDirectory(prefix="afterpost-") as folder:
            local = Path(folder) / "content"
            local.write_bytes(content)
            self.put(local, path)

    def make_folder(self, path: str) -> None:
        """Make a folder where the storage knows folders."""
        with _asked():
            self.files.makedirs(f"{self.root}/{path}", exist_ok=True)

    @contextmanager
    def draft(self, folder: str) -> Iterator[Path]:
        """A file of this machine to write to, gone at the end unless it was put.

        Args:
            folder: Where the file is to be put: a rename needs it on the same disk.
        """
        if self.is_folder:
            target = Path(self.root) / folder
            target.mkdir(parents=True, exist_ok=True)
            draft = target / f".{secrets.token_hex(8)}{_TEMPORARY}"
            try:
                yield draft
            finally:
                draft.unlink(missing_ok=True)
        else:
            with tempfile.TemporaryDirectory(prefix="afterpost-") as name:
                yield Path(name) / "draft"

    def put(self, draft: Path, path: str) -> None:
        """Let a draft stand under its name, in one step for every reader."""
        if self.is_folder:
            target = Path(self.root) / path
            descriptor = os.open(draft, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            draft.replace(target)
            sync_folder(target.parent)
            return
        full = f"{self.root}/{path}"
        with _asked():
            if self.protocols & _OBJECT_STORES:
                self.files.put_file(str(draft), full)
                return
            folder, _, name = full.rpartition("/")
            self.files.makedirs(folder, exist_ok=True)
            temporary = f"{folder}/.{name}.{secrets.token_hex(4)}{_TEMPORARY}"
            self.files.put_file(str(draft), temporary)
            self.files.mv(temporary, full)

    def keep_only(self, folder: str, names: Collection[str]) -> None:
        """Remove all that lies right in a folder, but for what has one of the names."""
        with _asked():
            root = f"{self.root}/{folder}"
            self.files.invalidate_cache()
            found = self.files.ls(root, detail=False) if self.files.exists(root) else []
            for path in found:
                if path.rstrip("/").rsplit("/", 1)[-1] not in names:
                    self.files.rm(path, recursive=True)

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, and the partition folders that are empty then."""
        full = [f"{self.root}/{path}" for path in paths]
        if not self.is_folder:
            with _asked():
                if full:
                    self.files.rm(full)  # an object store takes many at once
            return
        for path in full:
            Path(path).unlink(missing_ok=True)
            for folder in Path(path).parents:
                if "=" not in folder.name:
                    break
                with suppress(OSError):  # not empty
                    folder.rmdir()


def is_temporary(path: str) -> bool:
    """Whether a file is a draft that somebody killed left behind."""
    name = path.rpartition("/")[2]
    return name.startswith(".") and name.endswith(_TEMPORARY)


def is_hidden(path: str) -> bool:
    """Whether Spark would pass over a file: a part of its path starts with ``_`` or a dot."""
    return any(part.startswith((".", "_")) and "=" not in part for part in path.split("/"))


@contextmanager
def _asked() -> Iterator[None]:
    """Whatever a storage's client raises as one kind of error; each client has its own."""
    try:
        yield
    except (OSError, AfterpostError):
        raise
    except Exception as error:
        raise OSError(f"{type(error).__name__}: {error}") from error


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Turn what the storage says into one sentence.

    Raises:
        LakeUnreachableError: A file cannot be written or read.
    """
    try:
        yield
    except (OSError, duckdb.IOException) as error:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        password = urlsplit(url).password if "://" in url else None
        if password:
            reason = reason.replace(password, "…")
        raise LakeUnreachableError(
            f"The storage {shown_url(url)} cannot be written or read ({reason}). What stands there "
            "is put right by the next `afterpost load`."
        ) from error
