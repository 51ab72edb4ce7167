"""The place of a mirror: a folder, or an object store by URL.

Objects are written whole or not at all: in a folder by a rename, in an object store by its own
promise. Nothing here overwrites an object of another content, because names hold the content's
hash; only ``current`` is replaced.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import urlsplit

from pipeline.atomic_files import sync_folder
from pipeline.errors import AfterpostError, ConfigurationError, MirrorUnreachableError
from pipeline.settings import Settings

FOLDER = "mirror"
"""Below the storage URL, beside what other tiers keep there."""
_BLOCK_BYTES = 1 << 20
_LOCAL = {"file", "local"}
_WITHOUT_FOLDERS = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "memory"}
_PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs"}


class ObjectMissingError(Exception):
    """There is no object of that name."""


@dataclass(frozen=True)
class StoredObject:
    """What a listing says of an object."""

    size: int
    modified_at: datetime | None
    """In UTC; None where the store does not say."""


class MirrorStore:
    """Objects by name, such as ``generations/20261120T061500_ab12cd.json``."""

    def __init__(self, url: str) -> None:
        """Open the place; nothing is asked of it yet.

        Args:
            url: A folder, or an fsspec URL such as ``s3://bucket/afterpost``.

        Raises:
            ConfigurationError: The URL is of no kind that can be opened here.
        """
        self.shown = shown_url(url)
        self._secret = urlsplit(url).password if "://" in url else None
        filesystem, root = _filesystem(url)
        self._files = filesystem
        self._root = f"{root.rstrip('/')}/{FOLDER}"
        protocols = filesystem.protocol
        names = {protocols} if isinstance(protocols, str) else set(protocols)
        self.is_folder = bool(names & _LOCAL)
        self._has_folders = not names & _WITHOUT_FOLDERS
        self._folders: set[str] = set()
        self._unsettled: set[str] = set()

    @property
    def folder(self) -> Path | None:
        """The folder itself, where the mirror is one."""
        return Path(self._root) if self.is_folder else None

    def write(self, name: str, content: bytes) -> None:
        """Store an object, or replace one."""
        with self._told("written"):
            path = self._place(name)
            if self.is_folder:
                with _replacing(Path(path)) as file:
                    file.write(content)
            else:
                self._files.pipe_file(path, content)

    def write_file(self, name: str, source: Path) -> None:
        """Store a file's content as an object."""
        with self._told("written"):
            path = self._place(name)
            if self.is_folder:
                with _replacing(Path(path)) as file, source.open("rb") as content:
                    shutil.copyfileobj(content, file, _BLOCK_BYTES)
            else:
                self._files.put_file(str(source), path)

    def settle(self) -> None:
        """Make sure that a power cut takes nothing of what was written."""
        if self.is_folder:
            with self._told("written"):
                while self._unsettled:
                    sync_folder(Path(self._unsettled.pop()))

    def read(self, name: str) -> bytes:
        """An object's content.

        Raises:
            ObjectMissingError: There is none of that name.
            MirrorUnreachableError: The place did not answer, or refused.
        """
        with self._told("read"):
            try:
                content: bytes = self._files.cat_file(f"{self._root}/{name}")
            except FileNotFoundError as error:
                raise ObjectMissingError(name) from error
            return content

    def blocks(self, name: str) -> Iterator[bytes]:
        """An object's content block by block. Raises as :meth:`read`."""
        with self._told("read"):
            try:
                file = self._files.open(f"{self._root}/{name}", "rb")
            except FileNotFoundError as error:
                raise ObjectMissingError(name) from error
            with file:
                while block := file.read(_BLOCK_BYTES):
                    yield block

    def sha256(self, name: str) -> str:
        """The hash of what the place gives back for a name. Raises as :meth:`read`."""
        digest = hashlib.sha256()
        for block in self.blocks(name):
            digest.update(block)
        return digest.hexdigest()

    def listing(self, folder: str) -> dict[str, StoredObject]:
        """All objects below a folder by name."""
        with self._told("read"):
            self._files.invalidate_cache()
            try:
                found = self._files.find(f"{self._root}/{folder}", detail=True)
            except FileNotFoundError:
                return {}
            start = len(f"{self._root}/")
            return {
                path[start:]: StoredObject(int(one["size"]), _modified_at(one))
                for path, one in found.items()
            }

    def remove(self, name: str) -> None:
        """Remove an object; one that is gone already is no trouble."""
        with self._told("written"):
            try:
                self._files.rm_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return

    def _place(self, name: str) -> str:
        path = f"{self._root}/{name}"
        folder = str(PurePosixPath(path).parent)
        if self._has_folders and folder not in self._folders:
            self._files.makedirs(folder, exist_ok=True)
            self._folders.add(folder)
        self._unsettled.add(folder)
        return path

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Any error of any kind of store as one sentence; each raises its own."""
        try:
            yield
        except (AfterpostError, ObjectMissingError, GeneratorExit):
            raise
        except Exception as error:
            reason = str(error).splitlines()[0].strip(" .") if str(error) else type(error).__name__
            if isinstance(error, OSError) and error.strerror:
                reason = error.strerror
            if self._secret:
                reason = reason.replace(self._secret, "…")
            raise MirrorUnreachableError(
                f"The mirror at {self.shown} cannot be {what} ({reason}). Nothing was changed "
                "here, and what it holds stays whole: run the same command again when the place "
                "can be reached and has room."
            ) from error


def open_mirror(settings: Settings) -> MirrorStore:
    """The mirror that the settings name.

    Raises:
        ConfigurationError: None is set, it cannot be opened here, or it lies in the home.
    """
    if settings.storage_url is None:
        raise ConfigurationError(
            "AFTERPOST_STORAGE_URL is not set: set it to the folder or object store that is to "
            "hold the mirror, such as s3://bucket/afterpost."
        )
    store = MirrorStore(settings.storage_url)
    if store.folder is not None:
        folder = store.folder.resolve()
        for own in (settings.warehouse_dir, settings.accounts_dir):
            if folder.is_relative_to(own.resolve()):
                raise ConfigurationError(
                    f"AFTERPOST_STORAGE_URL names {store.shown}, which lies in {own}: name a place "
                    "outside of what it is to protect."
                )
    return store


def shown_url(url: str) -> str:
    """The URL as it may be printed: without a password."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return url.replace(f":{parts.password}@", ":…@", 1)


def _filesystem(url: str) -> tuple[Any, str]:
    import fsspec

    if "://" not in url:
        url = str(Path(url).expanduser().absolute())
    protocol = url.partition("://")[0]
    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = _PACKAGES.get(protocol, f"the fsspec package for {protocol}")
        raise ConfigurationError(
            f"{shown_url(url)} needs a package that is not installed ({package}): run "
            "`pip install afterpost[scale]`, or install that package."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"{shown_url(url)} is no address that a mirror can have: write a folder, or a URL such "
            "as s3://bucket/afterpost."
        ) from error
    return filesystem, root


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _modified_at(one: Mapping[str, Any]) -> datetime | None:
    for key in ("LastModified", "last_modified", "mtime", "updated", "created"):
        moment = one.get(key)
        if isinstance(moment, datetime):
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(moment, int | float):
            return datetime.fromtimestamp(moment, tz=UTC)
    return None
