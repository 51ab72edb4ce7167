"""``afterpost scrape`` and ``afterpost import``: the two ways in for posts."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import AfterpostError, ConfigurationError, UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import moment

if TYPE_CHECKING:
    from pipeline.accounts import AccountConfig, Platform
    from pipeline.collect.imports import ImportReport
    from pipeline.settings import Settings


def scrape(
    account: options.Accounts = None,
    all_accounts: Annotated[bool, typer.Option("--all", help="Every account.")] = False,
    platform: options.Platforms = None,
) -> None:
    """Scrape posts and followers through Apify.

    Needs APIFY_TOKEN. Each profile is told as it is done; afterpost health sums up.

    Example: afterpost scrape --account dreamtimelullabies --platform tiktok
    """
    if bool(account) == all_accounts:
        raise UsageError("Say which accounts to scrape: --account NAME, or --all.")
    from pipeline.settings import load_settings

    settings = load_settings()
    names = chosen_accounts(settings, account)
    platforms = chosen_platforms(platform)
    if settings.apify_token is None and settings.youtube_api_key is None:
        raise ConfigurationError(
            "APIFY_TOKEN is not set, so nothing can be scraped: put it into .env or the "
            "environment, or import exports with `afterpost import`."
        )
    from pipeline.collect.scrape_round import profile_count
    from pipeline.defs.runs import run_scrape
    from pipeline.show.cli.scrape_progress import ScrapeProgress

    with output.steps(profile_count(settings, names, platforms)) as steps:
        progress = ScrapeProgress(steps)
        run_scrape(settings, names, platforms, progress.tell)
    for sentence in progress.errors:
        output.say_error(sentence)
    if progress.errors:
        raise typer.Exit(code=1)
    output.say("Next: afterpost build")


def chosen_accounts(settings: "Settings", names: Sequence[str] | None) -> list[str]:
    """The named accounts, or all; each checked.

    Raises:
        ConfigurationError: An account is unknown or its file is wrong, or there is none.
    """
    from pipeline.accounts import account_names, load_account

    chosen = list(dict.fromkeys(names or account_names(settings.accounts_dir)))
    if not chosen:
        raise ConfigurationError(
            f"There are no accounts in {settings.accounts_dir}: add one with "
            "`afterpost accounts add NAME`."
        )
    for name in chosen:
        load_account(settings.accounts_dir, name)
    return chosen


def chosen_platforms(names: Sequence[str] | None) -> "list[Platform]":
    """The named platforms, or all.

    Raises:
        UsageError: A name is no platform.
    """
    from pipeline.accounts import Platform

    known = {platform.value: platform for platform in Platform}
    for name in names or ():
        if name.lower() not in known:
            raise UsageError(f"{name!r} is no platform: use {' or '.join(known)}.")
    return [known[name.lower()] for name in dict.fromkeys(names or known)]


def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(help="Apify dataset exports: JSON, JSONL or CSV, .gz too.", metavar="FILE…"),
    ],
    account: options.Account,
    platform: Annotated[
        str | None,
        typer.Option(
            "--platform",
            "-p",
            help=f"One of {options.PLATFORM_NAMES}. Default: seen in the file.",
        ),
    ] = None,
    scraped_at: Annotated[
        str | None,
        typer.Option(
            help="When the scrape ran: ISO time, or auto to read it from the file name. "
            "Default: auto, else the file's own time."
        ),
    ] = None,
    any_author: Annotated[
        bool,
        typer.Option(
            "--any-author", help="Every row counts, as in exports of hashtag or search runs."
        ),
    ] = False,
    native: Annotated[
        bool,
        typer.Option(
            "--native",
            help="The files are a platform's own analytics exports: TikTok Studio, Meta, YouTube "
            "Studio, X or LinkedIn, in English. --scraped-at then means the time of the export.",
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Take in export files, of Apify or of the platforms.

    The same file twice is one scrape. A file that cannot be taken in stops none of the others.

    Examples: afterpost import exports/*.json --account my_account --scraped-at auto;
    afterpost import Content.csv --native --account my_account
    """
    if native and any_author:
        raise UsageError("--any-author is about scraped rows: leave it out with --native.")
    from pipeline.accounts import load_account
    from pipeline.collect.raw import load_raw
    from pipeline.settings import load_settings

    settings = load_settings()
    config = load_account(settings.accounts_dir, account)
    chosen = chosen_platforms([platform])[0] if platform else None
    results: list[dict[str, Any]] = []
    failed = False
    with output.steps(len(files), quiet=as_json) as progress:
        for path in files:
            try:
                if native:
                    result = _import_native_one(settings, config, path, chosen, scraped_at)
                else:
                    result = _import_one(settings, config, path, chosen, scraped_at, any_author)
            except AfterpostError as error:
                failed = True
                output.say_error(str(error))
                results.append({"file": str(path), "error": str(error)})
            else:
                results.append(result)
                progress.done(_native_line(result) if native else _import_line(result))
    if any("error" not in result for result in results):
        report = load_raw(settings)
        if not as_json:
            output.say(
                f"Loaded {report.scrapes_loaded} new scrape(s), {report.items_loaded} item(s). "
                "Next: afterpost build"
            )
    if as_json:
        output.print_json(results)
    if failed:
        raise typer.Exit(code=1)


