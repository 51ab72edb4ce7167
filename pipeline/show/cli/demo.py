"""``afterpost demo``: the whole loop in a simulated world, without keys and without a network."""

import math
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.errors import ConfigurationError
from pipeline.show.cli import output
from pipeline.show.cli.options import AsJson
from pipeline.show.figure_words import times

if TYPE_CHECKING:
    from pipeline.learn.findings import Finding
    from pipeline.settings import Settings
    from pipeline.simulate.exports import ExportFile
    from pipeline.simulate.world import World

MARKER = ".afterpost-demo"
"""Only a folder that holds this file is ever deleted."""

FINDINGS_SHOWN = 12
_STEP_COUNT = 5
_EXAMPLE_QUERY = "select * from marts.v_account_summary"


def demo(
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same world.")] = 7,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder for it, made anew each time. Default: .demo in the repository."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the whole loop in a simulated world; no key.

    Four accounts with planted effects: their history comes in as exports, the newest posts through
    the Apify client from a local server, then the daily job runs and recommendations are made.
    """
    from pipeline.settings import REPOSITORY
    from pipeline.simulate.world import build_world

    target = (home or REPOSITORY / ".demo").expanduser().resolve()
    steps = _TimedSteps(quiet=as_json)
    steps.say(
        f"A simulated world (seed {seed}): the accounts' numbers are made up, no key is used, and "
        "nothing leaves this machine."
    )
    with steps.step("making the world"):
        start_afresh(target)
        world = build_world(seed)
        exports = _write_world(world, target)
        steps.say(
            f"   {len(world.accounts)} accounts, {len(world.posts)} posts, {len(exports)} exports "
            f"in {output.short_path(target)}"
        )
    with _apify(world) as url:
        settings = _settings(target, url)
        with steps.step("importing the history"):
            for line in _import_history(settings, exports):
                steps.say(f"   {line}")
        with steps.step("scraping what is new and building, as the daily schedule does"):
            lines = _run_daily(settings, world)
            steps.say_all(lines)
        with steps.step("looking for recommendations (worded by rules: no model is asked)"):
            steps.say_all(_run_recommend(settings, world))
    with steps.step("reading the findings"):
        findings = _findings(settings, world)
    if as_json:
        output.print_json(_figures(settings, world, findings, lines, steps.seconds))
        return
    _say_findings(world, findings)
    _say_places(settings, world)
    _say_next(settings, world)
    spent = ", ".join(f"{name.split(' ')[0]} {seconds:.0f} s" for name, seconds in steps.seconds)
    output.say(f"\nTime: {spent}; {sum(seconds for _, seconds in steps.seconds):.0f} s in all.")


def start_afresh(home: Path) -> None:
    """An empty demo home; what a former demo left there is removed.

    Raises:
        ConfigurationError: The folder holds something that no demo made.
    """
    if home.exists():
        is_ours = (home / MARKER).is_file()
        if not is_ours and (not home.is_dir() or any(home.iterdir())):
            raise ConfigurationError(
                f"{home} is not empty and was not made by a demo, so it is left alone: choose "
                "another folder with --home."
            )
        if is_ours:
            # The marker goes last, so that a removal cut short can be finished by the next one.
            for path in home.iterdir():
                if path.name != MARKER:
                    _remove(path)
    home.mkdir(parents=True, exist_ok=True)
    (home / MARKER).write_text("Made by `afterpost demo`, which deletes this folder.\n")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


class _TimedSteps:
    """Says which step runs, and keeps how long each took."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One numbered step."""
        self.say(f"{len(self.seconds) + 1}/{_STEP_COUNT} {name}")
        started = time.monotonic()
        yield
        self.seconds.append((name, time.monotonic() - started))

    def say(self, line: str) -> None:
        """A line on stdout, unless that is data for a program."""
        if not self._quiet:
            output.say(output.plain(line))

    def say_all(self, lines: Sequence[str]) -> None:
        """Lines below the present step."""
        for line in lines:
            self.say(f"   {line}")


def _write_world(world: "World", home: Path) -> "list[ExportFile]":
    """Accounts, planned posts and exports of the past, where a person would have them."""
    from pipeline.simulate.account_files import copy_accounts
    from pipeline.simulate.exports import write_exports
    from pipeline.simulate.planned import write_planned

    copy_accounts(home / "accounts")
    write_planned(world, home / "accounts")
    return write_exports(world, home / "exports")


@contextmanager
def _apify(world: "World") -> Iterator[str]:
    """A local server that answers as Apify does; its URL."""
    from pipeline.simulate.answers import actor_answers
    from pipeline.simulate.apify_server import ApifyServer

    # A proxy of the environment has no way to this machine's own server.
    exempt = [os.environ.get("NO_PROXY", ""), "127.0.0.1", "localhost"]
    os.environ["NO_PROXY"] = ",".join(filter(None, exempt))
    with ApifyServer(actor_answers(world)) as server:
        yield server.url


def _settings(home: Path, url: str) -> "Settings":
    """Settings of the demo's own: nothing of the environment's keys and addresses is used."""
    from pydantic import SecretStr

    from pipeline.settings import Settings

    return Settings(home=home, apify_token=SecretStr("demo"), apify_api_base_url=url)


def _import_history(settings: "Settings", exports: "Sequence[ExportFile]") -> Iterator[str]:
    """Land every export and load them; a line per account."""
    from pipeline.accounts import load_accounts
    from pipeline.collect.imports import import_file
    from pipeline.collect.raw import load_raw

    for account in load_accounts(settings.accounts_dir):
        own = [export for export in exports if export.account_name == account.name]
        posts: set[tuple[str, str]] = set()
        with output.steps(len(own), quiet=True) as progress:
            for export in own:
                report = import_file(
                    settings, account, export.path, platform=export.platform, scraped_at="auto"
                )
                posts.update((export.platform, post_id) for post_id in report.manifest.post_ids)
                progress.advance()
        yield f"{account.name}: {len(own)} exports, {len(posts)} posts"
    loaded = load_raw(settings)
    yield f"loaded {loaded.scrapes_loaded} scrapes, {loaded.items_loaded} items"


def _run_daily(settings: "Settings", world: "World") -> Sequence[str]:
    from pipeline.accounts import Platform
    from pipeline.defs.runs import run_daily

    return run_daily(settings, [account.name for account in world.accounts], list(Platform)).lines


def _run_recommend(settings: "Settings", world: "World") -> Sequence[str]:
    from pipeline.defs.runs import run_recommend

    return run_recommend(settings, [account.name for account in world.accounts]).lines


def _findings(settings: "Settings", world: "World") -> "list[Finding]":
    """The findings of all accounts, the surest first.

    Among equally sure ones, those whose interval is farthest from no difference.
    """
    from pipeline.clients.warehouse import reading
    from pipeline.learn.findings import Confidence, find

    order = list(Confidence)

    with reading(settings) as connection:
        findings = [
            finding for account in world.accounts for finding in find(connection, account.name)
        ]
    return sorted(
        findings,
        key=lambda item: (order.index(item.confidence), -abs(math.log(item.cautious_effect))),
    )


def _planted(world: "World", finding: "Finding") -> float | None:
    return world.truth.planted_effect(
        finding.account_name,
        finding.platform,
        finding.dimension,
        finding.segment,
        finding.outcome,
    )


def _say_findings(world: "World", findings: "Sequence[Finding]") -> None:
    output.heading("Strongest findings, and what was planted in the simulated world")
    for finding in findings[:FINDINGS_SHOWN]:
        planted = times(_planted(world, finding))
        output.say_indented(
            output.plain(f"  {finding.account_name}: {finding.sentence}; planted: {planted}")
        )
    if not findings:
        output.say("  None: nothing differs from the accounts' usual by more than chance.")
    elif len(findings) > FINDINGS_SHOWN:
        output.say(f"  … and {len(findings) - FINDINGS_SHOWN} more.")


def _say_places(settings: "Settings", world: "World") -> None:
    from pipeline.clients.warehouse import published_database

    output.heading("Where things are")
    output.say(f"  warehouse       {output.short_path(settings.database_path)}")
    output.say(f"  published copy  {output.short_path(published_database(settings))}")
    output.say(f"  landing files   {output.short_path(settings.landing_dir)}")
    for path in _context_files(settings, world):
        output.say(f"  context file    {output.short_path(path)}")


def _context_files(settings: "Settings", world: "World") -> list[Path]:
    from pipeline.decide.context import context_path

    return [context_path(settings, account.name) for account in world.accounts]


def _say_next(settings: "Settings", world: "World") -> None:
    home = f"AFTERPOST_HOME={output.short_path(settings.home)}"
    program = _program()
    first = world.accounts[0].name
    output.heading("Next")
    output.say(f"  {home} {program} analyze --account {first}")
    output.say(f"  {home} {program} review --account {first}")
    output.say(f"  {home} {program} context show {first}")
    output.say(f"  {home} {program} sql '{_EXAMPLE_QUERY}'")
    output.say(f"  {home} make ui")


def _program() -> str:
    """How to call this program from here: by its name when a shell finds it, else by its path."""
    if shutil.which("afterpost"):
        return "afterpost"
    return output.short_path(Path(sys.prefix) / "bin" / "afterpost", resolve=False)


def _figures(
    settings: "Settings",
    world: "World",
    findings: "Sequence[Finding]",
    lines: Sequence[str],
    seconds: Sequence[tuple[str, float]],
) -> dict[str, Any]:
    """The outcome for a program."""
    from pipeline.clients.warehouse import published_version
    from pipeline.decide.review import pending
    from pipeline.show.cli.review import recommendation_figures

    return {
        "is_simulated": True,
        "seed": world.seed,
        "home": str(settings.home),
        "warehouse": str(settings.database_path),
        "published_version": published_version(settings),
        "context_files": [str(path) for path in _context_files(settings, world)],
        "lines": list(lines),
        "findings": [
            {
                **finding.to_json(),
                "account_name": finding.account_name,
                "sentence": finding.sentence,
                "planted": _planted(world, finding),
            }
            for finding in findings
        ],
        "recommendations": [recommendation_figures(settings, item) for item in pending(settings)],
        "seconds": {name: round(spent, 2) for name, spent in seconds},
    }
