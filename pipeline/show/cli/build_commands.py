"""``afterpost build``, ``recommend`` and ``rebuild``: the steps that write the warehouse."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.show.cli import options, output
from pipeline.show.figure_words import count

if TYPE_CHECKING:
    from pipeline.settings import Settings

_ASIDE = "before_rebuild_"


def build(
    as_of: Annotated[
        str | None,
        typer.Option(
            help="Build what was known at this moment (ISO time with zone, or a day) in --home.",
            metavar="TIME",
        ),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="With --as-of: another, empty folder to build in.", metavar="DIR"),
    ] = None,
) -> None:
    """Build and test the models, and publish a copy.

    Loads what is new first. Nothing is published unless every model and test is green.

    With --as-of, another home is made of all that was scraped, planned and decided by then; the
    accounts' files are taken as they are today. This home is not changed.
    """
    from pipeline.settings import load_settings

    settings = load_settings()
    if as_of is not None and home is not None:
        _build_as_of(settings, as_of, home)
        return
    if as_of is not None or home is not None:
        raise UsageError("--as-of and --home belong together: give both or neither.")
    from pipeline.defs.runs import run_build

    _say_summary(run_build(settings).lines)
    _say_published(settings)


def _build_as_of(settings: "Settings", as_of: str, home: Path) -> None:
    from pipeline.clock import utc_now, utc_text
    from pipeline.measure.as_of import build_home, moment_of, prepare_home

    prepared = prepare_home(settings, home, moment_of(as_of, utc_now()))
    known_at = utc_text(prepared.known_at.replace(microsecond=0))
    output.say(
        f"Known at {known_at}: {count(prepared.scrape_count)} scrapes "
        f"({count(prepared.later_scrape_count)} are later), "
        f"{count(prepared.plan_count)} planned posts "
        f"({count(prepared.later_plan_count)} later), the files of "
        f"{count(prepared.account_count)} accounts as they are today."
    )
    published = build_home(prepared)
    folder = output.short_path(prepared.settings.home)
    output.say(
        f"Published {published.warehouse_version} in {folder}. "
        f"Next: AFTERPOST_HOME={folder} afterpost analyze --account NAME"
    )


def recommend(
    account: options.Accounts = None,
    every: Annotated[
        bool, typer.Option("--all", help="All accounts, which is the default too.")
    ] = False,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch",
            help="Ask the model about several accounts in one batch: half the price, up to an "
            "hour's wait.",
        ),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Turn findings into pending recommendations.

    For the named accounts, or for all. None is made up where the data do not support any.
    """
    from pipeline.settings import load_settings
    from pipeline.show.cli.collect_commands import chosen_accounts
    from pipeline.show.cli.review import recommendation_figures

    if every and account:
        raise UsageError("--all and --account do not fit together: give one of them.")
    settings = load_settings()
    if batch:
        settings = settings.model_copy(update={"anthropic_batches": True})
    names = chosen_accounts(settings, account)
    from pipeline.defs.runs import run_recommend

    summary = run_recommend(settings, names)
    if not as_json:
        _say_summary(summary.lines)
        output.say("Next: afterpost review --account NAME")
        return
    from pipeline.decide.review import pending

    output.print_json(
        [
            recommendation_figures(settings, recommendation)
            for recommendation in pending(settings)
            if recommendation.account_name in names
        ]
    )


def rebuild() -> None:
    """Remake the warehouse from the landing files.

    With accounts/ and the state database they hold all that the warehouse is made of. The former
    file is set aside first, and put back when the rebuild fails; readers keep the published copy.
    """
    from pipeline.settings import load_settings

    settings = load_settings()
    _say_summary(rebuild_home(settings))
    _say_published(settings)


def rebuild_home(settings: "Settings") -> Sequence[str]:
    """Remake a home's warehouse; what the run said, a line per account.

    Raises:
        RunFailedError: A step failed; the former warehouse is in place again.
    """
    from pipeline.defs.runs import run_build

    aside = _set_aside(settings)
    try:
        lines = run_build(settings, is_mirrored=False).lines
    except BaseException:
        _put_back(settings, aside)
        raise
    _remove_set_aside(settings)
    return lines


def _set_aside(settings: "Settings") -> Path:
    """Move the warehouse and its write-ahead logs into a folder of their own beside it."""
    from pipeline.clients.warehouse import new_version, writer_lock
    from pipeline.clock import utc_now

    aside = settings.warehouse_dir / f"{_ASIDE}{new_version(utc_now())}"
    with writer_lock(settings, "rebuild"):
        aside.mkdir(parents=True)
        # The log goes with its file: DuckDB would replay a log left behind into the new one.
        for path in _database_files(settings):
            path.replace(aside / path.name)
    return aside


def _put_back(settings: "Settings", aside: Path) -> None:
    """The former warehouse again; what the failed rebuild made is removed."""
    from pipeline.clients.warehouse import writer_lock

    with writer_lock(settings, "rebuild failed"):
        for path in _database_files(settings):
            path.unlink()
        for path in sorted(aside.iterdir()):
            path.replace(settings.warehouse_dir / path.name)
        aside.rmdir()


def _remove_set_aside(settings: "Settings") -> None:
    """Remove the former warehouse, and those that a killed rebuild left behind."""
    for folder in settings.warehouse_dir.glob(f"{_ASIDE}*"):
        shutil.rmtree(folder)


def _database_files(settings: "Settings") -> list[Path]:
    files = settings.warehouse_dir.glob(f"{settings.database_path.name}*")
    return sorted(path for path in files if path.is_file())


def _say_summary(lines: Sequence[str]) -> None:
    for line in lines:
        output.say(output.plain(line))


def _say_published(settings: "Settings") -> None:
    from pipeline.clients.warehouse import published_version

    version = published_version(settings)
    folder = output.short_path(settings.published_dir / version)
    output.say(f"Published {version} in {folder}. Next: afterpost analyze --account NAME")