def _import_one(
    settings: "Settings",
    account: "AccountConfig",
    path: Path,
    platform: "Platform | None",
    scraped_at: str | None,
    is_any_author: bool,
) -> dict[str, Any]:
    """Land one file; its figures by name."""
    from pipeline.collect.imports import import_file

    report = import_file(
        settings,
        account,
        path,
        platform=platform,
        scraped_at=scraped_at,
        is_any_author=is_any_author,
    )
    return _import_figures(path, report)


def _import_figures(path: Path, report: "ImportReport") -> dict[str, Any]:
    manifest = report.manifest
    return {
        "file": str(path),
        "platform": manifest.platform,
        "account": manifest.account_name,
        "scrape_id": manifest.scrape_id,
        "scraped_at": manifest.scraped_at,
        "scraped_at_source": manifest.scraped_at_source,
        "is_new": report.is_new,
        "row_count": manifest.items_got,
        "distinct_post_count": len(manifest.post_ids),
        "post_count": manifest.post_count,
        "foreign_post_count": manifest.foreign_post_count,
        "profile_count": manifest.profile_count,
        "rejected_count": manifest.rejected_count,
        "rejected_reasons": dict(manifest.rejected_reasons),
    }


def _import_native_one(
    settings: "Settings",
    account: "AccountConfig",
    path: Path,
    platform: "Platform | None",
    exported_at: str | None,
) -> dict[str, Any]:
    """Land one of a platform's own exports; its figures by name."""
    from pipeline.collect.native_imports import import_native

    report = import_native(settings, account, path, platform=platform, exported_at=exported_at)
    manifest = report.manifest
    return {
        "file": str(path),
        "platform": manifest.platform,
        "account": manifest.account_name,
        "scrape_id": manifest.scrape_id,
        "exported_at": manifest.scraped_at,
        "exported_at_source": manifest.scraped_at_source,
        "is_new": report.is_new,
        "value_count": report.value_count,
        "post_count": report.post_count,
        "day_count": report.day_count,
        "metrics": list(report.metrics),
        "unknown_labels": list(report.unknown_labels),
        "unreadable": report.unreadable,
        "nameless_row_count": report.nameless_rows,
    }


def _native_line(result: dict[str, Any]) -> str:
    """One line per native export: what it told, and what of it was not understood."""
    parts = [f"{result['value_count']:,} values of {len(result['metrics'])} metrics"]
    parts += [f"{result[key]} {noun}" for key, noun in _NATIVE_COUNTS.items() if result[key]]
    if result["unknown_labels"]:
        parts.append(f"kept under their own names: {', '.join(result['unknown_labels'])}")
    if result["unreadable"]:
        cells = ", ".join(f"{label}: {n}" for label, n in result["unreadable"].items())
        parts.append(f"cells that hold no number ({cells})")
    source = _TIME_SOURCES.get(str(result["exported_at_source"]), "")
    parts.append(f"exported {moment(result['exported_at'])} ({source})")
    if not result["is_new"]:
        parts.append("already imported")
    return output.plain(f"{Path(result['file']).name}: {result['platform']}, {'; '.join(parts)}")


_NATIVE_COUNTS = {
    "post_count": "posts",
    "day_count": "days of the account",
    "nameless_row_count": "rows without a post's id or a date left out",
}

_TIME_SOURCES = {
    "given": "as given",
    "file_name": "from the file name",
    "file_content": "as the file says",
    "file_time": "the file's own time: say --scraped-at if that is wrong",
    "run": "from the run",
}


def _import_line(result: dict[str, Any]) -> str:
    """One line per file: what was in it, and what was made of it."""
    parts = [f"{result['row_count']} rows", f"{result['distinct_post_count']} posts"]
    if result["foreign_post_count"]:
        parts.append(f"{result['foreign_post_count']} of other authors")
    if result["profile_count"]:
        parts.append(f"{result['profile_count']} profiles")
    if result["rejected_count"]:
        reasons = ", ".join(f"{reason}: {n}" for reason, n in result["rejected_reasons"].items())
        parts.append(f"{result['rejected_count']} rejected ({reasons})")
    source = _TIME_SOURCES.get(str(result["scraped_at_source"]), str(result["scraped_at_source"]))
    parts.append(f"scraped {moment(result['scraped_at'])} ({source})")
    if not result["is_new"]:
        parts.append("already imported")
    return output.plain(f"{Path(result['file']).name}: {result['platform']}, {'; '.join(parts)}")
