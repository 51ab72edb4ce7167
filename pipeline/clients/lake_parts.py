"""Which rows of the warehouse go into which file of the lake.

Tables that grow with every scrape are cut by platform and month of the scrape (UTC); within the
newest month of a platform, and within months of many items, by day. So a load writes few files of
few rows, a month that has passed is one file, and which file a row is in depends on the rows alone:
a warehouse that was made anew gives the same files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import orjson

from pipeline.clients.lake_manifest import Columns, Key, Manifest
from pipeline.errors import LakeError
from pipeline.platform_names import platform_names

SCRAPES = "scrapes"
OF_SCRAPES = {
    "scrapes": "account_name, scraped_at, scrape_id",
    "scrape_items": "account_name, post_id nulls first, scraped_at, scrape_id, item_index",
    "rejected_items": "account_name, scraped_at, scrape_id, item_index",
}
"""Tables that grow with every scrape, with the order of their rows.

One post's payloads stand side by side: they compress each other.
"""
PARTITIONS = ("platform", "month")
_ITEMS_OF_A_MONTH = 250_000
"""A month of more items is not merged: one file would take too long to replace."""
_LAYOUT = "1"
"""Raised when the same rows are to be laid out in another way."""


@dataclass(frozen=True)
class Part:
    """The rows of one file."""

    table: str
    name: str
    """``""``, or platform and month or day, as ``tiktok/2026-10-03``."""
    folder: str
    """Relative to the area."""
    condition: str
    """SQL over the table's columns."""
    digest: str
    rows: int

    @property
    def key(self) -> Key:
        """As manifests have it."""
        return (self.table, self.name)


def schema_columns(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, Columns]:
    """Columns of every table of a schema, views left out."""
    found: dict[str, Columns] = {}
    for table, name, kind in connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where schema_name = ? and not internal and database_name = current_database() "
        "and table_name in (select table_name from duckdb_tables() where schema_name = ? "
        "and database_name = current_database()) order by table_name, column_index",
        [schema, schema],
    ).fetchall():
        found[table] = (*found.get(table, ()), (name, kind))
    return found


def whole_table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, columns: Columns
) -> Part:
    """A table that is one file."""
    [(rows, digest)] = connection.execute(
        f"select {_counted(columns)} from {schema}.{quoted(table)}"  # noqa: S608
    ).fetchall()
    return Part(table, "", table, "true", _named(digest, rows, columns), rows)


def scrape_parts(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, Columns],
    manifest: Manifest,
    *,
    is_trusted: bool,
) -> list[Part]:
    """The files that hold every row of the tables of scrapes.

    Args:
        connection: To the warehouse.
        columns: Of those tables.
        manifest: What stands in the lake.
        is_trusted: Scrapes that are as they were have the items that they had. Otherwise every
            row is looked at.

    Raises:
        LakeError: A scrape is of a platform that the program does not know.
    """
    buckets = _buckets(connection, columns[SCRAPES])
    known, looked_at = [], []
    for bucket, digest, rows in buckets:
        scrapes = bucket.part(SCRAPES, _named(digest, rows, columns[SCRAPES]), rows)
        known.append(scrapes)
        stored = manifest.files.get(scrapes.key)
        if not is_trusted or stored is None or stored.digest != scrapes.digest:
            looked_at.append(bucket)
            continue
        for table in OF_SCRAPES:
            held = manifest.files.get((table, bucket.name))
            if table != SCRAPES and held is not None:
                known.append(bucket.part(table, held.digest, held.rows))
    for table in OF_SCRAPES:
        if table != SCRAPES and looked_at:
            known += _counted_parts(connection, table, columns[table], looked_at)
    return known


@dataclass(frozen=True)
class _Bucket:
    """Scrapes of one platform from one moment to another."""

    platform: str
    label: str
    """``2026-10`` or ``2026-10-03``."""
    start: date
    end: date

    @property
    def name(self) -> str:
        return f"{self.platform}/{self.label}"

    def part(self, table: str, digest: str, rows: int) -> Part:
        """One table's rows of these scrapes."""
        folder = f"{table}/platform={self.platform}/month={self.start:%Y-%m}"
        condition = (
            f"platform = '{self.platform}' and scraped_at >= timestamptz '{self.start} 00:00:00+00'"
            f" and scraped_at < timestamptz '{self.end} 00:00:00+00'"
        )
        return Part(table, self.name, folder, condition, digest, rows)


