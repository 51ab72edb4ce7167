"""The Spark that builds the models in the tier ``cloud``, over its thrift server."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.clients.lake_files import Lake, reached
from pipeline.clients.lake_spark import spark_location
from pipeline.errors import ConfigurationError, SparkUnavailableError
from pipeline.settings import Settings

MODEL_SCHEMAS = ("staging", "intermediate", "marts", "stats")
SESSION_SETTINGS = {
    # What the models take for granted. Without "set:" the thrift server would not take them.
    "set:spark.sql.session.timeZone": "UTC",
    "set:spark.sql.ansi.enabled": "true",
    "set:spark.sql.timestampType": "TIMESTAMP_LTZ",
    "set:spark.sql.sources.partitionOverwriteMode": "dynamic",
    # The older form of a timestamp in Parquet does not tell whether it is UTC.
    "set:spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


def spark_address(settings: Settings) -> tuple[str, int]:
    """Host and port of the thrift server."""
    host, _, port = settings.spark_url.removeprefix("thrift://").rpartition(":")
    return host, int(port)


def run_on_spark(settings: Settings, statements: Sequence[str]) -> None:
    """Run statements one after the other in one session.

    Raises:
        SparkUnavailableError: The server does not answer, or refuses a statement.
    """
    with _session(settings) as cursor:
        for statement in statements:
            _execute(settings, cursor, statement)


def make_model_schemas(settings: Settings) -> None:
    """Make the schemas that models stand in, with their files under the storage's ``models/``.

    Files of tables that Spark does not know, because its metastore is another one than theirs, are
    removed: it would refuse to make a table where files lie.

    Raises:
        SparkUnavailableError: The server does not answer, or refuses a statement.
        ConfigurationError: A schema of that name keeps its files at another place.
    """
    lake = Lake(str(settings.storage_url), "models")
    with reached(str(settings.storage_url)), _session(settings) as cursor:
        for schema in MODEL_SCHEMAS:
            lake.make_folder(schema)
            location = spark_location(lake, schema)
            _execute(settings, cursor, f"create schema if not exists {schema} location {location}")
            _execute(settings, cursor, f"describe schema {schema}")
            found = dict(row[:2] for row in cursor.fetchall()).get("Location", "")
            if _plain(found) != _plain(location.strip("'")):
                raise ConfigurationError(
                    f"Spark's schema {schema} keeps its files in {found}, not in {location}: drop "
                    f"it (`drop schema {schema} cascade`), or set AFTERPOST_STORAGE_URL to where "
                    "it is."
                )
            _execute(settings, cursor, f"show tables in {schema}")
            lake.keep_only(schema, {str(row[1]) for row in cursor.fetchall()})


def _plain(location: str) -> str:
    """An address as it is compared: ``file:/x`` and ``file:///x`` are one."""
    return location.replace("file:///", "file:/").rstrip("/")


@contextmanager
def _session(settings: Settings) -> Iterator[Any]:
    try:
        from pyhive import hive
        from TCLIService.ttypes import TOpenSessionReq  # noqa: F401 - says that all of it is there
    except ImportError as error:
        raise ConfigurationError(
            "AFTERPOST_STORAGE is 'cloud', which needs packages that are not installed: run "
            "`pip install 'afterpost[scale]'`."
        ) from error
    logging.getLogger("pyhive").setLevel(logging.WARNING)
    host, port = spark_address(settings)
    try:
        connection = hive.Connection(host=host, port=port, configuration=SESSION_SETTINGS)
    except Exception as error:
        raise SparkUnavailableError(
            f"No Spark answers at {settings.spark_url} ({_first_line(error)}): start its thrift "
            "server, or set AFTERPOST_SPARK_URL. Nothing was built; the published copy stays."
        ) from error
    try:
        yield connection.cursor()
    finally:
        connection.close()


def _execute(settings: Settings, cursor: Any, statement: str) -> None:
    from pyhive.exc import Error

    try:
        cursor.execute(statement)
    except (Error, OSError) as error:
        raise SparkUnavailableError(
            f"Spark at {settings.spark_url} refused `{statement[:80]}` ({_first_line(error)}). "
            "Nothing was published; the former published copy stays."
        ) from error


def _first_line(error: BaseException) -> str:
    status = getattr(error.args[0], "status", None) if error.args else None
    text = getattr(status, "errorMessage", None) or str(error) or type(error).__name__
    return str(text).strip().splitlines()[0][:300]
