"""``docs/metrics.md``, made of the models' own descriptions: ``make docs``.

The prose stands in ``metrics_page.md`` beside this module; tables take the place of its
``<!-- … -->`` marks. The same files give the same page, so that a check can tell a stale one.
"""

import csv
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipeline.measure.statistics_tables import STATISTICS_TABLES
from pipeline.settings import REPOSITORY
from pipeline.show.documents.generated import write_or_check

PAGE = REPOSITORY / "docs" / "metrics.md"
TEMPLATE = Path(__file__).with_name("metrics_page.md")
DBT_PROJECT = REPOSITORY / "dbt_project"

Documents = Mapping[Path, Mapping[str, Any]]
"""What stands in the project's yml files."""

_SECTIONS = ("core", "performance", "market", "stats")
"""Folders of described tables in the order of the page; others come after them."""

_UNITS: Sequence[tuple[str, str]] = (
    (r"^(?:is|has|was)_", "true or false"),
    (r"_usd$", "USD"),
    (r"_s$|_s_", "seconds"),
    (r"(?:^|_)hours(?:_|$)", "hours"),
    (r"(?:^|_)days(?:_|$)", "days"),
    (r"_weekday$", "1 (Monday) to 7"),
    (r"_hour$", "hour of the day"),
    (r"_per_(?:hour|day|week)$", "count per that time"),
    (r"^(?:score|hook_score)$", "points"),
    (r"percentile|probability|confidence|credibility|quality_score|match_score", "fraction"),
    (r"(?:^|_)rates?(?:_|$)|(?:^|_)share_of_|_share(?:_|$)|^[pq]_value$|_fraction$", "fraction"),
    (r"multiple|ratio|^effect|null_best|(?:^|_)lift(?:_|$)", "ratio"),
    (r"^impact", "ratio less 1"),
    (r"(?:^|_)log_", "logarithm"),
    (r"correlation|^rho", "-1 to 1"),
    (r"entropy", "bits, or as described"),
    (r"(?:^|_)(?:views?|likes?|comments?|shares?|saves?|reposts?|followers?|engagement)(?:_|$)",
     "count"),
    (r"_counts?(?:_|$)|^n$|_n$|impressions|reach|follows|clicks|engagements|visits", "count"),
)  # fmt: skip
"""Unit of a number by its name; the first that fits."""

_UNITS_OF_TYPES = {
    "varchar": "text",
    "boolean": "true or false",
    "timestamptz": "UTC time",
    "timestamp": "local time",
    "date": "day",
}

_NULL_BY_NAME: Sequence[tuple[str, str]] = (
    (r"^native_|click_through", "the platform's own export has none, or none was imported"),
    (r"_(?:24h|72h|7d|28d)$", "not published, or no two scrapes lie close enough around the age"),
    (r"_rates?(?:_|$)", "a term of it is not published or not told, or the denominator is 0"),
    (r"^(?:view|video_view|like|comment|share|save|repost|follower|following)_count",
     "not published or not told"),
    (r"median|quartile|_p\d+$|mean|variance|pooled|^avg_|^best_|^total_(?!posts)",
     "no post has the value"),
    (r"^local_", "the publication time is not known"),
    (r"^age_hours$", "the publication time is not known"),
    (r"^score|percentile$|^outlier|^peer_count$", "fewer than five posts to compare with"),
    (r"^share_of_", "there is nothing to divide by"),
    (r"_source$", "the post has no such label"),
    (r"^(?:topic|content_pillar|cta)$", "nothing gave the label"),
    (r"^(?:hook_text|hook_score|match_score|pick_probability|context_id)$",
     "no plan was matched, or it does not say"),
    (r"^(?:author_handle|post_url|audio_id|duration_s|niche)$", "no source told it"),
    (r"^(?:likes|comments)$", "not told"),
    (r"^(?:daypart|published_at|posted_at)$", "the publication time is not known"),
    (r"_(?:low|high)$", "there is no such figure to bound"),
    (r"null_best$|^effect$|_rank$", "not enough data"),
    (r"(?:^|_)needed$", "none are needed, or that is not known"),
    (r"_ratio$|_share$|^usual|^log_spread$", "not enough data"),
)  # fmt: skip
"""What null means where a description does not say; the first that fits."""

