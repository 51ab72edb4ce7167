"""Tests of the state database that hold for one of its two engines only.

The others run on both: `tests/scale/test_state_on_postgres.py` runs the same files once more with
every home's state on a server.
"""

import os

import pytest

ON_A_SERVER = bool(os.environ.get("AFTERPOST_TEST_STATE_SERVER"))


def of_sqlite_only(reason: str) -> pytest.MarkDecorator:
    """A test that needs SQLite.

    Args:
        reason: Why there is nothing to test on a server.
    """
    return pytest.mark.skipif(ON_A_SERVER, reason=f"SQLite only: {reason}")
