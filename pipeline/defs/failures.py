"""Our errors as Dagster sees them."""

from collections.abc import Iterator
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