_NEVER = re.compile(
    r"^n$|_n$|^n_|^(?:has|is)_|^post_count|_post_count$|^posts_per_week_(?:least|most)$|verdict$"
    r"|(?:^|_)(?:run|look|listing|account|segment|format|week|judged|approved|edited|rejected)_count$"
    r"|^(?:first|last)_seen_at$|^(?:newest_)?scraped_at$|^(?:approved|horizon)_at$"
    r"|^(?:period|before)_(?:start|end)$|^(?:total_posts|snapshot_count|scrape_id|timezone)$"
    r"|^(?:display_name|handle|smallest_useful_ratio|even_share|direction|confidence)$"
)
"""Columns that every row has, where their description says nothing else."""
_NOT_SAID = "not said"
"""No number of a mart may end here; see the test of the page."""


def metrics_page(dbt_project: Path = DBT_PROJECT, template: Path = TEMPLATE) -> str:
    """The whole page.

    Args:
        dbt_project: The project whose models and seeds are described.
        template: Markdown with the marks ``tables``, ``availability`` and ``standard ages``.
    """
    parts = {
        "tables": _tables(dbt_project),
        "availability": _availability(dbt_project / "seeds" / "metric_availability.csv"),
        "standard ages": _standard_ages(dbt_project / "seeds" / "standard_ages.csv"),
    }
    page = template.read_text(encoding="utf-8")
    for name, lines in parts.items():
        mark = f"<!-- {name} -->\n"
        if mark not in page:
            raise ValueError(f"{template} has no line {mark.strip()!r}")
        page = page.replace(mark, "\n".join(lines) + "\n")
    return page


def _tables(dbt_project: Path) -> list[str]:
    documents = _documents(dbt_project)
    sections = _models_by_section(documents)
    lines: list[str] = []
    for section, models in sections:
        for model in models:
            name = f"{'stats' if section == 'stats' else 'marts'}.{model['name']}"
            sql = next((dbt_project / "models").rglob(f"{model['name']}.sql"))
            lines += [f"### `{name}`", "", f"{_grain(sql)} {_sentence(model['description'])}", ""]
            lines += [*_column_table(model["columns"], _keys(model)), ""]
    described = _described_sources(documents)
    for table, columns in STATISTICS_TABLES.items():
        source = described.get(table, {})
        texts = {
            one["name"]: one["description"]
            for one in (
                *_columns_of_views(dbt_project, sections, table),
                *source.get("columns", []),
            )
        }
        rows = [
            {
                "name": name,
                "data_type": kind.split()[0],
                "description": texts.get(name, ""),
                "data_tests": ["not_null"] if kind.endswith("not null") else [],
            }
            for name, kind in columns.items()
        ]
        sentence = _sentence(source.get("description", ""))
        lines += [f"### `stats.{table}`", "", sentence, "", *_column_table(rows, set()), ""]
    return lines[:-1]


def _documents(dbt_project: Path) -> dict[Path, dict[str, Any]]:
    """All descriptions of the project by file, in order of path."""
    # The loader that is written in C gives the same and is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {
        path: yaml.load(path.read_text(encoding="utf-8"), loader) or {}  # noqa: S506 - both are safe
        for path in sorted((dbt_project / "models").rglob("*.yml"))
    }


