"""Our errors as Dagster sees them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import dagster as dg

from pipeline.errors import AfterpostError, Retry


@contextmanager
def told_to_dagster() -> Iterator[None]:
    """Turn an expected error into a Failure with the same sentence; bugs pass through as bugs."""
    try:
        yield
    except AfterpostError as error:
        raise failure(error) from error


def failure(error: AfterpostError) -> dg.Failure:
    """A Failure whose class of error and retry decision stand in its metadata."""
    return dg.Failure(
        description=str(error),
        metadata={"error": type(error).__name__, "retry": error.retry.value},
        allow_retries=error.retry is Retry.LATER,
    )


def failure_of_all(errors: Mapping[str, AfterpostError]) -> dg.Failure:
    """A Failure that is not tried again, with what each account was told."""
    told: dict[str, list[str]] = {}
    for name, error in errors.items():
        told.setdefault(str(error), []).append(name)
    is_shared = len(told) == 1
    sentences = [
        sentence if is_shared else f"{', '.join(names)}: {sentence}"
        for sentence, names in told.items()
    ]
    kinds = sorted({type(error).__name__ for error in errors.values()})
    retries = sorted({error.retry.value for error in errors.values()})
    return dg.Failure(
        description=" ".join(sentences),
        metadata={"error": ", ".join(kinds), "retry": ", ".join(retries)},
        allow_retries=False,
    )
