"""What needs other engines and servers: run by ``make test-scale`` alone, which installs them."""

import os
from collections.abc import Iterator

import pytest

if not os.environ.get("AFTERPOST_TEST_SCALE"):
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A Spark of a master, two workers and a thrift server, for one process of tests."""
    from tests.scale.spark_cluster import spark_cluster

    with spark_cluster(tmp_path_factory.mktemp("spark") / "cluster") as cluster:
        yield cluster
