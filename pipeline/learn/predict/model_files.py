"""Fitted models on disk: written whole or not at all, and loaded only as they were registered.

A file holds Python objects, which run code when they are loaded. So it is read only when its bytes
have the checksum that the state database holds for it, and only from our own folder.
"""

import hashlib
import pickle
import re
from functools import lru_cache
from pathlib import Path

from pipeline.atomic_files import write_atomically
from pipeline.errors import AfterpostError
from pipeline.learn.predict.predictor import FittedModel
from pipeline.settings import Settings

FILES_KEPT = 4
"""Of each platform and target: a post that is seen late needs the model of when it went out."""
_SUFFIX = ".model"
_VERSION = re.compile(r"[0-9a-f]{8,64}")


class ModelFileError(AfterpostError):
    """A model file that is missing, changed, or of another version of the program."""


def write_model(settings: Settings, version: str, model: FittedModel) -> str:
    """Write a model's file.

    Returns:
        The SHA-256 of its bytes.
    """
    content = pickle.dumps(model, protocol=pickle.HIGHEST_PROTOCOL)
    write_atomically(_path(settings, version), content)
    return hashlib.sha256(content).hexdigest()


def load_model(settings: Settings, version: str, file_sha256: str) -> FittedModel:
    """A model as it was registered; kept in memory for the next question.

    Raises:
        ModelFileError: The file is missing, was changed, or cannot be read by this program.
    """
    return _load(_path(settings, version), file_sha256)


def remove_models(settings: Settings, versions: list[str]) -> None:
    """Delete files; those that are gone already are no trouble."""
    for version in versions:
        _path(settings, version).unlink(missing_ok=True)


@lru_cache(maxsize=16)
def _load(path: Path, file_sha256: str) -> FittedModel:
    advice = "run `afterpost predict --train` to fit a new one"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError(f"The model file {path} is missing: {advice}.") from None
    if hashlib.sha256(content).hexdigest() != file_sha256:
        raise ModelFileError(f"The model file {path} is not the one that was registered: {advice}.")
    try:
        model = pickle.loads(content)  # noqa: S301 (our own bytes: the checksum is registered)
    except Exception as error:
        raise ModelFileError(
            f"The model file {path} is of another version of the program "
            f"({type(error).__name__}): {advice}."
        ) from error
    if not isinstance(model, FittedModel):
        raise ModelFileError(f"The model file {path} holds no model: {advice}.")
    return model


def _path(settings: Settings, version: str) -> Path:
    if not _VERSION.fullmatch(version):
        raise ModelFileError(f"{version!r} is no name of a model.")
    return settings.warehouse_dir / "models" / f"{version}{_SUFFIX}"