def _models_by_section(documents: Documents) -> list[tuple[str, list[dict[str, Any]]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for path, document in documents.items():
        if {"marts", "stats"} & set(path.parts):
            found[path.parent.name] += document.get("models", [])
    return [
        (section, sorted(found[section], key=lambda model: str(model["name"])))
        for section in sorted(found, key=lambda name: (_place(name), name))
    ]


def _place(section: str) -> int:
    return _SECTIONS.index(section) if section in _SECTIONS else len(_SECTIONS)


def _described_sources(documents: Documents) -> dict[str, dict[str, Any]]:
    return {
        table["name"]: table
        for document in documents.values()
        for source in document.get("sources", [])
        if source["name"] == "stats"
        for table in source["tables"]
    }


def _columns_of_views(
    dbt_project: Path, sections: Sequence[tuple[str, list[dict[str, Any]]]], table: str
) -> list[dict[str, Any]]:
    """Columns of the marts that show a statistic, which describe it where its source does not."""
    showing = {
        path.stem
        for path in (dbt_project / "models" / "marts").rglob("*.sql")
        if f"source('stats', '{table}')" in path.read_text(encoding="utf-8")
    }
    return [
        column
        for _, models in sections
        for model in models
        if model["name"] in showing
        for column in model["columns"]
    ]


def _grain(sql: Path) -> str:
    """The comment that a model begins with, as sentences."""
    words = []
    for line in sql.read_text(encoding="utf-8").splitlines():
        if line.startswith("--"):
            words.append(line.removeprefix("--").strip())
        elif words:
            break
    return " ".join(words)


def _sentence(text: str) -> str:
    return " ".join(text.split())


def _keys(model: Mapping[str, Any]) -> set[str]:
    for test in model.get("data_tests", []):
        if isinstance(test, dict) and "one_row_per" in test:
            return set(test["one_row_per"]["arguments"]["columns"])
    return set()


def _column_table(columns: Iterable[Mapping[str, Any]], keys: set[str]) -> list[str]:
    rows = [
        (
            f"`{column['name']}`",
            _unit(column["name"], column["data_type"]),
            _described(column["description"]),
            "never" if column["name"] in keys else _null(column),
        )
        for column in columns
    ]
    return _table(("column", "unit", "what, and how it is made", "null means"), rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
    ]


def _unit(name: str, data_type: str) -> str:
    kind = data_type.lower()
    if kind in _UNITS_OF_TYPES:
        return _UNITS_OF_TYPES[kind]
    fitting = (unit for pattern, unit in _UNITS if re.search(pattern, name))
    return next(fitting, "count" if kind in {"integer", "bigint"} else "number")


def _clauses(description: str) -> list[tuple[str, str]]:
    """Parts of a description between semicolons and full stops, each with what stands before it."""
    parts = re.split(r"(;|\.)\s+(?=\S)", _sentence(description).rstrip("."))
    return list(zip(["", *parts[1::2]], parts[::2], strict=True))


def _is_about_null(clause: str) -> bool:
    return re.search(r"\bnull\b", clause, re.IGNORECASE) is not None


def _described(description: str) -> str:
    kept = [(mark, clause) for mark, clause in _clauses(description) if not _is_about_null(clause)]
    text = "".join(f"{mark} {clause}" for mark, clause in kept).lstrip(";. ")
    return text or re.split(r",? null\b", _sentence(description))[0]


def _null(column: Mapping[str, Any]) -> str:
    told = [clause for _, clause in _clauses(column["description"]) if _is_about_null(clause)]
    if told:
        found = [re.search(r"\bnull\s+(.+)", clause, re.IGNORECASE) for clause in told]
        words = [one.group(1) if one else clause for one, clause in zip(found, told, strict=True)]
        return "; ".join(words) if words != ["never null"] else "never"
    name = column["name"]
    if "not_null" in column.get("data_tests", []) or _NEVER.search(name):
        return "never"
    fitting = (words for pattern, words in _NULL_BY_NAME if re.search(pattern, name))
    return next(fitting, _NOT_SAID)


def _availability(seed: Path) -> list[str]:
    """One row per platform, metric and meaning, with the kinds of posts that have it."""
    kinds: dict[tuple[str, ...], list[str]] = defaultdict(list)
    with seed.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = ("platform", "metric", "valid_from", "valid_to", "definition_id")
            kinds[*(row[name] for name in key), row["precision_rule"]].append(row["media_type"])
    rows = [
        (
            platform,
            f"`{metric}`",
            ", ".join(kind for kind in media_types if kind != "unknown") or "not told",
            f"`{definition}`",
            _period(valid_from, valid_to),
            precision,
        )
        for (platform, metric, valid_from, valid_to, definition, precision), media_types in sorted(
            kinds.items()
        )
    ]
    return _table(("platform", "metric", "posts", "what is counted", "when", "how exact"), rows)


def _period(valid_from: str, valid_to: str) -> str:
    begin = "" if valid_from == "2005-01-01" else f"from {valid_from}"
    end = "" if valid_to == "9999-12-31" else f"to {valid_to}"
    return f"{begin} {end}".strip() or "always"


def _standard_ages(seed: Path) -> list[str]:
    with seed.open(encoding="utf-8", newline="") as file:
        rows = [
            (f"`…_{row['age_label']}`", row["age_hours"], row["max_gap_hours"])
            for row in csv.DictReader(file)
        ]
    return _table(("columns", "age in hours", "widest bracket in hours"), rows)


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, metrics_page(), sys.argv[1:]))