def _buckets(
    connection: duckdb.DuckDBPyConnection, columns: Columns
) -> list[tuple[_Bucket, int | None, int]]:
    """Each bucket with its scrapes' digest and number."""
    found = connection.execute(
        f"with dated as (select *, timezone('UTC', scraped_at) as utc from raw.{SCRAPES}), "  # noqa: S608
        "days as (select platform, date_trunc('day', utc)::date as day, "
        f"sum(items_got)::bigint as items, {_counted(columns)} from dated group by all), "
        "months as (select platform, date_trunc('month', day)::date as month, "
        "sum(items) as month_items from days group by all), "
        "judged as (select *, month = max(month) over (partition by platform) "
        f"or month_items > {_ITEMS_OF_A_MONTH} as is_by_day from months), "
        "named as (select days.platform, if(is_by_day, days.day, month) as start, "
        "is_by_day, days.digest, days.rows from days join judged "
        "on days.platform = judged.platform and date_trunc('month', days.day) = judged.month) "
        "select platform, start, is_by_day, sum(digest), sum(rows)::bigint from named "
        "group by all order by platform, start"
    ).fetchall()
    platforms = set(platform_names())
    buckets = []
    for platform, start, is_by_day, digest, rows in found:
        if platform not in platforms:
            raise LakeError(
                f"The warehouse has scrapes of a platform {platform!r}, which this version of "
                "afterpost does not know: install the one that loaded them, or run "
                "`afterpost rebuild`."
            )
        buckets.append((_bucket(platform, start, is_by_day=is_by_day), digest, rows))
    return buckets


def _bucket(platform: str, start: date, *, is_by_day: bool) -> _Bucket:
    if is_by_day:
        return _Bucket(platform, f"{start:%Y-%m-%d}", start, start + timedelta(days=1))
    following = (start + timedelta(days=31)).replace(day=1)
    return _Bucket(platform, f"{start:%Y-%m}", start, following)


def _counted_parts(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: Columns,
    buckets: Sequence[_Bucket],
) -> list[Part]:
    """The buckets that have rows of a table, by one look at the rows of their time."""
    by_name = {bucket.name: bucket for bucket in buckets}
    values = ", ".join(
        f"('{one.platform}', timestamptz '{one.start} 00:00:00+00', "
        f"timestamptz '{one.end} 00:00:00+00', '{one.name}')"
        for one in buckets
    )
    first, last = min(one.start for one in buckets), max(one.end for one in buckets)
    found = connection.execute(
        f"with buckets(of_platform, starts, ends, bucket) as (values {values}), "  # noqa: S608
        f"rows as (select platform as of_platform, date_trunc('day', timezone('UTC', scraped_at)) "
        f"as day, {_counted(columns)} from raw.{table} "
        f"where scraped_at >= timestamptz '{first} 00:00:00+00' "
        f"and scraped_at < timestamptz '{last} 00:00:00+00' group by all) "
        "select bucket, sum(digest), sum(rows)::bigint from rows join buckets "
        "on rows.of_platform = buckets.of_platform and timezone('UTC', day) >= starts "
        "and timezone('UTC', day) < ends group by all"
    ).fetchall()
    return [
        by_name[name].part(table, _named(digest, rows, columns), rows)
        for name, digest, rows in found
    ]


def _counted(columns: Columns) -> str:
    """Number and digest of rows in any order; digests of parts add up to that of the whole."""
    names = ", ".join(quoted(name) for name, _ in columns)
    return f"count(*) as rows, sum(hash({names})) as digest"


def _named(digest: int | None, rows: int, columns: Columns) -> str:
    shape = hashlib.sha256(orjson.dumps([_LAYOUT, columns])).hexdigest()[:12]
    return f"{shape}-{rows}-{digest or 0:x}"


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'
