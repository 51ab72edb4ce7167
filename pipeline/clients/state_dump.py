"""All rows of the state database as files that either engine takes back.

One file per table: JSON lines, a row each, ordered by the table's key, so that the same rows give
the same bytes whichever engine holds them. A key that is missing in a line is SQL's null; ``null``
in a column of JSON is JSON's own. Moments are UTC, bytes are base64, decimals are text.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
import zstandard

from pipeline.clients.state import reading_state, state_exists, writing_state
from pipeline.clients.state_databases import HEAD_REVISION, MIGRATIONS_DIR
from pipeline.clients.state_tables import UtcDateTime, metadata
from pipeline.errors import ConfigurationError, HomeInTheWayError, MirrorDamagedError
from pipeline.settings import Settings

SCHEMA_FILE = "schema.json"
_SUFFIX = ".jsonl.zst"
_IS_JSON_NULL = "__is_json_null_"


@dataclass(frozen=True)
class StateDump:
    """What was written."""

    files: tuple[Path, ...]
    row_counts: Mapping[str, int]
    """By table."""


def dump_state(settings: Settings, folder: Path) -> StateDump:
    """Write every table as of one moment.

    Args:
        settings: Whose state; it is only read, and not made when there is none.
        folder: Where to; it is there and empty.

    Raises:
        ConfigurationError: The database cannot be reached or is damaged.
    """
    if not state_exists(settings):
        return StateDump((), {})
    tables = metadata.sorted_tables
    with reading_state(settings) as state:
        # One transaction: a decision is never kept without its recommendation.
        rows = {table.name: state.rows(_all_rows(table)) for table in tables}
    files = []
    for table in tables:
        lines = b"".join(_line(table, row) for row in rows[table.name])
        path = folder / f"{table.name}{_SUFFIX}"
        path.write_bytes(zstandard.ZstdCompressor(level=6).compress(lines))
        files.append(path)
    schema = {
        "revision": HEAD_REVISION,
        "tables": {
            table.name: {column.name: _kind(column) for column in table.columns} for table in tables
        },
    }
    path = folder / SCHEMA_FILE
    path.write_text(json.dumps(schema, indent=1), encoding="utf-8")
    return StateDump((*files, path), {name: len(of_table) for name, of_table in rows.items()})


def restore_state(settings: Settings, folder: Path) -> int:
    """Put a dump into a state database that holds nothing yet, in one transaction.

    Args:
        settings: Whose state database; made when missing, of whichever engine its URL says.
        folder: Holds the files of a dump, checked already.

    Returns:
        The number of rows.

    Raises:
        HomeInTheWayError: The database holds rows.
        ConfigurationError: It cannot be reached, or the dump is of a newer version.
        MirrorDamagedError: A file holds something else than rows of its table.
    """
    schema = json.loads((folder / SCHEMA_FILE).read_text(encoding="utf-8"))
    if schema["revision"] == HEAD_REVISION:
        return _insert(settings, folder)
    with TemporaryDirectory(prefix="afterpost-") as place:
        former = Settings(home=Path(place))
        _make_former(former, folder, schema)
        # Whoever opens it upgrades it, as on the first use after an update of the program.
        current = Path(place) / "current"
        current.mkdir()
        dump_state(former, current)
        return _insert(settings, current)


def _insert(settings: Settings, folder: Path) -> int:
    count = 0
    tables = metadata.sorted_tables
    with writing_state(settings) as state:
        if any(state.rows(sa.select(sa.literal(1)).select_from(t).limit(1)) for t in tables):
            raise HomeInTheWayError(
                "The state database holds rows already, and nothing of it is overwritten: point "
                "AFTERPOST_STATE_URL to an empty database, or set the present one aside."
            )
        for table in tables:
            rows = list(_rows(table, folder / f"{table.name}{_SUFFIX}"))
            if rows:
                state.execute(table.insert(), rows)
            count += len(rows)
    return count


def _make_former(former: Settings, folder: Path, schema: Mapping[str, Any]) -> None:
    """A database as it was under an older version of the program, with the dump's rows."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS_DIR).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if schema["revision"] not in known:
        raise ConfigurationError(
            f"The mirrored state database is of a newer version (revision {schema['revision']}) "
            "than this program: install the newer program, then restore."
        )
    former.warehouse_dir.mkdir(parents=True)
    engine = sa.create_engine(former.state_database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, schema["revision"])
        for name, columns in schema["tables"].items():
            table = sa.Table(
                name,
                sa.MetaData(),
                *(sa.Column(column, _TYPES[kind]) for column, kind in columns.items()),
            )
            rows = list(_rows(table, folder / f"{name}{_SUFFIX}"))
            if rows:
                connection.execute(table.insert(), rows)


