"""What the state database keeps about matches and labels of posts.

A person's word about a post, and the model's answers about captions. Every function is one
transaction; reading does not create the database.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from pipeline.clients.state import (
    StateTransaction,
    in_parts,
    reading_state,
    state_exists,
    writing_state,
)
from pipeline.clients.state_tables import (
    model_label_batches,
    model_labels,
    person_labels,
    person_matches,
)
from pipeline.settings import Settings


def person_match_rows(settings: Settings, account_name: str) -> list[dict[str, Any]]:
    """What people said about the plans of an account's posts, by platform and post."""
    return _of_account(settings, person_matches, account_name)


def person_label_rows(settings: Settings, account_name: str) -> list[dict[str, Any]]:
    """What people said about the labels of an account's posts, by platform, post and dimension."""
    return _of_account(settings, person_labels, account_name)


def put_person_match(settings: Settings, row: Mapping[str, Any]) -> None:
    """Store a row of ``person_matches`` in place of a former one about the same post."""
    _put(settings, person_matches, [row])


def put_person_labels(settings: Settings, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store rows of ``person_labels`` in place of former ones about the same dimension."""
    _put(settings, person_labels, rows)


def forget_person_match(settings: Settings, account_name: str, platform: str, post_id: str) -> None:
    """Remove what a person said about a post's plan; nothing happens when nothing was said."""
    key = {"account_name": account_name, "platform": platform, "post_id": post_id}
    with writing_state(settings) as state:
        _delete(state, person_matches, key)


def forget_person_labels(
    settings: Settings, account_name: str, platform: str, post_id: str, dimensions: Sequence[str]
) -> None:
    """Remove what a person said about some dimensions of a post."""
    key = {"account_name": account_name, "platform": platform, "post_id": post_id}
    with writing_state(settings) as state:
        for dimension in dimensions:
            _delete(state, person_labels, {**key, "dimension": dimension})


def has_model_labels(settings: Settings) -> bool:
    """Whether any answer about a caption is stored."""
    if not state_exists(settings):
        return False
    with reading_state(settings) as state:
        return bool(state.rows(sa.select(model_labels.c.model).limit(1)))


def model_label_rows(settings: Settings, content_sha256s: Sequence[str]) -> list[dict[str, Any]]:
    """Answers about some captions, of every model that was asked, the newest last."""
    if not content_sha256s or not state_exists(settings):
        return []
    columns = model_labels.c
    rows: list[dict[str, Any]] = []
    with reading_state(settings) as state:
        for wanted in in_parts(content_sha256s):
            query = sa.select(model_labels).where(columns.content_sha256.in_(wanted))
            rows.extend(state.rows(query))
    return sorted(rows, key=lambda row: (row["asked_at"], row["content_sha256"], row["model"]))


def captions_of_batches(settings: Settings, batch_ids: Sequence[str]) -> frozenset[str]:
    """Hashes of the captions whose present answers some questions gave."""
    if not batch_ids or not state_exists(settings):
        return frozenset()
    columns = model_labels.c
    found: set[str] = set()
    with reading_state(settings) as state:
        for wanted in in_parts(batch_ids):
            query = sa.select(columns.content_sha256).where(columns.batch_id.in_(wanted))
            found.update(str(row["content_sha256"]) for row in state.rows(query))
    return frozenset(found)


def put_model_answer(
    settings: Settings, batch: Mapping[str, Any], labels: Sequence[Mapping[str, Any]]
) -> None:
    """Store one question's cost and outcome together with the answers that it gave.

    Args:
        settings: Where the database is.
        batch: A row of ``model_label_batches``.
        labels: Rows of ``model_labels`` without ``batch_id``; they replace former ones.
    """
    with writing_state(settings) as state:
        state.execute(model_label_batches.insert(), [dict(batch)])
        for row in labels:
            _delete(state, model_labels, _key(model_labels, row))
        if labels:
            rows = [{**row, "batch_id": batch["batch_id"]} for row in labels]
            state.execute(model_labels.insert(), rows)


def model_label_batch_rows(
    settings: Settings, account_name: str | None = None
) -> list[dict[str, Any]]:
    """Questions about captions that were asked, of one account or all, oldest first."""
    if not state_exists(settings):
        return []
    columns = model_label_batches.c
    query = sa.select(model_label_batches).order_by(columns.asked_at, columns.batch_id)
    if account_name is not None:
        query = query.where(columns.account_name == account_name)
    with reading_state(settings) as state:
        return state.rows(query)


def _of_account(settings: Settings, table: sa.Table, account_name: str) -> list[dict[str, Any]]:
    if not state_exists(settings):
        return []
    query = sa.select(table).where(table.c.account_name == account_name)
    with reading_state(settings) as state:
        return state.rows(query.order_by(*table.primary_key.columns))


def _put(settings: Settings, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Replace by key; delete and insert, because upserts differ between databases."""
    with writing_state(settings) as state:
        for row in rows:
            _delete(state, table, _key(table, row))
            state.execute(table.insert(), [dict(row)])


def _key(table: sa.Table, row: Mapping[str, Any]) -> dict[str, Any]:
    return {column.name: row[column.name] for column in table.primary_key.columns}


def _delete(state: StateTransaction, table: sa.Table, key: Mapping[str, Any]) -> None:
    conditions = [table.c[name] == value for name, value in key.items()]
    state.execute(table.delete().where(*conditions))
