"""The lake in an object store that speaks S3, written through s3fs and read by DuckDB."""

import pytest

from pipeline.clients.lake import LakeWrite, write_raw
from pipeline.clients.lake_files import Lake
from pipeline.clients.lake_reading import read_models
from pipeline.clients.lake_spark import spark_location
from pipeline.errors import LakeUnreachableError
from tests.fakes.lake_rows import differences, fill, forget, scrape, warehouse


def test_an_object_store_holds_what_the_warehouse_holds(bucket: str) -> None:
    import s3fs

    url = f"{bucket}/some/lake"
    with warehouse() as connection:
        fill(connection)
        assert write_raw(url, connection).files_removed == 0
        assert write_raw(url, connection) == LakeWrite(0, 0, 0)
        assert differences(connection, url) == {}
        forget(connection, "t1")
        forget(connection, "i1")
        scrape(connection, "new", "2026-10-02 05:00:00+00")
        write_raw(url, connection)
        assert differences(connection, url) == {}
        stored = s3fs.S3FileSystem().find(url)
        assert not [path for path in stored if "month=2026-09" in path or ".tmp" in path]

        [accounts] = [path for path in stored if "/raw/accounts/" in path]
        s3fs.S3FileSystem().copy(accounts, f"{bucket}/some/lake/models/marts/dim/part-0.parquet")
        asked = {"marts.dim": [("timezone", "varchar"), ("account_name", "varchar")]}
        assert read_models(connection, url, asked) == {"marts.dim": 1}
        assert connection.execute("from marts.dim").fetchall() == [("UTC", "lulla=by")]


def test_a_bucket_that_is_not_there_is_named(bucket: str) -> None:
    with warehouse() as connection, pytest.raises(LakeUnreachableError, match="s3://nowhere/lake"):
        write_raw("s3://nowhere/lake", connection)


def test_spark_reads_it_by_the_name_that_hadoop_has(bucket: str) -> None:
    lake = Lake(f"{bucket}/some/lake", "raw")
    assert spark_location(lake, "accounts") == "'s3a://bucket/some/lake/raw/accounts'"