def state_row_count(settings: Settings) -> int:
    """Rows of all tables; 0 when there is no database, which is not made by asking."""
    if not state_exists(settings):
        return 0
    with reading_state(settings) as state:
        return sum(
            int(state.rows(sa.select(sa.func.count().label("n")).select_from(table))[0]["n"])
            for table in metadata.sorted_tables
        )


def dump_hashes(folder: Path) -> dict[str, str]:
    """Hash of the rows of each table in a dump that has any, by name."""
    hashes = {}
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        lines = _lines_of(path)
        if lines:
            name = path.name.removesuffix(_SUFFIX)
            hashes[name] = hashlib.sha256(lines).hexdigest()
    return hashes


def _all_rows(table: sa.Table) -> sa.Select[Any]:
    nulls = [
        sa.and_(column.is_not(sa.null())).label(f"{_IS_JSON_NULL}{column.name}")
        for column in table.columns
        if isinstance(column.type, sa.JSON) and column.nullable
    ]
    keys = list(table.primary_key.columns)
    return sa.select(table, *nulls).order_by(*keys)


def _line(table: sa.Table, row: Mapping[str, Any]) -> bytes:
    line = {}
    for column in table.columns:
        value = row[column.name]
        # The program reads both nulls of a JSON column as None; the database tells them apart.
        if value is None and not row.get(f"{_IS_JSON_NULL}{column.name}"):
            continue
        line[column.name] = _as_json(value, column)
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", errors="surrogatepass"
    ) + b"\n"  # fmt: skip


def _as_json(value: Any, column: sa.Column[Any]) -> Any:
    if isinstance(column.type, sa.JSON):
        return value
    if isinstance(value, datetime):
        moment = value if value.tzinfo is None else value.astimezone(UTC)
        return moment.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def _kind(column: sa.Column[Any]) -> str:
    if isinstance(column.type, sa.JSON):
        return "json"
    return _python_type(column).__name__


def _python_type(column: sa.Column[Any]) -> type:
    kind: Any = column.type
    found: type = (kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind).python_type
    return found


_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "json": sa.JSON(none_as_null=True),
    "str": sa.Text(),
    "int": sa.Integer(),
    "float": sa.Float(),
    "bool": sa.Boolean(),
    "bytes": sa.LargeBinary(),
    "date": sa.Date(),
    "datetime": UtcDateTime(),
    "Decimal": sa.Numeric(),
}
"""Types of the columns of an older dump, by their kind in it."""


def _lines_of(path: Path) -> bytes:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as reader:
        content: bytes = reader.read()
    return content


def _rows(table: sa.Table, path: Path) -> Iterator[dict[str, Any]]:
    try:
        for text in _lines_of(path).split(b"\n")[:-1]:
            line = json.loads(text.decode("utf-8", errors="surrogatepass"))
            yield {column.name: _from_json(line, column) for column in table.columns}
    except (ValueError, TypeError, AttributeError, zstandard.ZstdError) as error:
        raise MirrorDamagedError(
            f"{path.name} of the mirrored state database does not hold rows of its table "
            f"({type(error).__name__}). Nothing was restored: choose another generation."
        ) from error


def _from_json(line: Mapping[str, Any], column: sa.Column[Any]) -> Any:
    if column.name not in line:
        return sa.null() if isinstance(column.type, sa.JSON) else None
    value = line[column.name]
    if isinstance(column.type, sa.JSON):
        return sa.JSON.NULL if value is None else value
    read = _READERS.get(_python_type(column))
    return value if read is None else read(value)


_READERS: Mapping[type, Callable[[str], Any]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
    bytes: lambda text: base64.b64decode(text, validate=True),
}
